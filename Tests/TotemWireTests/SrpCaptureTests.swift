import CaptureSupport
import Captures
import Testing
import TotemWire
import WireFormat

/// Every recorded corosync 3.1.7 ring over udp and udpu, IPv4 and IPv6.
private let captures = CaptureSupport.captureNames(prefix: "corosync/3.1.7-udp")

@Test func theCapturesAreThere() {
    #expect(captures.count >= 23)
}

@Test(arguments: captures)
func everyRecordedPacketIsWrittenAsItWasRead(name: String) throws {
    var kinds: [TotemMessageKind: Int] = [:]
    for datagram in try CaptureSupport.datagrams(of: name) where datagram.destination.port == 5405 {
        try datagram.payload.withUnsafeBytes { bytes in
            let packet = try TotemPacket<Corosync3>(reading: bytes)
            #expect(packet.byteOrder == .little)
            #expect(packet.trailing.count == 0, "frame \(datagram.frame)")
            #expect(try packet.bytes(of: bytes) == datagram.payload, "frame \(datagram.frame)")
            kinds[packet.message.kind, default: 0] += 1
            try checkPayload(of: packet, in: bytes, frame: datagram.frame)
        }
    }
    #expect(kinds[.token, default: 0] > 0)
}

private func checkPayload(of packet: TotemPacket<Corosync3>, in bytes: UnsafeRawBufferPointer, frame: Int) throws {
    guard case .mcast(let mcast) = packet.message else { return }
    let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
    if mcast.header.encapsulated == Mcast<Corosync3>.encapsulatedInRecovery {
        let inner = try TotemPacket<Corosync3>(reading: payload)
        #expect(try inner.bytes(of: payload) == Array(payload), "frame \(frame)")
        try checkPayload(of: inner, in: payload, frame: frame)
        return
    }
    let pieces = try ProcessGroupPacket(reading: payload)
    #expect(pieces.lengthsMatchData, "frame \(frame)")
    #expect(try pieces.bytes(payload: payload[pieces.data.range]) == Array(payload), "frame \(frame)")
    guard pieces.continuation == 0, let first = pieces.messageLengths.first else { return }
    let message = UnsafeRawBufferPointer(rebasing: payload[pieces.data.start..<pieces.data.start + Int(first)])
    let header = try GroupHeader(reading: message)
    #expect(header.names == [Array("a".utf8)] || header.names == [Array("sync".utf8)], "frame \(frame)")
    #expect(try header.bytes(payload: message[header.message.range]) == Array(message), "frame \(frame)")
}

@Test(arguments: captures)
func truncationsOfRecordedPacketsAreErrorsOrShorterMcasts(name: String) throws {
    for datagram in try CaptureSupport.datagrams(of: name) where datagram.destination.port == 5405 && datagram.frame % 37 == 0 {
        for length in stride(from: 0, to: datagram.payload.count, by: 1) {
            let part = Array(datagram.payload[..<length])
            part.withUnsafeBytes { bytes in
                do throws(WireError) {
                    let packet = try TotemPacket<Corosync3>(reading: bytes)
                    #expect(packet.message.kind == .mcast)
                    #expect(try packet.bytes(of: bytes) == part)
                } catch {
                    #expect(error.offset <= length)
                }
            }
        }
    }
}
