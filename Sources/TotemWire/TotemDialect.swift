import WireFormat

/// What one Totem generation has of its own: the common header, the identity of a processor, the identity of a ring, and limits.
///
/// The messages are the same from openais 0.80 to corosync 3 but for these three structures (reference/totem-wire.md 3 and 4),
/// so every message is generic over its dialect, and a dialect is added by conforming one more type.
public protocol TotemDialect: Sendable {
    /// The common header of every message.
    associatedtype Header: TotemHeader
    /// `srp_addr`: how a processor is named in messages.
    associatedtype Address: TotemAddress
    /// `memb_ring_id`: how a ring is named.
    associatedtype Ring: WireStructure & Hashable

    /// Its name in listings, e.g. `corosync-3`.
    static var name: StaticString { get }

    /// The byte order of the sender of `datagram`, or nil when the datagram does not begin like one of this dialect.
    static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder?

    /// Most retransmission requests a token may carry.
    static var retransmitEntriesLimit: Int { get }
    /// Most processors a list may name.
    static var processorLimit: Int { get }
    /// Longest token in bytes.
    static var tokenSizeLimit: Int { get }
}

/// The common header of a Totem message.
public protocol TotemHeader: WireStructure, Equatable {
    /// Which message follows, as a number; `TotemMessageKind` names them.
    var type: Int8 { get set }
    /// For mcast: 1 in recovery, 2 otherwise; 0 for everything else.
    var encapsulated: Int8 { get set }
    /// Node id of the sender; 0 in a LEAVE.
    var nodeID: UInt32 { get set }
}

/// The identity of a processor (`srp_addr`).
public protocol TotemAddress: WireStructure, Hashable {
    /// Its node id.
    var nodeID: UInt32 { get }
}
