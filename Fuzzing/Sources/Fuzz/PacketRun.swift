/// Packets one after the other, each behind its length in two bytes, little-endian. A length beyond the end means all that is left.
struct PacketRun: Sequence, IteratorProtocol {
    private var rest: UnsafeRawBufferPointer

    init(_ input: UnsafeRawBufferPointer) {
        rest = input
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        guard rest.count >= 2 else { return nil }
        let length = Int(rest[0]) | Int(rest[1]) << 8
        let packet = UnsafeRawBufferPointer(rebasing: rest.dropFirst(2).prefix(length))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(2 + packet.count))
        return packet
    }
}
