import WireFormat

/// The 20 bytes that every datagram of cman-3, cman-4 and cman-5 begins with (reference/cman-wire.md 2.1).
public struct CmanHeader: WireStructure, Hashable {
    /// Bytes it takes.
    public static let size = 20

    /// Port the message is for: 0 protocol, 1 membership, 2 service manager, others are programs'.
    public var targetPort: UInt8 = 0
    /// Port of the sender; 0 for the node itself.
    public var sourcePort: UInt8 = 0
    /// The sender's running number of this message; 0 only in ACK.
    public var sequence: UInt16 = 0
    /// The last reliable message that was received from the target; 0 for none.
    public var acknowledgement: UInt16 = 0
    /// Hash of the cluster's name, `cmanClusterNumber`.
    public var cluster: UInt16 = 0
    /// How the message is to be treated.
    public var flags = CmanFlags()
    /// The sender's node id; 0 while it joins.
    public var sourceID: Int32 = 0
    /// The receiver's node id; 0 for all, and in unicasts to nodes that have no id yet.
    public var targetID: Int32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("target_port", &targetPort)
        try visitor.field("source_port", &sourcePort)
        try visitor.field("sequence", &sequence, order: .little, .decimal)
        try visitor.field("ack", &acknowledgement, order: .little, .decimal)
        try visitor.field("cluster", &cluster, order: .little, .decimal)
        try visitor.field("flags", &flags.rawValue, order: .little, .flags(CmanFlags.labels))
        try visitor.field("source_id", &sourceID, order: .little, .decimal)
        try visitor.field("target_id", &targetID, order: .little, .decimal)
    }
}

/// The flag word of a header. It is the sender's socket flag word, so that any bit can appear; receivers test bits and ignore the
/// rest (reference/cman-wire.md 2.2).
public struct CmanFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Linux's MSG_DONTWAIT, which daemons leave in what they send at once. Without meaning on the wire.
    public static let dontWait = CmanFlags(rawValue: 0x40)
    /// Neither acknowledged nor checked for duplicates.
    public static let noAck = CmanFlags(rawValue: 0x1_0000)
    /// Local to the sender: queue for later.
    public static let queue = CmanFlags(rawValue: 0x2_0000)
    /// Has no single target; who is no member takes it only with `noAck`.
    public static let multicast = CmanFlags(rawValue: 0x8_0000)
    /// Local to the sender: send on all interfaces.
    public static let allInterfaces = CmanFlags(rawValue: 0x10_0000)
    /// A reply will carry the acknowledgement.
    public static let replyExpected = CmanFlags(rawValue: 0x20_0000)
    /// Local to the sender: deliver to its own programs too.
    public static let broadcastSelf = CmanFlags(rawValue: 0x40_0000)

    static let labels = [
        FlagLabel(0x40, "DONTWAIT"), FlagLabel(0x1_0000, "NOACK"), FlagLabel(0x2_0000, "QUEUE"), FlagLabel(0x8_0000, "MULTICAST"),
        FlagLabel(0x10_0000, "ALLINT"), FlagLabel(0x20_0000, "REPLYEXP"), FlagLabel(0x40_0000, "BCASTSELF"),
    ]
}

/// The number that a cluster's name is hashed to and that every header carries (reference/cman-wire.md 1.4). Names can collide.
public func cmanClusterNumber(_ name: some Sequence<UInt8>) -> UInt16 {
    // The original adds a C char, which is signed on x86; the low 16 bits of the sum are all that is kept.
    name.reduce(0) { $0 &* 2 &+ UInt16(bitPattern: Int16(Int8(bitPattern: $1))) }
}
