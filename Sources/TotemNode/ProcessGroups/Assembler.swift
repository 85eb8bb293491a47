import TotemWire
import WireFormat

/// Puts the messages of one sender together again from totempg packets in total order (reference/totem-wire.md 5.4).
///
/// Where a piece is missing, everything is lost up to and with the next packet that ends with a whole message, as in the daemons: members
/// that save more than others would deliver what the others do not. (After a packet whose `fragmented` is 1 the daemons go on one packet
/// earlier if the last number they saw was 1 too, with the wrong bytes.)
package struct Assembler: Sendable {
    /// Bytes that the daemons keep room for: the longest message and one packet more (struct assembly totempg.c:199).
    static let sizeLimit = (1 << 20) + 65_536

    /// The beginning of a message whose rest is to come.
    private var partial: [UInt8] = []
    /// `fragmented` of the packet that brought the last piece of it; 0 when no message is open.
    private var lastFragment: UInt8 = 0
    /// Whether packets are thrown away until one ends with a whole message (throw_away_mode).
    private var isDiscarding = false

    /// No message is open.
    package init() {}

    /// Takes a packet and calls `deliver` for each message that it completes. Returns false when a message was lost.
    package mutating func receive(
        _ packet: borrowing ProcessGroupPacket,
        in bytes: UnsafeRawBufferPointer,
        deliver: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        guard !isDiscarding, packet.continuation == lastFragment else {
            discard(packet)
            return false
        }
        lastFragment = packet.fragmented
        var offset = packet.data.start
        let last = packet.messageLengths.count - 1
        for index in packet.messageLengths.indices {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(packet.messageLengths[index])])
            offset += piece.count
            let continues = index == last && packet.fragmented != 0
            guard continues || !partial.isEmpty else {
                deliver(piece)
                continue
            }
            guard partial.count + piece.count <= Self.sizeLimit else {
                discard(packet)
                return false
            }
            partial.append(contentsOf: piece)
            if !continues {
                partial.withUnsafeBytes(deliver)
                partial.removeAll(keepingCapacity: true)
            }
        }
        return true
    }

    /// Throws away `packet`, and what follows unless it ends with a whole message.
    private mutating func discard(_ packet: borrowing ProcessGroupPacket) {
        partial.removeAll()
        lastFragment = 0
        isDiscarding = packet.fragmented != 0
    }
}
