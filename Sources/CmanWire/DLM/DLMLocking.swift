import WireFormat

/// A request about a lock, or a notice to its holder (reference/cman-wire.md 12.2).
public struct DLMRequest: WireStructure {
    /// Bytes without the name.
    static let size = 74
    /// Longest name of a resource.
    static let longestName = 64

    /// The receiver's lock, in its byte order.
    public var remoteLockID: UInt32 = 0
    /// The receiver's parent lock.
    public var remoteParentID: UInt32 = 0
    /// DLM_LKF_* of the caller with a bit for ranges; in lock-grant other flags of the lock (dlm-kernel/src/lockqueue.c:579).
    public var flags: UInt32 = 0
    /// Of a lock on a range: its first byte. Swapped to little-endian in lock-request and convert-request only.
    public var rangeStart: UInt64 = 0
    /// Of a lock on a range: its last byte.
    public var rangeEnd: UInt64 = 0
    /// Of a notice: its status.
    public var status: UInt32 = 0
    /// The process that owns the lock, in the sender's byte order.
    public var pid: UInt32 = 0
    /// Number of changes of the lock value block.
    public var valueBlockSequence: UInt32 = 0
    /// The lock's mode.
    public var requestedMode: UInt8 = 0
    /// Which notices the owner wants.
    public var notices: UInt8 = 0
    private var valueBlock = InlineArray<32, UInt8>(repeating: 0)
    /// The resource; what stands here in a message that names none is left over.
    public var name: [UInt8] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("remlkid", &remoteLockID, order: .little, .hexadecimal)
        try visitor.field("remparid", &remoteParentID, order: .little, .hexadecimal)
        try visitor.field("request.flags", &flags, order: .little, .hexadecimal)
        try visitor.field("range_start", &rangeStart, order: .little, .hexadecimal)
        try visitor.field("range_end", &rangeEnd, order: .little, .hexadecimal)
        try visitor.field("status", &status, order: .little, .decimal)
        try visitor.field("pid", &pid, order: .little, .decimal)
        try visitor.field("lvbseq", &valueBlockSequence, order: .little, .decimal)
        try visitor.field("rqmode", &requestedMode, .labelled(DLMLabels.mode))
        try visitor.field("asts", &notices)
        try visitor.field("lvb", &valueBlock, .hexadecimal)
        try visitor.field("name", &name, count: visitor.remaining, .text)
    }
}

/// The answer to a lock-request, unlock-request, convert-request or lookup (reference/cman-wire.md 12.2).
public struct DLMReply: WireStructure {
    /// Bytes it takes.
    static let size = 56

    /// Whether the lock was queued, granted or waits.
    public var lockState: UInt32 = 0
    /// Node id of the master of the resource.
    public var nodeID: UInt32 = 0
    /// What the caller is told.
    public var status: UInt32 = 0
    /// The sender's lock, in its byte order.
    public var lockID: UInt32 = 0
    /// Flags of the lock status block.
    public var flags: UInt32 = 0
    /// Number of changes of the lock value block.
    public var valueBlockSequence: UInt32 = 0
    private var valueBlock = InlineArray<32, UInt8>(repeating: 0)

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("lockstate", &lockState, order: .little, .decimal)
        try visitor.field("nodeid", &nodeID, order: .little, .decimal)
        try visitor.field("status", &status, order: .little, .decimal)
        try visitor.field("reply.lkid", &lockID, order: .little, .hexadecimal)
        try visitor.field("reply.flags", &flags, order: .little, .hexadecimal)
        try visitor.field("lvbseq", &valueBlockSequence, order: .little, .decimal)
        try visitor.field("lvb", &valueBlock, .hexadecimal)
    }
}

/// A message about a lock in the next generation (dlm-kernel/src2/dlm_internal.h:354-376 of ClusterLabs/resource-agents at 557f5e9b; all
/// of it is little-endian by src2/util.c:68-95).
public struct DLMMessage: WireStructure {
    /// Bytes behind the header, without `extra`.
    static let size = 88

    /// Lower byte of a `DLMMessageKind`.
    public var type: UInt32 = 0
    /// Node id of the master in replies to a lookup.
    public var nodeID: UInt32 = 0
    /// The process that owns the lock.
    public var pid: UInt32 = 0
    /// The sender's lock.
    public var lockID: UInt32 = 0
    /// The receiver's lock.
    public var remoteLockID: UInt32 = 0
    private var parentLockID: UInt32 = 0
    private var parentRemoteID: UInt32 = 0
    private var externalFlags: UInt32 = 0
    private var statusBlockFlags: UInt32 = 0
    private var internalFlags: UInt32 = 0
    private var valueBlockSequence: UInt32 = 0
    private var hash: UInt32 = 0
    private var status: Int32 = 0
    /// The mode that is granted.
    public var grantedMode: Int32 = 0
    /// The mode that is asked for.
    public var requestedMode: Int32 = 0
    private var blockingMode: Int32 = 0
    private var notices: Int32 = 0
    /// Of replies: 0 or a negative errno.
    public var result: Int32 = 0
    private var rangeStart: UInt64 = 0
    private var rangeEnd: UInt64 = 0
    /// The resource's name, or its lock value block.
    public var extra: [UInt8] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, order: .little, .labelled(DLMMessageKind.messageTypeLabel))
        try visitor.field("message.nodeid", &nodeID, order: .little, .decimal)
        try visitor.field("pid", &pid, order: .little, .decimal)
        try visitor.field("lkid", &lockID, order: .little, .hexadecimal)
        try visitor.field("remid", &remoteLockID, order: .little, .hexadecimal)
        try visitor.field("parent_lkid", &parentLockID, order: .little, .hexadecimal)
        try visitor.field("parent_remid", &parentRemoteID, order: .little, .hexadecimal)
        try visitor.field("exflags", &externalFlags, order: .little, .flags(DLMLabels.lockFlags))
        try visitor.field("sbflags", &statusBlockFlags, order: .little, .hexadecimal)
        try visitor.field("flags", &internalFlags, order: .little, .hexadecimal)
        try visitor.field("lvbseq", &valueBlockSequence, order: .little, .decimal)
        try visitor.field("hash", &hash, order: .little, .hexadecimal)
        try visitor.field("status", &status, order: .little, .decimal)
        try visitor.field("grmode", &grantedMode, order: .little, .decimal)
        try visitor.field("rqmode", &requestedMode, order: .little, .decimal)
        try visitor.field("bastmode", &blockingMode, order: .little, .decimal)
        try visitor.field("asts", &notices, order: .little, .decimal)
        try visitor.field("result", &result, order: .little, .decimal)
        try visitor.field("range_start", &rangeStart, order: .little, .hexadecimal)
        try visitor.field("range_end", &rangeEnd, order: .little, .hexadecimal)
        let isNamed = [DLMMessageKind.messageRequest, .messageLookup, .messageRemove].contains { $0.type == type }
        if visitor.includes(isNamed) { try visitor.field("extra", &extra, count: visitor.remaining, .text) }
        if visitor.includes(!isNamed) { try visitor.field("extra", &extra, count: visitor.remaining, .hexadecimal) }
    }
}

/// What numbers in messages about locks mean (dlm-kernel/src/dlm.h:25-31, 132-148).
public enum DLMLabels {
    static let lockFlags = [
        FlagLabel(0x1, "NOQUEUE"), FlagLabel(0x2, "CANCEL"), FlagLabel(0x4, "CONVERT"), FlagLabel(0x8, "VALBLK"), FlagLabel(0x10, "QUECVT"),
        FlagLabel(0x20, "IVVALBLK"), FlagLabel(0x40, "CONVDEADLK"), FlagLabel(0x80, "PERSISTENT"), FlagLabel(0x100, "NODLCKWT"),
        FlagLabel(0x200, "NODLCKBLK"), FlagLabel(0x400, "EXPEDITE"), FlagLabel(0x800, "NOQUEUEBAST"), FlagLabel(0x1000, "HEADQUE"),
        FlagLabel(0x2000, "NOORDER"), FlagLabel(0x4000, "ORPHAN"), FlagLabel(0x8000, "ALTPR"), FlagLabel(0x1_0000, "ALTCW"),
    ]

    /// Name of a mode of locking.
    public static func mode(_ value: UInt64) -> StaticString? {
        switch value {
        case 0: "NL"
        case 1: "CR"
        case 2: "CW"
        case 3: "PR"
        case 4: "PW"
        case 5: "EX"
        case 0xFF: "IV"
        default: nil
        }
    }
}
