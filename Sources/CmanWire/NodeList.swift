import WireFormat

/// JOINCONF and MASTERVIEW: a part of the master's list of nodes (reference/cman-wire.md 4.1).
public struct CmanNodeList: WireStructure {
    /// First packet of the list.
    public static let firstFlag: UInt8 = 1
    /// Last packet of the list.
    public static let lastFlag: UInt8 = 2

    private static let flagLabels = [FlagLabel(1, "first"), FlagLabel(2, "last")]

    /// `firstFlag`, `lastFlag`.
    public var sequenceFlags: UInt8 = 0
    /// The nodes.
    public var entries: [CmanNodeEntry] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("seqflags", &sequenceFlags, .flags(Self.flagLabels))
        try visitor.list("entries", &entries)
    }
}

/// A node in JOINCONF and MASTERVIEW. Entries follow each other without any alignment.
public struct CmanNodeEntry: WireStructure {
    /// Its name.
    public var name: [UInt8] = []
    /// Its state: 2 member, 3 dead.
    public var state: UInt8 = 0
    /// Its addresses.
    public var addresses: [CmanSocketAddress] = []
    /// Its votes.
    public var votes: UInt8 = 0
    /// The expected votes it announced.
    public var expectedVotes: UInt32 = 0
    /// Its id.
    public var nodeID: UInt32 = 0

    public init() {}

    /// Bytes it takes on the wire.
    public var length: Int { 13 + name.count + addresses.reduce(0) { $0 + $1.length } }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        var nameLength = UInt8(truncatingIfNeeded: name.count)
        try visitor.field("name_len", &nameLength)
        try visitor.field("name", &name, count: Int(nameLength), .text)
        try visitor.field("state", &state, .labelled(nodeStateLabel))
        var count = UInt16(truncatingIfNeeded: addresses.count)
        try visitor.field("num_addr", &count, order: .little, .decimal)
        try visitor.list("addresses", &addresses, count: Int(count))
        try visitor.field("votes", &votes)
        try visitor.field("expected_votes", &expectedVotes, order: .little, .decimal)
        try visitor.field("node_id", &nodeID, order: .little, .decimal)
    }
}
