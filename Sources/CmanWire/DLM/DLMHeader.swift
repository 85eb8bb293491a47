import WireFormat

/// What every record of the DLM's line protocol begins with (reference/cman-wire.md 12.2).
public struct DLMHeader: Hashable, Sendable {
    /// In the next generation: a message about locks.
    static let messageCommand: UInt8 = 1
    /// In the next generation: a message of recovery.
    static let recoveryCommand: UInt8 = 2

    /// The generation in the upper half; the unversioned header has none.
    public var version: UInt32 = 0
    /// What the record is.
    public var command: UInt8 = 0
    /// 1 for the last record of a reply to a query. Not in the next generation.
    public var flags: UInt8 = 0
    /// Bytes of the record, the header included.
    public var length: UInt16 = 0
    /// The sender's lock, in its own byte order and of no meaning to others. Not in the next generation.
    public var lockID: UInt32 = 0
    /// The lockspace: the service manager's id of its group.
    public var lockspace: UInt32 = 0
    /// The sender's node id, in the next generation.
    public var nodeID: UInt32 = 0
    private var pad: UInt8 = 0

    public init() {}

    mutating func visit<V: WireVisitor>(_ visitor: inout V, of generation: DLMGeneration) throws(WireError) {
        if generation != .unversioned { try visitor.field("version", &version, order: .little, .hexadecimal) }
        guard generation != .second else { return try visitSecond(&visitor) }
        try visitor.field("cmd", &command, .labelled(DLMMessageKind.commandLabel))
        try visitor.field("flags", &flags, .flags([FlagLabel(1, "ENDQUERY")]))
        try visitor.field("length", &length, order: .little, .decimal)
        try visitor.field("lkid", &lockID, order: .little, .hexadecimal)
        try visitor.field("lockspace", &lockspace, order: .little, .hexadecimal)
    }

    private mutating func visitSecond<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("lockspace", &lockspace, order: .little, .hexadecimal)
        try visitor.field("nodeid", &nodeID, order: .little, .decimal)
        try visitor.field("length", &length, order: .little, .decimal)
        try visitor.field("cmd", &command, .labelled { $0 == 1 ? "DLM_MSG" : $0 == 2 ? "DLM_RCOM" : nil })
        try visitor.field("pad", &pad, .padding)
    }
}
