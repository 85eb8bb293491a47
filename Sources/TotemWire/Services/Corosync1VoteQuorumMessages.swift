import WireFormat

/// `votequorum.nodeinfo` of corosync 1: votes and state of the sender, 48 bytes (reference/totem-services.md 7.3; services/votequorum.c:396@fl).
public struct Corosync1NodeInfo: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "nodeinfo" }

    /// The header.
    public var header = ServiceHeader(of: .corosync1)
    /// Whether it is the sender's first.
    public var firstTransition: UInt32 = 0
    /// Its votes.
    public var votes: UInt32 = 0
    /// Votes that it expects in the whole cluster.
    public var expectedVotes: UInt32 = 0
    /// Version of the protocol: 7.0.0. Members with another major version are ignored.
    public var majorVersion: UInt32 = 0
    public var minorVersion: UInt32 = 0
    public var patchVersion: UInt32 = 0
    /// Version of the configuration.
    public var configVersion: UInt32 = 0
    /// NODE_FLAGS_*.
    public var flags: UInt32 = 0

    public init() {}

    /// services/votequorum.c:90@fl.
    static let flagLabels = FieldFormat.flags([
        FlagLabel(1, "BEENDOWN"), FlagLabel(8, "SEESDISALLOWED"), FlagLabel(16, "HASSTATE"), FlagLabel(32, "QDISK"),
        FlagLabel(64, "REMOVED"), FlagLabel(128, "US"),
    ])

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("first_trans", &firstTransition)
        try visitor.field("votes", &votes)
        try visitor.field("expected_votes", &expectedVotes)
        try visitor.field("major", &majorVersion)
        try visitor.field("minor", &minorVersion)
        try visitor.field("patch", &patchVersion)
        try visitor.field("config_version", &configVersion)
        try visitor.field("flags", &flags, Self.flagLabels)
    }
}

/// `votequorum.reconfigure` of corosync 1: an administrator changes votes, or a node leaves (services/votequorum.c:415@fl).
public struct Corosync1Reconfigure: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "reconfigure" }

    /// What is changed (`param` on the wire).
    public enum Parameter: UInt32, Sendable, Hashable {
        case expectedVotes = 1
        case nodeVotes = 2
        case leaving = 3
    }

    /// The header.
    public var header = ServiceHeader(of: .corosync1)
    /// What is changed: 1 expected votes, 2 votes of a node, 3 the node leaves.
    public var param: UInt32 = 0
    /// The node.
    public var nodeid: UInt32 = 0
    /// The new value.
    public var value: UInt32 = 0
    /// Bytes behind the value, for the structure's alignment.
    public var pad: UInt32 = 0

    public init() {}

    /// Sets `parameter` of node `nodeid` to `value`.
    public init(_ parameter: Parameter, value: UInt32, nodeid: UInt32) {
        header = ServiceHeader(.votequorum, function: VoteQuorumFunction.reconfigure.rawValue, size: 32, of: .corosync1)
        param = parameter.rawValue
        self.nodeid = nodeid
        self.value = value
    }

    static let parameters = FieldFormat.labelled { value in
        switch UInt32(exactly: value).flatMap({ Parameter(rawValue: $0) }) {
        case .expectedVotes: "expected votes"
        case .nodeVotes: "node votes"
        case .leaving: "leaving"
        case nil: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("param", &param, Self.parameters)
        try visitor.field("nodeid", &nodeid)
        try visitor.field("value", &value)
        try visitor.field("pad", &pad, .padding)
    }
}

/// `votequorum.killnode` of corosync 1: the node that it names exits (services/votequorum.c:422@fl).
public struct Corosync1VoteQuorumKill: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "killnode" }

    /// Function number of the service.
    public static let function: UInt16 = 2

    /// The header.
    public var header = ServiceHeader(of: .corosync1)
    /// Why: 1 rejected, 2 a program wants it, 3 it came back with its old state (ipc_votequorum.h:96@fl).
    public var reason: UInt32 = 0
    /// The node that is to exit.
    public var nodeid: UInt32 = 0

    public init() {}

    static let reasons = FieldFormat.labelled { value in
        switch value {
        case 1: "rejected"
        case 2: "application"
        case 3: "rejoin"
        default: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("reason", &reason, Self.reasons)
        try visitor.field("nodeid", &nodeid)
    }
}
