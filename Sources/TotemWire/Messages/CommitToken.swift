import WireFormat

/// The token that goes round twice before a ring exists and collects what each member has of its old ring
/// (reference/totem-wire.md 4.5).
public struct CommitToken<Dialect: TotemDialect>: WireMessage, Equatable {
    /// What one member has of the ring it comes from.
    public struct Entry: WireStructure, Hashable {
        /// The ring it comes from.
        public var ring = Dialect.Ring()
        /// The member has every message of that ring up to this one.
        public var allReceivedUpTo: UInt32 = 0
        /// It has delivered every message up to this one.
        public var highDelivered: UInt32 = 0
        /// 1 when it lacks no message that any member has.
        public var receivedFlag: UInt32 = 0

        public init() {}

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            let start = visitor.offset
            // An entry that is not filled in yet names no ring.
            try visitor.structure("ring_id", &ring)
            if V.purpose == .read, ring != Dialect.Ring() { try Dialect.check(ring, at: start) }
            try visitor.field("aru", &allReceivedUpTo)
            try visitor.field("high_delivered", &highDelivered)
            try visitor.field("received_flg", &receivedFlag)
        }
    }

    public static var protocolName: StaticString { "totem" }
    public static var messageName: StaticString { TotemMessageKind.commitToken.name }

    /// The common header.
    public var header = Dialect.Header()
    /// Number of this hop.
    public var tokenSequence: UInt32 = 0
    /// The ring that is being formed.
    public var ring = Dialect.Ring()
    /// Unused.
    public var retransmitFlag: UInt32 = 0
    /// Index of the next entry to be filled; the number of members when all are.
    public var memberIndex: Int32 = 0
    /// The members of the new ring, in the order in which the token passes them.
    public var addresses: [Dialect.Address] = []
    /// One entry per member, in the same order.
    public var entries: [Entry] = []
    /// 2005: what the slots behind the addresses hold.
    public var unusedAddresses: [Dialect.Address] = []
    /// 2005: what the slots behind the entries hold.
    public var unusedEntries: [Entry] = []

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        try visitor.field("token_seq", &tokenSequence)
        try visitor.ring(&ring, of: Dialect.self)
        try visitor.field("retrans_flg", &retransmitFlag)
        try visitor.field("memb_index", &memberIndex)
        var count = Int32(truncatingIfNeeded: addresses.count)
        let start = visitor.offset
        try visitor.field("addr_entries", &count)
        guard count <= Dialect.processorLimit else {
            throw WireError(.outOfBounds(value: Int(count), limit: Dialect.processorLimit), field: "addr_entries", offset: start)
        }
        if Dialect.hasLayoutOf2005 {
            try visitor.slots("addr", &addresses, &unusedAddresses)
            try visitor.slots("memb_list", &entries, &unusedEntries)
            try use(count, ofSlotsAt: start)
        } else {
            try visitor.list("addr", &addresses, count: Int(count))
            try visitor.list("memb_list", &entries, count: Int(count))
        }
    }

    /// Divides the slots of the layout of 2005 into those in use and the rest.
    @inlinable
    mutating func use(_ count: Int32, ofSlotsAt offset: Int) throws(WireError) {
        try FixedRoom.divide(&addresses, &unusedAddresses, count: count, field: "addr_entries", offset: offset)
        try FixedRoom.divide(&entries, &unusedEntries, count: count, field: "addr_entries", offset: offset)
    }
}
