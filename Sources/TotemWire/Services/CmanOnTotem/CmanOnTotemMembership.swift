import WireFormat

/// Flags of a node in TRANSITION (cnxman-private.h:146@cman2).
public struct CmanOnTotemNodeFlags: OptionSet, Sendable, Hashable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The node has been down.
    public static let beenDown = CmanOnTotemNodeFlags(rawValue: 1)
    /// The node was fenced since it last went down.
    public static let fenced = CmanOnTotemNodeFlags(rawValue: 2)
    /// The node was fenced while it was up.
    public static let fencedWhileUp = CmanOnTotemNodeFlags(rawValue: 4)
    /// The node sees disallowed nodes.
    public static let seesDisallowed = CmanOnTotemNodeFlags(rawValue: 8)
    /// The node has state and must not join a cluster that has state too.
    public static let dirty = CmanOnTotemNodeFlags(rawValue: 16)
    /// The node read its configuration again; cman3 only.
    public static let reread = CmanOnTotemNodeFlags(rawValue: 32)

    /// How the word is shown.
    static let format = FieldFormat.flags([
        FlagLabel(1, "BEENDOWN"), FlagLabel(2, "FENCED"), FlagLabel(4, "FENCEDWHILEUP"), FlagLabel(8, "SEESDISALLOWED"),
        FlagLabel(16, "DIRTY"), FlagLabel(32, "REREAD"),
    ])
}

/// TRANSITION: what every member says of itself on every new ring, and by which it becomes a member
/// (reference/ais-behaviour.md 3; cnxman-private.h:71@cman2, 45@cman3).
public struct CmanOnTotemTransition: WireStructure, Hashable {
    /// Longest name of a fence agent (MAX_FENCE_AGENT_NAME_LEN).
    public static let fenceAgentLimit = 255

    /// Whether the third word holds the sender's votes, as since cman3, or a node id that nobody reads.
    public let hasVotes: Bool
    /// Whether it is the sender's first.
    public var firstTransition: UInt8 = 0
    /// The 16-bit number made of the cluster's name.
    public var clusterID: UInt16 = 0
    /// The sender's votes, or the highest node id that it knows.
    public var votesOrHighNodeID: Int32 = 0
    /// Votes that the sender expects in the whole cluster.
    public var expectedVotes: Int32 = 0
    /// Version of the protocol: 6, and 1 for cman2 or 2 for cman3.
    public var majorVersion: UInt32 = 0
    public var minorVersion: UInt32 = 0
    public var patchVersion: UInt32 = 0
    /// Version of the configuration file.
    public var configVersion: UInt32 = 0
    /// See `CmanOnTotemNodeFlags`.
    public var flags: UInt32 = 0
    /// When the sender was last fenced, in seconds since 1970.
    public var fenceTime: UInt64 = 0
    /// When the sender joined, in seconds since 1970; the same in all of a daemon's life.
    public var joinTime: UInt64 = 0
    /// The cluster's name up to the first NUL, and whatever lies behind it.
    public var clusterName = InlineBytes<16>()
    /// Who fenced the sender last.
    public var fenceAgent: [UInt8] = []

    public init() {
        self.init(hasVotes: true)
    }

    /// The message as cman on Totem of `generation` sends it.
    public init(of generation: TotemGeneration) {
        self.init(hasVotes: generation == .corosync1)
    }

    init(hasVotes: Bool) {
        self.hasVotes = hasVotes
    }

    /// The shape of the message in `content`, which starts with the command. Rings mix both cmans while they are upgraded, so the minor
    /// version decides, and the generation only where that is cut off.
    init(matching content: UnsafeRawBufferPointer, of generation: TotemGeneration, byteOrder: ByteOrder) {
        let minorOffset = 16
        guard content.count >= minorOffset + 4 else {
            self.init(hasVotes: generation == .corosync1)
            return
        }
        let raw = content.loadUnaligned(fromByteOffset: minorOffset, as: UInt32.self)
        self.init(hasVotes: (byteOrder == .little ? UInt32(littleEndian: raw) : UInt32(bigEndian: raw)) >= 2)
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("first_trans", &firstTransition)
        try visitor.field("cluster_id", &clusterID)
        try visitor.field(hasVotes ? "votes" : "high_nodeid", &votesOrHighNodeID)
        try visitor.field("expected_votes", &expectedVotes)
        try visitor.field("major", &majorVersion)
        try visitor.field("minor", &minorVersion)
        try visitor.field("patch", &patchVersion)
        try visitor.field("config_version", &configVersion)
        try visitor.field("transition.flags", &flags, CmanOnTotemNodeFlags.format)
        try visitor.field("fence_time", &fenceTime)
        try visitor.field("join_time", &joinTime)
        try visitor.field("clustername", &clusterName.bytes, .text)
        try visitor.terminated("fence_agent", &fenceAgent, limit: Self.fenceAgentLimit)
    }
}

/// KILLNODE: the node that it names exits at once (cnxman-private.h:89@cman2). The first cman has no reason.
public struct CmanOnTotemKill: WireStructure, Hashable {
    /// Whether the bytes of the reason mean something.
    public let hasReason: Bool
    /// Bytes after the command.
    public var pad1: UInt8 = 0
    /// Why: 1 rejected, 2 by an administrator, 3 it came back with its old state.
    public var reason: UInt16 = 0
    /// The node that is to exit.
    public var nodeID: Int32 = 0

    public init() {
        self.init(of: .corosync1)
    }

    init(of generation: TotemGeneration) {
        hasReason = generation > .totem2005
    }

    /// Why a node is to exit (`reason` on the wire).
    public enum Reason: UInt16, Sendable, Hashable {
        case rejected = 1
        case cmanTool = 2
        case rejoin = 3
    }

    /// Node `nodeID` is to exit for `reason`, which the first cman does not tell.
    public init(node nodeID: Int32, reason: Reason, of generation: TotemGeneration) {
        self.init(of: generation)
        self.nodeID = nodeID
        if hasReason { self.reason = reason.rawValue }
    }

    static let reasons = FieldFormat.labelled { value in
        switch UInt16(exactly: value).flatMap({ Reason(rawValue: $0) }) {
        case .rejected: "rejected"
        case .cmanTool: "cman_tool"
        case .rejoin: "rejoin"
        case nil: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("pad1", &pad1, .padding)
        if hasReason {
            try visitor.field("reason", &reason, Self.reasons)
        } else {
            try visitor.field("pad2", &reason, .padding)
        }
        try visitor.field("nodeid", &nodeID)
    }
}

/// LEAVE: its sender leaves (cnxman-private.h:96@cman2).
public struct CmanOnTotemLeave: WireStructure, Hashable {
    /// Bytes after the command.
    public var pad1: UInt8 = 0
    /// Why: 0 it goes down, 3 it is removed and quorum may fall; 0x10 says that it was forced.
    public var reason: UInt16 = 0

    public init() {}

    /// Its sender leaves for `reason`.
    public init(reason: UInt16) {
        self.reason = reason
    }

    /// CLUSTER_LEAVEFLAG_* (cnxman-socket.h:87@cman2).
    static let reasons = FieldFormat.labelled { value in
        switch value {
        case 0: "down"
        case 1: "killed"
        case 2: "panic"
        case 3: "removed"
        case 4: "rejected"
        case 5: "inconsistent"
        case 6: "dead"
        case 7: "no response"
        case 0x10: "down, forced"
        case 0x13: "removed, forced"
        default: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("pad1", &pad1, .padding)
        try visitor.field("reason", &reason, Self.reasons)
    }
}

/// RECONFIGURE: an administrator changes votes or announces a new configuration (cnxman-private.h:104@cman2).
public struct CmanOnTotemReconfigure: WireStructure, Hashable {
    /// What is changed (`param` on the wire).
    public enum Parameter: UInt8, Sendable, Hashable, CaseIterable {
        case expectedVotes = 1
        case nodeVotes = 2
        case configVersion = 3
        case ccs = 4
    }

    /// What is changed: see `Parameter`.
    public var param: UInt8 = 0
    /// Bytes after `param`.
    public var pad: UInt16 = 0
    /// The node whose votes change.
    public var nodeID: Int32 = 0
    /// The new value.
    public var value: UInt32 = 0

    public init() {}

    /// Sets `parameter` of node `nodeID` to `value`.
    public init(_ parameter: Parameter, value: UInt32, node nodeID: Int32) {
        param = parameter.rawValue
        self.value = value
        self.nodeID = nodeID
    }

    static let parameters = FieldFormat.labelled { value in
        switch value {
        case 1: "expected votes"
        case 2: "node votes"
        case 3: "config version"
        case 4: "ccs"
        default: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("param", &param, Self.parameters)
        try visitor.field("param.pad", &pad, .padding)
        try visitor.field("nodeid", &nodeID)
        try visitor.field("value", &value)
    }
}

/// FENCESTATUS: whether, when and by whom a node was fenced (cnxman-private.h:112@cman2).
public struct CmanOnTotemFenceStatus: WireStructure, Hashable {
    /// 1 when it was fenced.
    public var fenced: UInt8 = 0
    /// Bytes after `fenced`.
    public var pad: UInt16 = 0
    /// The node.
    public var nodeID: Int32 = 0
    /// When, in seconds since 1970.
    public var seconds: UInt64 = 0
    /// By whom.
    public var agent: [UInt8] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("fenced", &fenced)
        try visitor.field("fenced.pad", &pad, .padding)
        try visitor.field("nodeid", &nodeID)
        try visitor.field("timesec", &seconds)
        try visitor.terminated("agent", &agent, limit: CmanOnTotemTransition.fenceAgentLimit)
    }
}
