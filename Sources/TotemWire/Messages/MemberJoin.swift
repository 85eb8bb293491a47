import WireFormat

/// JOIN: who the sender thinks can form a ring, and who cannot (reference/totem-wire.md 4.4). With node id 0 in the header it is a
/// LEAVE: the sender is going (reference/totem-engine.md 8).
public struct MemberJoin<Dialect: TotemDialect>: WireMessage, Equatable {
    public static var protocolName: StaticString { "totem" }
    public static var messageName: StaticString { TotemMessageKind.join.name }

    /// The common header.
    public var header = Dialect.Header()
    /// Who sent it; in 2005 only the UDP source tells.
    public var systemFrom = Dialect.Address()
    /// Sequence number of the sender's ring.
    public var ringSequence: UInt64 = 0
    /// Everyone the sender knows of.
    public var processors: [Dialect.Address] = []
    /// Those of them that it holds to have failed.
    public var failed: [Dialect.Address] = []
    /// 2005: what the slots behind `processors` hold.
    public var unusedProcessors: [Dialect.Address] = []
    /// 2005: what the slots behind `failed` hold.
    public var unusedFailed: [Dialect.Address] = []

    public init() {}

    /// Whether the sender is going. There is no LEAVE in 2005.
    @inlinable
    public var isLeave: Bool { header.sender == 0 }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        if Dialect.hasLayoutOf2005 { return try visitFixedRoom(&visitor) }
        try visitor.structure("system_from", &systemFrom)
        var processorEntries = UInt32(truncatingIfNeeded: processors.count)
        var failedEntries = UInt32(truncatingIfNeeded: failed.count)
        let start = visitor.offset
        try visitor.field("proc_list_entries", &processorEntries)
        try visitor.field("failed_list_entries", &failedEntries)
        for (index, entries) in [processorEntries, failedEntries].enumerated() where entries > Dialect.processorLimit {
            throw WireError(
                .outOfBounds(value: Int(entries), limit: Dialect.processorLimit),
                field: index == 0 ? "proc_list_entries" : "failed_list_entries",
                offset: start + 4 * index
            )
        }
        try visitor.field("ring_seq", &ringSequence)
        try visitor.list("proc_list", &processors, count: Int(processorEntries))
        try visitor.list("failed_list", &failed, count: Int(failedEntries))
    }

    /// The layout of 2005 behind the header: every list has room for 16, and the count of those in use stands behind it.
    @inlinable
    mutating func visitFixedRoom<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        var processorEntries = Int32(truncatingIfNeeded: processors.count)
        var failedEntries = Int32(truncatingIfNeeded: failed.count)
        try visitor.slots("proc_list", &processors, &unusedProcessors)
        var start = visitor.offset
        try visitor.field("proc_list_entries", &processorEntries)
        try FixedRoom.divide(&processors, &unusedProcessors, count: processorEntries, field: "proc_list_entries", offset: start)
        try visitor.slots("failed_list", &failed, &unusedFailed)
        start = visitor.offset
        try visitor.field("failed_list_entries", &failedEntries)
        try FixedRoom.divide(&failed, &unusedFailed, count: failedEntries, field: "failed_list_entries", offset: start)
        try visitor.field("ring_seq", &ringSequence)
    }
}
