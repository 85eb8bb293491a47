import TotemWire
import WireFormat

/// A run of knet packets, and the messages that their fragments make.
struct KnetTarget: FuzzTarget {
    func run(_ input: UnsafeRawBufferPointer) {
        var defragmenter = KnetDefragmenter()
        var mark = 0
        for packet in PacketRun(input) {
            guard KnetPacket.isRecognised(packet),
                let parsed = try? KnetPacket(reading: packet, byteOrder: KnetPacket.byteOrder(of: packet))
            else { continue }
            guard let written = try? parsed.bytes(of: packet) else { fatalError("cannot be written") }
            expectSame(written, packet, "knet")
            mark += 1
            let source = IPAddress(ipv4: UInt32(mark % 3))
            switch parsed.body {
            case .data(let data):
                _ = defragmenter.add(
                    data,
                    UnsafeRawBufferPointer(rebasing: packet[data.payload.range]),
                    from: parsed.node,
                    at: source,
                    to: IPAddress(ipv4: 9),
                    mark: mark
                )
            case .ping(let ping), .pong(let ping): defragmenter.note(ping, from: parsed.node, at: source, to: IPAddress(ipv4: 9))
            default: break
            }
        }
    }
}
