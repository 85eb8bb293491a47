import WireFormat

/// What every datagram begins with: 20 bytes since cman-3 (reference/cman-wire.md 2.1), 16 bytes before (12.1).
public struct CmanHeader: WireStructure, Hashable {
    /// Bytes it takes since cman-3.
    public static let size = 20
    /// Bytes it takes in cman-2a and cman-2b.
    public static let shortSize = 16

    /// Where the cluster number is: at another place in the short header, so that old and new nodes ignore each other.
    public static func clusterOffset(hasShortHeader: Bool) -> Int { hasShortHeader ? 2 : 6 }

    /// Port the message is for: 0 protocol, 1 membership, 2 service manager, others are programs'.
    public var targetPort: UInt8 = 0
    /// Port of the sender; 0 for the node itself. The short header has no place for it.
    public var sourcePort: UInt8 = 0
    /// The sender's running number of this message; 0 only in ACK.
    public var sequence: UInt16 = 0
    /// The last reliable message that was received from the target; 0 for none. Not in cman-2a.
    public var acknowledgement: UInt16 = 0
    /// Hash of the cluster's name, `cmanClusterNumber`.
    public var cluster: UInt16 = 0
    /// How the message is to be treated. The short header has only the upper half of the word, less its upper byte.
    public var flags = CmanFlags()
    /// The sender's node id; 0 while it joins.
    public var sourceID: Int32 = 0
    /// The receiver's node id; 0 for all, and in unicasts to nodes that have no id yet.
    public var targetID: Int32 = 0
    /// The two bytes where cman-2b has `acknowledgement`, in cman-2a.
    private var pad: UInt16 = 0

    public init() {}

    /// Shows the fields of `generation`'s header to `visitor`.
    @inline(__always)
    mutating func visit<V: WireVisitor>(_ visitor: inout V, of generation: CmanGeneration) throws(WireError) {
        if generation.hasShortHeader {
            try visitShort(&visitor, hasAcknowledgement: generation == .cman2b)
        } else {
            try visit(&visitor)
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("target_port", &targetPort, .labelled(CmanPort.label))
        try visitor.field("source_port", &sourcePort)
        try visitor.field("sequence", &sequence, order: .little, .decimal)
        try visitor.field("ack", &acknowledgement, order: .little, .decimal)
        try visitor.field("cluster", &cluster, order: .little, .decimal)
        try visitor.field("flags", &flags.rawValue, order: .little, .flags(CmanFlags.labels))
        try visitor.field("source_id", &sourceID, order: .little, .decimal)
        try visitor.field("target_id", &targetID, order: .little, .decimal)
    }

    private mutating func visitShort<V: WireVisitor>(_ visitor: inout V, hasAcknowledgement: Bool) throws(WireError) {
        try visitor.field("target_port", &targetPort, .labelled(CmanPort.label))
        var upperFlags = UInt8(truncatingIfNeeded: flags.rawValue >> CmanFlags.shortHeaderShift)
        try visitor.field("flags", &upperFlags, .flags(CmanFlags.shortLabels))
        flags = CmanFlags(rawValue: UInt32(upperFlags) << CmanFlags.shortHeaderShift)
        try visitor.field("cluster", &cluster, order: .little, .decimal)
        try visitor.field("sequence", &sequence, order: .little, .decimal)
        if hasAcknowledgement {
            try visitor.field("ack", &acknowledgement, order: .little, .decimal)
        } else {
            try visitor.field("header.pad", &pad, order: .little, .padding)
        }
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

    /// All that a sender can mean by a flag; other bits are left over from something else.
    public static let known: CmanFlags = [.dontWait, .noAck, .queue, .multicast, .allInterfaces, .replyExpected, .broadcastSelf]

    /// Whether they make sense in big-endian order only. ACK of every generation, and everything in cman-3 before 2004-11-30, has its
    /// flags in the sender's order (reference/cman-wire.md 2.3, 12.1).
    public var areBigEndian: Bool {
        !Self.known.isSuperset(of: self) && Self.known.isSuperset(of: CmanFlags(rawValue: rawValue.byteSwapped))
    }

    /// What the sender means by them, whatever its byte order is.
    public var meant: CmanFlags { areBigEndian ? CmanFlags(rawValue: rawValue.byteSwapped) : self }

    /// By how many bits the word of cman-3 and later is shifted to fit into the byte of the short header.
    static let shortHeaderShift: UInt32 = 16

    static let shortLabels = labels.filter { $0.mask >> UInt64(shortHeaderShift) > 0 }
        .map { FlagLabel($0.mask >> UInt64(shortHeaderShift), $0.name) }

    /// The flags' names.
    public static let labels = [
        FlagLabel(0x40, "DONTWAIT"), FlagLabel(0x1_0000, "NOACK"), FlagLabel(0x2_0000, "QUEUE"), FlagLabel(0x8_0000, "MULTICAST"),
        FlagLabel(0x10_0000, "ALLINT"), FlagLabel(0x20_0000, "REPLYEXP"), FlagLabel(0x40_0000, "BCASTSELF"),
    ]
}

/// The number that a cluster's name is hashed to and that every header carries (reference/cman-wire.md 1.4). Names can collide.
public func cmanClusterNumber(_ name: some Sequence<UInt8>) -> UInt16 {
    // The original adds a C char, which is signed on x86; the low 16 bits of the sum are all that is kept.
    name.reduce(0) { $0 &* 2 &+ UInt16(bitPattern: Int16(Int8(bitPattern: $1))) }
}
