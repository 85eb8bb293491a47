import WireFormat

/// The identity of a ring of openais 0.80 to corosync 2: `memb_ring_id`, 30 bytes (reference/totem-wire.md 3; totem.h:147@wt).
public struct AddressedRingID: TotemRing {
    /// Its representative, garbage included.
    public var representative = TotemIPAddress()
    public var sequence: UInt64 = 0

    public init() {}

    /// The ring `representative`.`sequence`.
    @inlinable
    public init(representative: TotemIPAddress, sequence: UInt64) {
        self.representative = representative
        self.sequence = sequence
    }

    @inlinable
    public var representativeNodeID: UInt32 { representative.nodeID }

    @inlinable
    public var representativeAddress: TotemIPAddress? { representative }

    @inlinable
    @inline(__always)
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("rep", &representative)
        try visitor.field("seq", &sequence)
    }
}
