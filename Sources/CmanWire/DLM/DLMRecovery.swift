import WireFormat

/// What a message of recovery is about (reference/cman-wire.md 12.2).
public enum DLMRecoveryCommand: UInt8, CaseIterable, Hashable, Sendable {
    case status = 1
    case recoverNames = 2
    case getMaster = 3
    case bulkLookup = 4
    case newLocks = 5
    case newLockIDs = 6
    case removeResourceData = 7

    /// Its name.
    public static func label(_ value: UInt64) -> StaticString? {
        switch value {
        case 1: "STATUS"
        case 2: "RECOVERNAMES"
        case 3: "GETMASTER"
        case 4: "BULKLOOKUP"
        case 5: "NEWLOCKS"
        case 6: "NEWLOCKIDS"
        case 7: "REMRESDATA"
        default: nil
        }
    }
}

/// A message of recovery (reference/cman-wire.md 12.2). What it holds is told apart by dlm-kernel/src/reccomms.c:166-300 of
/// ClusterLabs/resource-agents at 557f5e9b.
public struct DLMRecovery: WireStructure {
    /// Bytes without the data.
    static let size = 8
    /// Where the data's length is, from the end of the header on.
    static let dataLengthOffset = 4

    private static let statusLabels = [
        FlagLabel(1, "RESDIR_VALID"), FlagLabel(2, "RESDIR_ALL_VALID"), FlagLabel(4, "NODES_VALID"), FlagLabel(8, "NODES_ALL_VALID"),
    ]

    /// Whether it answers another; the header says so.
    var isReply = false
    /// Number of the message, which its reply repeats.
    public var messageID: UInt32 = 0
    private var dataLength: UInt16 = 0
    private var expanded: UInt8 = 0
    /// `DLMRecoveryCommand`.
    public var subcommand: UInt8 = 0
    /// STATUS, in the reply: how far recovery is.
    public var status: UInt8 = 0
    /// RECOVERNAMES, in the reply: resources and their masters.
    public var resources: [DLMResourceMaster] = []
    /// GETMASTER, in the reply: node id of the master.
    public var nodeID: UInt32 = 0
    /// A resource's name, where the command has one; otherwise the data as they are.
    public var data: [UInt8] = []

    public init() {}

    /// Which message it is; nil for a command that does not exist.
    public var command: DLMRecoveryCommand? { DLMRecoveryCommand(rawValue: subcommand) }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("msgid", &messageID, order: .little, .decimal)
        try visitor.field("datalen", &dataLength, order: .little, .decimal)
        try visitor.field("expanded", &expanded)
        try visitor.field("subcmd", &subcommand, .labelled(DLMRecoveryCommand.label))
        let holds = isReply ? command : nil
        let isDescribed = V.purpose == .describe
        if isDescribed || (holds == .status && dataLength == MemoryLayout<UInt8>.size) {
            try visitor.field("status", &status, .flags(Self.statusLabels))
        }
        if isDescribed || holds == .recoverNames { try visitor.list("resources", &resources) }
        // The one number that is big-endian (reccomms.c:254).
        if isDescribed || (holds == .getMaster && dataLength == MemoryLayout<UInt32>.size) {
            try visitor.field("nodeid", &nodeID, order: .big, .decimal)
        }
        let isName = !isReply && (command == .recoverNames || command == .getMaster || command == .removeResourceData)
        if isDescribed || V.purpose == .write || visitor.remaining > 0 {
            if visitor.includes(isName) { try visitor.field("data", &data, count: visitor.remaining, .text) }
            if visitor.includes(!isName) { try visitor.field("data", &data, count: visitor.remaining, .hexadecimal) }
        }
    }
}

/// A resource and the node that is its master, in big-endian order (dlm-kernel/src/dir.c:25-29, 369-381). The last one has no name.
public struct DLMResourceMaster: WireStructure {
    /// Node id of the master.
    public var nodeID: UInt32 = 0
    private var pad: UInt16 = 0
    /// The resource's name.
    public var name: [UInt8] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("nodeid", &nodeID, order: .big, .decimal)
        var length = UInt16(truncatingIfNeeded: name.count)
        try visitor.field("length", &length, order: .big, .decimal)
        try visitor.field("pad", &pad, order: .big, .padding)
        try visitor.field("name", &name, count: Int(length), .text)
    }
}

/// A message of recovery in the next generation (dlm-kernel/src2/dlm_internal.h:397-403 of ClusterLabs/resource-agents at 557f5e9b).
public struct DLMRecoveryMessage: WireStructure {
    /// Bytes behind the header, without what its type adds.
    static let size = 16

    /// Lower byte of a `DLMMessageKind`.
    public var type: UInt32 = 0
    /// Of a reply to a status: its bits; to a lookup: node id of the master, or a negative errno.
    public var result: Int32 = 0
    /// Number of the message, which its reply repeats.
    public var messageID: UInt64 = 0
    /// Of a reply to a status: what must be the same on all nodes; nil from a node without the lockspace (src2/rcom.c:381-404).
    public var configuration: DLMLockspaceConfiguration?
    /// Of a lock and its reply: the lock. The reply is in the sender's own byte order (src2/util.c:166-181 swaps the request only).
    public var lock = DLMRecoveredLock()
    /// A resource's name in requests, names in the reply to them, a lock value block behind a lock.
    public var data: [UInt8] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, order: .little, .labelled(DLMMessageKind.recoveryTypeLabel))
        try visitor.field("result", &result, order: .little, .decimal)
        try visitor.field("id", &messageID, order: .little, .hexadecimal)
        let kind = DLMMessageKind(command: DLMHeader.recoveryCommand, type: type)
        let hasConfiguration = V.purpose == .read ? visitor.remaining > 0 : configuration != nil
        if visitor.includes(kind == .recoveryStatusReply && hasConfiguration) {
            var settings = configuration ?? DLMLockspaceConfiguration()
            try visitor.structure("config", &settings)
            configuration = settings
        }
        if visitor.includes(kind == .recoveryLock || kind == .recoveryLockReply) { try visitor.structure("lock", &lock) }
        if V.purpose != .read || visitor.remaining > 0 {
            let isName = kind == .recoveryNames || kind == .recoveryLookup
            if visitor.includes(isName) { try visitor.field("data", &data, count: visitor.remaining, .text) }
            if visitor.includes(!isName) { try visitor.field("data", &data, count: visitor.remaining, .hexadecimal) }
        }
    }
}

/// Settings of a lockspace (dlm-kernel/src2/dlm_internal.h:405-409).
public struct DLMLockspaceConfiguration: WireStructure {
    private var valueBlockLength: UInt32 = 0
    private var flags: UInt32 = 0
    private var unused: UInt64 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("lvblen", &valueBlockLength, order: .little, .decimal)
        try visitor.field("lsflags", &flags, order: .little, .hexadecimal)
        try visitor.field("unused", &unused, order: .little, .padding)
    }
}

/// A lock that its holder tells the new master of (dlm-kernel/src2/dlm_internal.h:411-429).
public struct DLMRecoveredLock: WireStructure {
    private var pid: UInt32 = 0
    /// The sender's lock.
    public var lockID: UInt32 = 0
    private var remoteLockID: UInt32 = 0
    private var parentLockID: UInt32 = 0
    private var parentRemoteID: UInt32 = 0
    private var externalFlags: UInt32 = 0
    private var flags: UInt32 = 0
    private var valueBlockSequence: UInt32 = 0
    private var result: Int32 = 0
    private var requestedMode: Int8 = 0
    private var grantedMode: Int8 = 0
    private var status: Int8 = 0
    private var notices: Int8 = 0
    private var waitType: UInt16 = 0
    private var nameLength: UInt16 = 0
    private var pad: UInt32 = 0
    private var ranges = InlineArray<4, UInt64>(repeating: 0)
    private var nameField = InlineArray<64, UInt8>(repeating: 0)

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("ownpid", &pid, order: .little, .decimal)
        try visitor.field("lkid", &lockID, order: .little, .hexadecimal)
        try visitor.field("remid", &remoteLockID, order: .little, .hexadecimal)
        try visitor.field("parent_lkid", &parentLockID, order: .little, .hexadecimal)
        try visitor.field("parent_remid", &parentRemoteID, order: .little, .hexadecimal)
        try visitor.field("exflags", &externalFlags, order: .little, .flags(DLMLabels.lockFlags))
        try visitor.field("flags", &flags, order: .little, .hexadecimal)
        try visitor.field("lvbseq", &valueBlockSequence, order: .little, .decimal)
        try visitor.field("result", &result, order: .little, .decimal)
        try visitor.field("rqmode", &requestedMode)
        try visitor.field("grmode", &grantedMode)
        try visitor.field("status", &status)
        try visitor.field("asts", &notices)
        try visitor.field("wait_type", &waitType, order: .little, .decimal)
        try visitor.field("namelen", &nameLength, order: .little, .decimal)
        // The compiler aligns what follows to eight bytes.
        try visitor.field("pad", &pad, order: .little, .padding)
        try visitor.field("range0", &ranges[0], order: .little, .hexadecimal)
        try visitor.field("range1", &ranges[1], order: .little, .hexadecimal)
        try visitor.field("range2", &ranges[2], order: .little, .hexadecimal)
        try visitor.field("range3", &ranges[3], order: .little, .hexadecimal)
        try visitor.field("name", &nameField, .text)
    }
}
