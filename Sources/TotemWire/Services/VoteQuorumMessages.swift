import WireFormat

/// Functions of the votequorum service (votequorum.c:144-147 of 3.1.7).
public enum VoteQuorumFunction: UInt16, Sendable, Hashable, CaseIterable {
    case nodeinfo = 0
    case reconfigure = 1
    case qdeviceReg = 2
    case qdeviceReconfigure = 3
    /// Of the version after 3.1.9, not released yet.
    case qdeviceSetExtraInfo = 4
}

/// Flags of a node in `votequorum.nodeinfo` (votequorum.c:169-176 of 3.1.7).
public struct VoteQuorumFlags: OptionSet, Sendable, Hashable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The node's partition is quorate.
    public static let quorate = VoteQuorumFlags(rawValue: 1)
    /// The node leaves for good; the others lower expected votes.
    public static let leaving = VoteQuorumFlags(rawValue: 2)
    /// The node still waits for all nodes to have been present once.
    public static let waitForAllStatus = VoteQuorumFlags(rawValue: 4)
    /// The node has not met another one since it started.
    public static let first = VoteQuorumFlags(rawValue: 8)
    /// A quorum device is registered.
    public static let qdeviceRegistered = VoteQuorumFlags(rawValue: 16)
    /// The quorum device answers.
    public static let qdeviceAlive = VoteQuorumFlags(rawValue: 32)
    /// The quorum device gives its vote to this node.
    public static let qdeviceCastVote = VoteQuorumFlags(rawValue: 64)
    /// The partition with the quorum device's vote wins.
    public static let qdeviceMasterWins = VoteQuorumFlags(rawValue: 128)
    /// The quorum device has told more about itself; of the version after 3.1.9.
    public static let qdeviceExtraInfoSet = VoteQuorumFlags(rawValue: 256)

    /// How the word is shown.
    @usableFromInline
    static let format = FieldFormat.flags([
        FlagLabel(1, "QUORATE"), FlagLabel(2, "LEAVING"), FlagLabel(4, "WFASTATUS"), FlagLabel(8, "FIRST"),
        FlagLabel(16, "QDEVICE_REGISTERED"), FlagLabel(32, "QDEVICE_ALIVE"), FlagLabel(64, "QDEVICE_CAST_VOTE"),
        FlagLabel(128, "QDEVICE_MASTER_WINS"), FlagLabel(256, "QDEVICE_EXTRA_INFO_SET"),
    ])
}

/// `votequorum.nodeinfo`: votes and state of a node, or of the quorum device (votequorum.c:104 of 3.1.7).
public struct VoteQuorumNodeInfo: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "nodeinfo" }

    /// The header.
    public var header = ServiceHeader(.votequorum, function: VoteQuorumFunction.nodeinfo.rawValue, size: 32)
    /// The node; 0 is the quorum device.
    public var nodeid: UInt32 = 0
    /// Its votes.
    public var votes: UInt32 = 0
    /// Votes that it expects in the whole cluster.
    public var expectedVotes: UInt32 = 0
    /// See `VoteQuorumFlags`.
    public var flags: UInt32 = 0

    public init() {}

    /// The record of node `nodeid`.
    public init(nodeid: UInt32, votes: UInt32, expectedVotes: UInt32, flags: VoteQuorumFlags) {
        self.nodeid = nodeid
        self.votes = votes
        self.expectedVotes = expectedVotes
        self.flags = flags.rawValue
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("nodeid", &nodeid)
        try visitor.field("votes", &votes)
        try visitor.field("expected_votes", &expectedVotes)
        try visitor.field("flags", &flags, VoteQuorumFlags.format)
    }
}

/// `votequorum.reconfigure`: an administrator changes votes (votequorum.c:112 of 3.1.7).
public struct VoteQuorumReconfigure: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "reconfigure" }

    /// What is changed (`param` on the wire).
    public enum Parameter: UInt8, Sendable, Hashable {
        case expectedVotes = 1
        case nodeVotes = 2
        case cancelWaitForAll = 3
    }

    /// The header.
    public var header = ServiceHeader(.votequorum, function: VoteQuorumFunction.reconfigure.rawValue, size: 32)
    /// The node whose votes change; for the other parameters the sender.
    public var nodeid: UInt32 = 0
    /// The new value.
    public var value: UInt32 = 0
    /// What is changed: 1 expected votes, 2 votes of a node, 3 wait_for_all is over.
    public var param: UInt8 = 0
    /// Bytes behind `param`: three declared ones and four of the structure's alignment.
    public var pad = InlineBytes<7>()

    public init() {}

    /// Sets `parameter` to `value`.
    public init(_ parameter: Parameter, value: UInt32, nodeid: UInt32) {
        param = parameter.rawValue
        self.value = value
        self.nodeid = nodeid
    }

    @usableFromInline
    static let parameters = FieldFormat.labelled { value in
        switch value {
        case 1: "expected votes"
        case 2: "node votes"
        case 3: "cancel wait_for_all"
        default: nil
        }
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("nodeid", &nodeid)
        try visitor.field("value", &value)
        try visitor.field("param", &param, Self.parameters)
        try visitor.field("pad", &pad.bytes, .padding)
    }
}

/// `votequorum.qdevice-reg`: a quorum device registers or unregisters (votequorum.c:122 of 3.1.7).
public struct VoteQuorumQdeviceRegistration: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "qdevice-reg" }

    /// The header.
    public var header = ServiceHeader(.votequorum, function: VoteQuorumFunction.qdeviceReg.rawValue, size: 280)
    /// 0 unregister, 1 register.
    public var operation: UInt32 = 0
    /// Name of the device, padded with NUL to 255 bytes.
    public var name: [UInt8] = []
    /// Bytes behind the name.
    public var pad = InlineBytes<5>()

    public init() {}

    /// Registers the device `name`, of which 254 bytes are sent.
    public init(registering name: [UInt8]) {
        operation = 1
        let used = name.prefix(254)
        self.name = used + Array(repeating: 0, count: 255 - used.count)
    }

    @usableFromInline
    static let operations = FieldFormat.labelled { $0 == 0 ? "unregister" : $0 == 1 ? "register" : nil }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("operation", &operation, Self.operations)
        try visitor.field("name", &name, count: 255, .text)
        try visitor.field("pad", &pad.bytes, .padding)
    }
}

/// `votequorum.qdevice-reconfigure`: the quorum device gets another name (votequorum.c:128 of 3.1.7).
public struct VoteQuorumQdeviceReconfigure: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "qdevice-reconfigure" }

    /// The header.
    public var header = ServiceHeader(.votequorum, function: VoteQuorumFunction.qdeviceReconfigure.rawValue, size: 528)
    /// Present name, padded with NUL to 255 bytes.
    public var oldname: [UInt8] = []
    /// New name, padded with NUL to 255 bytes.
    public var newname: [UInt8] = []
    /// Bytes behind the names.
    public var pad = InlineBytes<2>()

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("oldname", &oldname, count: 255, .text)
        try visitor.field("newname", &newname, count: 255, .text)
        try visitor.field("pad", &pad.bytes, .padding)
    }
}

/// `votequorum.qdevice-set-extra-info`: what the quorum device of a node tells about itself, of the version after 3.1.9
/// (votequorum.c:134 of 9d359038).
public struct VoteQuorumQdeviceExtraInfo: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "votequorum" }
    public static var messageName: StaticString { "qdevice-set-extra-info" }

    /// The header.
    public var header = ServiceHeader(.votequorum, function: VoteQuorumFunction.qdeviceSetExtraInfo.rawValue, size: 24)
    /// The node.
    public var nodeid: UInt32 = 0
    /// Length of what it tells in bytes.
    public var extraInfoSize: UInt32 = 0
    /// What it tells.
    public var extraInfo = ByteRange()

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("nodeid", &nodeid)
        try visitor.field("ei_size", &extraInfoSize)
        try visitor.payload("extra_info", &extraInfo)
    }
}
