import WireFormat

/// The token of an operational or recovering ring (reference/totem-wire.md 4.1).
public struct OrfToken<Dialect: TotemDialect>: WireMessage, Equatable {
    /// A message that someone on the ring lacks.
    public struct RetransmitItem: WireStructure, Hashable {
        /// The ring in which the message was sent.
        public var ring = Dialect.Ring()
        /// Its sequence number.
        public var sequence: UInt32 = 0

        public init() {}

        /// Message `sequence` of `ring`.
        @inlinable
        public init(ring: Dialect.Ring, sequence: UInt32) {
            self.ring = ring
            self.sequence = sequence
        }

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.ring(&ring, of: Dialect.self)
            try visitor.field("seq", &sequence)
        }
    }

    public static var protocolName: StaticString { "totem" }
    public static var messageName: StaticString { TotemMessageKind.token.name }

    /// The common header.
    public var header = Dialect.Header()
    /// Sequence number of the last message sent on the ring.
    public var sequence: UInt32 = 0
    /// Number of this hop; what tells a new token from a copy.
    public var tokenSequence: UInt32 = 0
    /// All received up to: everyone has every message up to this one.
    public var allReceivedUpTo: UInt32 = 0
    /// Node id of the processor that lowered `aru`, in 2005 its IPv4 address as a number; 0 when nobody lacks anything.
    public var allReceivedUpToAddress: UInt32 = 0
    /// The ring it belongs to.
    public var ring = Dialect.Ring()
    /// Messages that wait on all processors together; not there in 2005.
    public var backlog: UInt32 = 0
    /// Flow control count: messages sent in the last rotation by all; 16 bits with sign in 2005.
    public var flowControlCount: UInt32 = 0
    /// In recovery: whether someone still has old messages to send.
    public var retransmitFlag: Int32 = 0
    /// Messages asked for.
    public var retransmitList: [RetransmitItem] = []

    public init() {}

    @inlinable
    @inline(__always)
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        try visitor.sequenceNumber("seq", &sequence, of: Dialect.self)
        try visitor.sequenceNumber("token_seq", &tokenSequence, of: Dialect.self)
        try visitor.sequenceNumber("aru", &allReceivedUpTo, of: Dialect.self)
        if Dialect.hasLayoutOf2005 {
            try visitor.internetAddress("aru_addr", &allReceivedUpToAddress)
        } else {
            try visitor.field("aru_addr", &allReceivedUpToAddress)
        }
        try visitor.ring(&ring, of: Dialect.self)
        if Dialect.hasLayoutOf2005 {
            var count = Int16(truncatingIfNeeded: flowControlCount)
            try visitor.field("fcc", &count)
            flowControlCount = UInt32(bitPattern: Int32(count))
        } else {
            try visitor.field("backlog", &backlog)
            try visitor.field("fcc", &flowControlCount)
        }
        try visitor.field("retrans_flg", &retransmitFlag)
        var entries = Int32(truncatingIfNeeded: retransmitList.count)
        let start = visitor.offset
        try visitor.field("rtr_list_entries", &entries)
        guard entries <= Dialect.retransmitEntriesLimit else {
            throw WireError(
                .outOfBounds(value: Int(entries), limit: Dialect.retransmitEntriesLimit),
                field: "rtr_list_entries",
                offset: start
            )
        }
        try visitor.list("rtr_list", &retransmitList, count: Int(entries))
    }
}

extension WireVisitor {
    /// A sequence number that is compared modulo 2^32; in 2005 it was an integer with sign.
    @inlinable
    @inline(__always)
    mutating func sequenceNumber<Dialect: TotemDialect>(
        _ name: StaticString,
        _ number: inout UInt32,
        of dialect: Dialect.Type
    ) throws(WireError) {
        if Dialect.hasLayoutOf2005 {
            var signed = Int32(bitPattern: number)
            try field(name, &signed)
            number = UInt32(bitPattern: signed)
        } else {
            try field(name, &number)
        }
    }
}
