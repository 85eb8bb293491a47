import WireFormat

/// What one Totem generation has of its own: the common header, the identity of a processor, the identity of a ring, and limits.
///
/// The messages are the same from openais 0.80 to corosync 3 but for these three structures (reference/totem-wire.md 3 and 4),
/// so every message is generic over its dialect, and a dialect is added by conforming one more type. Only the dialect of 2005 differs
/// in more; its messages say where.
public protocol TotemDialect: Sendable {
    /// The common header of every message.
    associatedtype Header: TotemHeader
    /// `srp_addr`: how a processor is named in messages.
    associatedtype Address: TotemAddress
    /// `memb_ring_id`: how a ring is named.
    associatedtype Ring: TotemRing

    /// Which generation it is.
    static var generation: TotemGeneration { get }

    /// The byte order of the sender of `datagram`, or nil when the datagram does not begin like one of this dialect.
    static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder?

    /// Where the common header has the type of the message.
    static var typeOffset: Int { get }
    /// Whether messages have the layout of 2005: without `system_from`, with lists of fixed room (reference/totem-wire.md 4).
    static var hasLayoutOf2005: Bool { get }
    /// Most retransmission requests a token may carry (RETRANSMIT_ENTRIES_MAX).
    static var retransmitEntriesLimit: Int { get }
    /// Most processors a list may name (PROCESSOR_COUNT_MAX).
    static var processorLimit: Int { get }
    /// Longest token in bytes: the daemons' token buffer.
    static var tokenSizeLimit: Int { get }

    /// The ring `sequence` whose representative is `representative`.
    static func ring(of representative: Address, sequence: UInt64) -> Ring

    /// Refuses a ring that a receiver of this dialect refuses. `offset` is the ring's place.
    static func check(_ ring: Ring, at offset: Int) throws(WireError)
}

extension TotemDialect {
    /// Its name in listings, e.g. `corosync-3`.
    @inlinable
    public static var name: StaticString { generation.name }

    @inlinable
    public static var hasLayoutOf2005: Bool { false }

    @inlinable
    public static var retransmitEntriesLimit: Int { 30 }

    @inlinable
    public static var processorLimit: Int { 384 }

    @inlinable
    public static var tokenSizeLimit: Int { 1500 }

    @inlinable
    public static func check(_ ring: Ring, at offset: Int) throws(WireError) {}
}

/// The common header of a Totem message.
public protocol TotemHeader: WireStructure, Equatable {
    /// Which message follows, as a number; `TotemMessageKind` names them.
    var type: Int8 { get set }
    /// For mcast: 1 in recovery, 2 otherwise; 0 for everything else.
    var encapsulated: Int8 { get set }
    /// Node id of the sender, 0 in a LEAVE; nil where the header names nobody, as in 2005.
    var sender: UInt32? { get }

    /// Names the sender, where the header names one.
    mutating func setSender(_ nodeID: UInt32)
}

/// The identity of a processor (`srp_addr`).
public protocol TotemAddress: WireStructure, Hashable {
    /// Its node id; in 2005, when there were none, its IPv4 address as a number.
    var nodeID: UInt32 { get }

    /// Node `nodeID`, whose address on ring i is `addresses[i]`; whatever of it this dialect says.
    init(nodeID: UInt32, at addresses: [IPAddress])

    /// What daemons tell processors apart by and put them in order by, the rest aside: the node id, or before corosync 3 the address on
    /// the first ring (reference/totem-wire.md 3, reference/totem-engine.md 2).
    var identity: TotemIdentity { get }

    /// Whether it says that the processor is going, as in a LEAVE of corosync 1 and 2: a node id of 0 with an address.
    var isLeaving: Bool { get }

    /// The same processor, said to be going.
    var leaving: Self { get }
}

extension TotemAddress {
    @inlinable
    public var isLeaving: Bool { false }

    @inlinable
    public var leaving: Self { self }
}

/// What tells processors apart: a node id, or family and bytes of an IP address.
public struct TotemIdentity: Sendable, Hashable {
    /// The address family by Linux's numbers; 0 for a node id.
    public var family: UInt16
    /// The first eight bytes of the address, most significant first; 0 for a node id.
    public var high: UInt64
    /// The other eight of an IPv6 address; or the node id.
    public var low: UInt64

    /// The processor of node `nodeID`.
    @inlinable
    public init(nodeID: UInt32) {
        (family, high, low) = (0, 0, UInt64(nodeID))
    }

    /// The processor at `address`; of an IPv4 address four bytes count.
    @inlinable
    public init(_ address: TotemIPAddress) {
        family = address.family
        high = address.family == TotemIPAddress.ipv4Family ? address.high & 0xFFFF_FFFF_0000_0000 : address.high
        low = address.family == TotemIPAddress.ipv4Family ? 0 : address.low
    }

    /// Order by node id, or by address in network order (totemip_compare totemip.c:122@wt, 149@fl; 16-bit groups there, the same order).
    @inlinable
    public static func precedes(_ left: TotemIdentity, _ right: TotemIdentity) -> Bool {
        (left.family, left.high, left.low) < (right.family, right.high, right.low)
    }
}

/// The identity of a ring (`memb_ring_id`). Equal means every byte the same, as daemons compare with memcmp.
public protocol TotemRing: WireStructure, Hashable {
    /// Node id of its representative; in 2005 the representative's IPv4 address as a number.
    var representativeNodeID: UInt32 { get }
    /// Its sequence number; grows with every ring.
    var sequence: UInt64 { get }

    /// The representative's address with everything that stands behind it, from openais 0.80 to corosync 2; nil in the others.
    var representativeAddress: TotemIPAddress? { get }
}

extension TotemRing {
    @inlinable
    public var representativeAddress: TotemIPAddress? { nil }
}

extension WireVisitor {
    /// The identity of a ring, refused as receivers of `dialect` refuse it.
    @inlinable
    @inline(__always)
    mutating func ring<Dialect: TotemDialect>(_ ring: inout Dialect.Ring, of dialect: Dialect.Type) throws(WireError) {
        let start = offset
        try structure("ring_id", &ring)
        if Self.purpose == .read { try dialect.check(ring, at: start) }
    }
}
