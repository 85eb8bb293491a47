import CaptureSupport
import Captures
import Dissection
import Testing
import TotemSecurity
import TotemWire
import WireFormat

/// What was in an envelope, and what knet carries, is written as it was read. That the envelope around it is made again byte for byte is
/// TotemSecurity's to show, and what is in the open TotemWire's.
@Suite struct EnvelopeRoundTripTests {
    private static func isRewritten<D: TotemDialect>(_ bytes: UnsafeRawBufferPointer, _: D.Type) throws -> Bool {
        let packet = try TotemPacket<D>(reading: bytes)
        guard try packet.bytes(of: bytes).elementsEqual(bytes) else { return false }
        guard case .mcast(let mcast) = packet.message else { return packet.trailing.count == 0 }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
        if mcast.header.encapsulated == Mcast<D>.encapsulatedInRecovery { return try isRewritten(payload, D.self) }
        let pieces = try ProcessGroupPacket(reading: payload, byteOrder: packet.byteOrder)
        let again = try pieces.bytes(byteOrder: packet.byteOrder, payload: payload[pieces.data.range])
        return pieces.lengthsAreSound(in: D.generation) && again.elementsEqual(payload)
    }

    @Test(arguments: TotemCapture.all.filter { $0.isProtected || $0.name.contains("/cman0-") || $0.isKnet })
    func whatIsInside(_ capture: TotemCapture) throws {
        var opener = SecurityOpener(keys: TotemCapture.keys)
        var knet = KnetDefragmenter()
        var messages = 0
        for datagram in try CaptureSupport.datagrams(of: capture.name) {
            let isRight: Bool = try datagram.payload.withUnsafeBytes { whole in
                var bytes = whole
                if case .opened(let content) = opener.open(whole, from: datagram.source, to: datagram.destination) {
                    bytes = content.plaintext
                } else if !capture.isKnet || capture.isProtected {
                    return false
                }
                switch capture.dialect(of: datagram.source.description) {
                case .totem2005: return try Self.isRewritten(bytes, OpenAIS2005.self)
                case .openais080: return try Self.isRewritten(bytes, OpenAIS080.self)
                case .corosync1: return try Self.isRewritten(bytes, Corosync1.self)
                case .corosync2: return try Self.isRewritten(bytes, Corosync2.self)
                default: break
                }
                let byteOrder = KnetPacket.byteOrder(of: bytes)
                let packet = try KnetPacket(reading: bytes, byteOrder: byteOrder)
                guard try packet.bytes(byteOrder: byteOrder, payload: bytes[packet.payload.range]).elementsEqual(bytes) else {
                    return false
                }
                guard case .data(let data) = packet.body else { return true }
                let payload = UnsafeRawBufferPointer(rebasing: bytes[data.payload.range])
                let (source, destination) = (datagram.source.address, datagram.destination.address)
                switch knet.add(data, payload, from: packet.node, at: source, to: destination, mark: datagram.frame) {
                case .whole: return try Self.isRewritten(payload, Corosync3.self)
                case .complete:
                    let message = knet.message
                    return try message.withUnsafeBytes { try Self.isRewritten($0, Corosync3.self) }
                case .incomplete, .repeated, .repeatedFragment: return true
                case .invalid: return false
                }
            }
            guard isRight else {
                Issue.record("frame \(datagram.frame) of \(capture.name)")
                return
            }
            messages += 1
        }
        #expect(messages > 90)
    }
}
