import WireFormat

/// What an mcast carries: pieces of messages, packed by totempg (reference/totem-wire.md 5.1; struct totempg_mcast totempg.c:114@ma).
public struct ProcessGroupPacket: WireMessage, Equatable {
    public static var protocolName: StaticString { "totempg" }
    public static var messageName: StaticString { "packet" }

    /// 0 since corosync 1, ignored by receivers.
    public var version: Int16 = 0
    /// 0 since corosync 2, ignored by receivers.
    public var type: Int16 = 0
    /// 0 when the last message ends here; otherwise the number of this fragment, 1...255.
    public var fragmented: UInt8 = 0
    /// 0 when the first message starts here; otherwise `fragmented` of the sender's previous packet.
    public var continuation: UInt8 = 0
    /// Number of bytes of each message, or piece of one, in `data`.
    public var messageLengths: [UInt16] = []
    /// The messages, one behind the other.
    public var data = ByteRange()

    public init() {}

    /// Bytes in front of the lengths.
    public static var fixedSize: Int { 8 }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("version", &version)
        try visitor.field("type", &type)
        try visitor.field("fragmented", &fragmented)
        try visitor.field("continuation", &continuation)
        var count = UInt16(truncatingIfNeeded: messageLengths.count)
        try visitor.field("msg_count", &count)
        try visitor.list("msg_lens", &messageLengths, count: Int(count), .decimal)
        try visitor.payload("data", &data)
    }

    /// Whether receivers of `generation` take the packet. Until corosync 1 a full fragment was sent with its greatest length, whatever was
    /// in it, so bytes behind the messages mean nothing (reference/totem-wire.md 5.3).
    @inlinable
    public func lengthsAreSound(in generation: TotemGeneration) -> Bool {
        generation >= .corosync2 ? lengthsMatchData : messageLengths.reduce(0) { $0 + Int($1) } <= data.count
    }

    /// Whether the lengths add up to the data; daemons since 2.4.6 and 3.0.3 drop the packet otherwise (reference/totem-wire.md 5.4).
    @inlinable
    public var lengthsMatchData: Bool {
        messageLengths.reduce(0) { $0 + Int($1) } == data.count
    }
}
