import TotemWire
import WireFormat

/// Puts the messages of one sender together again from totempg packets in total order (reference/totem-wire.md 5.4).
///
/// Where a piece is missing, the message that it belongs to is lost, and nothing else: the daemons also lose what shares the packet
/// with its last piece.
struct Assembler: Sendable {
    /// Bytes that the daemons keep room for: the longest message and one packet more (struct assembly totempg.c:199).
    static let sizeLimit = (1 << 20) + 65_536

    /// The beginning of a message whose rest is to come.
    private var partial: [UInt8] = []
    /// `fragmented` of the packet that brought the last piece of it; 0 when no message is open.
    private var lastFragment: UInt8 = 0
    /// Whether the open message is incomplete and will be dropped.
    private var isDiscarding = false

    /// Takes a packet and calls `deliver` for each message that it completes. Returns false when a message was lost.
    mutating func receive(
        _ packet: borrowing ProcessGroupPacket,
        in bytes: UnsafeRawBufferPointer,
        deliver: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        var isWhole = true
        if packet.continuation != lastFragment {
            // Either a piece is missing, or a sender that began anew left its last message unfinished.
            isWhole = false
            partial.removeAll(keepingCapacity: true)
            isDiscarding = packet.continuation != 0
        }
        var offset = packet.data.start
        let last = packet.messageLengths.count - 1
        for index in packet.messageLengths.indices {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(packet.messageLengths[index])])
            offset += piece.count
            let continues = index == last && packet.fragmented != 0
            if isDiscarding {
                isDiscarding = continues
            } else if continues || !partial.isEmpty {
                guard partial.count + piece.count <= Self.sizeLimit else {
                    isWhole = false
                    isDiscarding = continues
                    partial = []
                    continue
                }
                partial.append(contentsOf: piece)
                if !continues {
                    partial.withUnsafeBytes(deliver)
                    partial.removeAll(keepingCapacity: true)
                }
            } else {
                deliver(piece)
            }
        }
        lastFragment = packet.fragmented
        return isWhole
    }
}
