import WireFormat

/// A question about the locks of a resource (reference/cman-wire.md 12.2).
public struct DLMQuery: WireStructure {
    /// Bytes it takes.
    static let size = 12

    /// The lock on the master whose resource is meant.
    public var masterLockID: UInt32 = 0
    /// What is asked.
    public var query: UInt32 = 0
    /// Most locks that the answer may have.
    public var lockLimit: UInt32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("mstlkid", &masterLockID, order: .little, .hexadecimal)
        try visitor.field("query", &query, order: .little, .hexadecimal)
        try visitor.field("maxlocks", &lockLimit, order: .little, .decimal)
    }
}

/// A part of the answer to a query (reference/cman-wire.md 12.2).
public struct DLMQueryReply: WireStructure {
    /// Bytes without the locks.
    static let size = 56

    private var count: UInt32 = 0
    /// Number of its first lock among all, in the sender's byte order.
    public var start: UInt32 = 0
    /// What the caller is told.
    public var status: UInt32 = 0
    /// Locks that are granted, that are converted, and that wait.
    public var granted: UInt32 = 0
    public var converting: UInt32 = 0
    public var waiting: UInt32 = 0
    private var valueBlock = InlineArray<32, UInt8>(repeating: 0)
    /// The locks.
    public var locks: [DLMQueriedLock] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        if V.purpose == .write { count = UInt32(truncatingIfNeeded: locks.count) }
        try visitor.field("numlocks", &count, order: .little, .decimal)
        try visitor.field("startlock", &start, order: .little, .decimal)
        try visitor.field("status", &status, order: .little, .decimal)
        try visitor.field("grantcount", &granted, order: .little, .decimal)
        try visitor.field("convcount", &converting, order: .little, .decimal)
        try visitor.field("waitcount", &waiting, order: .little, .decimal)
        try visitor.field("valblk", &valueBlock, .hexadecimal)
        try visitor.list("locks", &locks, count: Int(count))
    }
}

/// A lock in the answer to a query (dlm-kernel/src/queries.c:331-351 of ClusterLabs/resource-agents at 557f5e9b).
public struct DLMQueriedLock: WireStructure {
    /// A range of bytes that a lock is for.
    private struct Range: WireStructure {
        var start: UInt64 = 0
        var end: UInt64 = 0

        mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("start", &start, order: .little, .hexadecimal)
            try visitor.field("end", &end, order: .little, .hexadecimal)
        }
    }

    /// Whether it is granted, converted or waits.
    public var state: UInt8 = 0
    /// The granted mode.
    public var grantedMode: UInt8 = 0
    /// The requested mode.
    public var requestedMode: UInt8 = 0
    /// Its id on the node that holds it.
    public var lockID: UInt32 = 0
    private var masterLockID: UInt32 = 0
    private var parent: UInt32 = 0
    /// The node that holds it.
    public var nodeID: UInt32 = 0
    /// The process that owns it.
    public var pid: UInt32 = 0
    private var hasRanges: UInt8 = 0
    private var grantedRange = Range()
    private var requestedRange = Range()

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("state", &state)
        try visitor.field("grmode", &grantedMode, .labelled(DLMLabels.mode))
        try visitor.field("rqmode", &requestedMode, .labelled(DLMLabels.mode))
        try visitor.field("lkid", &lockID, order: .little, .hexadecimal)
        try visitor.field("mstlkid", &masterLockID, order: .little, .hexadecimal)
        try visitor.field("parent", &parent, order: .little, .hexadecimal)
        try visitor.field("node", &nodeID, order: .little, .decimal)
        try visitor.field("ownpid", &pid, order: .little, .decimal)
        try visitor.field("ranges", &hasRanges)
        if visitor.includes(hasRanges != 0) {
            try visitor.structure("grrange", &grantedRange)
            try visitor.structure("rqrange", &requestedRange)
        }
    }
}
