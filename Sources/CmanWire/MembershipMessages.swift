import WireFormat

/// LEAVE: the sender leaves (reference/cman-wire.md 4.3).
public struct CmanLeave: WireStructure {
    /// Leave reason, 0x10 added when forced.
    public var reason: UInt8 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("reason", &reason, .labelled(leaveReasonLabel))
    }
}

/// HELLO: the sender is alive (reference/cman-wire.md 4.4).
public struct CmanHello: WireStructure {
    /// The form that a transition's client sends to its master, to be acknowledged.
    public static let masterFlag: UInt8 = 1
    /// The sender believes that its cluster is quorate.
    public static let quorateFlag: UInt8 = 2

    private static let flagLabels = [FlagLabel(1, "MASTER"), FlagLabel(2, "QUORATE")]

    /// `masterFlag`, `quorateFlag`.
    public var flags: UInt8 = 0
    /// Number of members, the sender included.
    public var members: UInt16 = 0
    /// Generation of the cluster.
    public var generation: UInt32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("hello.flags", &flags, .flags(Self.flagLabels))
        try visitor.field("members", &members, order: .little, .decimal)
        try visitor.field("generation", &generation, order: .little, .decimal)
    }
}

/// JOINACK: first answer to a JOINREQ (reference/cman-wire.md 4.6).
public struct CmanJoinAck: WireStructure {
    /// `CmanJoinAnswer`.
    public var type: UInt8 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, .labelled(CmanJoinAnswer.label))
    }
}

/// ENDTRANS: what the members agreed on (reference/cman-wire.md 4.7).
public struct CmanEndTrans: WireStructure {
    private var pad1: UInt8 = 0
    private var pad2: UInt16 = 0
    /// Votes needed.
    public var quorum: UInt32 = 0
    /// Votes present.
    public var totalVotes: UInt32 = 0
    /// The new generation.
    public var generation: UInt32 = 0
    /// Id of the node that joined, 0 when none did.
    public var newNodeID: UInt32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("pad1", &pad1, .padding)
        try visitor.field("pad2", &pad2, order: .little, .padding)
        try visitor.field("quorum", &quorum, order: .little, .decimal)
        try visitor.field("total_votes", &totalVotes, order: .little, .decimal)
        try visitor.field("generation", &generation, order: .little, .decimal)
        try visitor.field("new_node_id", &newNodeID, order: .little, .decimal)
    }
}

/// RECONFIG: an administrator changed votes or the configuration's version (reference/cman-wire.md 4.8).
public struct CmanReconfig: WireStructure {
    /// `CmanParameter`.
    public var parameter: UInt8 = 0
    private var pad: UInt16 = 0
    /// Its new value.
    public var value: UInt32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("param", &parameter, .labelled(CmanParameter.label))
        try visitor.field("pad", &pad, order: .little, .padding)
        try visitor.field("value", &value, order: .little, .decimal)
    }
}

/// VIEWACK: whether the sender sees the members as the master does (reference/cman-wire.md 4.10).
public struct CmanViewAck: WireStructure {
    /// 1 agrees, anything else does not.
    public var opinion: UInt8 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("opinion", &opinion, .labelled(opinionLabel))
    }
}

/// STARTACK: the sender takes part in a transition (reference/cman-wire.md 4.11, 12.1).
public struct CmanStartAck: Sendable {
    private var reason: UInt8 = 0
    private var pad: UInt16 = 0
    /// Generation of the STARTTRANS that it answers.
    public var generation: UInt32 = 0
    /// Up to cman-3: the id that the sender knows for the node that joins, 0 for none.
    public var nodeID: UInt32 = 0
    /// Up to cman-3: the highest id that the sender knows.
    public var highestNodeID: UInt32 = 0

    public init() {}

    mutating func visit<V: WireVisitor>(_ visitor: inout V, of wireGeneration: CmanGeneration) throws(WireError) {
        try visitor.field("reason", &reason, .padding)
        try visitor.field("pad", &pad, order: .little, .padding)
        try visitor.field("generation", &generation, order: .little, .decimal)
        guard wireGeneration <= .cman3 else { return }
        try visitor.field("node_id", &nodeID, order: .little, .decimal)
        try visitor.field("highest_node_id", &highestNodeID, order: .little, .decimal)
    }
}

/// NEWCLUSTER: the sender is about to form a cluster (reference/cman-wire.md 4.15).
public struct CmanNewCluster: Sendable {
    /// The lower value wins.
    public var value: UInt32 = 0
    /// Whether it has a value: before 2004-09-08, in cman-2a and some of cman-2b, the command was all (12.1).
    public var hasValue = true

    public init() {}

    mutating func visit<V: WireVisitor>(_ visitor: inout V, of generation: CmanGeneration) throws(WireError) {
        switch generation {
        case .cman2a: hasValue = false
        case .cman2b where V.purpose == .read: hasValue = visitor.remaining > 0
        case .cman2b: break
        case .cman3, .cman4, .cman5: hasValue = true
        }
        if hasValue { try visitor.field("value", &value, order: .little, .hexadecimal) }
    }
}

/// NODEDOWN: a node is no member any more (reference/cman-wire.md 4.13).
public struct CmanNodeDown: WireStructure {
    /// Leave reason.
    public var reason: UInt8 = 0
    private var pad: UInt16 = 0
    /// The node.
    public var nodeID: UInt32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("reason", &reason, .labelled(leaveReasonLabel))
        try visitor.field("pad", &pad, order: .little, .padding)
        try visitor.field("node_id", &nodeID, order: .little, .decimal)
    }
}
