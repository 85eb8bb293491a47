import TotemWire

/// Packs messages into totempg packets: small messages share one, large ones are split (reference/totem-wire.md 5.3).
///
/// A message is given in pieces; where a packet ends depends on the pieces' lengths, as in the daemons (mcast_msg
/// totempg.c:870-1047@ma).
struct Packer: Sendable {
    /// Largest packet without its fixed header: lengths and data.
    private let limit: Int
    /// Whether a full packet has its greatest length whatever is in it.
    private let fillsPackets: Bool
    /// Whether the rest of a piece that fills no packet waits, and not only a whole piece.
    private let packsRests: Bool
    /// Header of the packet that is being filled; its lengths are those of the messages that are complete.
    private var packet = ProcessGroupPacket()
    private var data: [UInt8] = []
    /// Bytes of the message that is being packed which lie in this packet.
    private var openLength = 0
    /// What the next packet must say in `continuation`.
    private var continuation: UInt8 = 0
    private var nextFragment: UInt8 = 1

    /// A packer for packets of at most `packetLimit` bytes.
    init(packetLimit: Int, fillsPackets: Bool = false, packsRests: Bool = false) {
        self.fillsPackets = fillsPackets
        self.packsRests = packsRests
        limit = packetLimit - ProcessGroupPacket.fixedSize
        data.reserveCapacity(limit)
    }

    /// What stands in for a packer that is taken out while it calls back.
    static var placeholder: Packer { Packer(packetLimit: ProcessGroupPacket.fixedSize) }

    /// Whether nothing waits to be flushed.
    var isEmpty: Bool { packet.messageLengths.isEmpty }

    /// Bytes that wait, lengths included.
    var waitingBytes: Int { data.count + 2 * packet.messageLengths.count }

    /// Adds a piece of a message; `emit` is called for every packet that fills up.
    mutating func append(
        _ piece: UnsafeRawBufferPointer,
        isLast: Bool,
        emit: (inout ProcessGroupPacket, UnsafeRawBufferPointer) -> Void
    ) {
        var copied = 0
        while true {
            let room = limit - 2 * (packet.messageLengths.count + 1)
            if (packsRests ? piece.count - copied : piece.count) + data.count < room - 2 {
                data.append(contentsOf: piece[copied...])
                openLength += piece.count - copied
                nextFragment = 1
                return
            }
            let count = min(piece.count - copied, room - data.count)
            data.append(contentsOf: piece[copied..<copied + count])
            openLength += count
            copied += count
            var fragmented: UInt8 = 0
            if !isLast || copied < piece.count {
                if nextFragment == 0 { nextFragment = 1 }
                fragmented = nextFragment
                nextFragment &+= 1
            }
            packet.messageLengths.append(UInt16(openLength))
            openLength = 0
            if fillsPackets { data.append(contentsOf: repeatElement(0, count: room - data.count)) }
            send(fragmented: fragmented, emit)
            if copied == piece.count { return }
        }
    }

    /// Ends the message whose pieces were appended.
    mutating func finishMessage() {
        guard openLength > 0 else { return }
        packet.messageLengths.append(UInt16(openLength))
        openLength = 0
    }

    /// Sends what waits in a packet that is not full: the token is here.
    mutating func flush(emit: (inout ProcessGroupPacket, UnsafeRawBufferPointer) -> Void) {
        guard !isEmpty else { return }
        send(fragmented: 0, emit)
    }

    private mutating func send(fragmented: UInt8, _ emit: (inout ProcessGroupPacket, UnsafeRawBufferPointer) -> Void) {
        packet.fragmented = fragmented
        packet.continuation = continuation
        continuation = fragmented
        data.withUnsafeBytes { emit(&packet, $0) }
        packet.messageLengths.removeAll(keepingCapacity: true)
        data.removeAll(keepingCapacity: true)
    }
}
