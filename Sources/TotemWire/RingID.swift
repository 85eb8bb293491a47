import WireFormat

/// The identity of a ring of corosync 3: `memb_ring_id`, 12 bytes (totem.h:155@ma). Services repeat it in their own messages.
public struct RingID: TotemRing, CustomStringConvertible {
    /// Node id of its representative.
    public var representative: UInt32 = 0
    /// Its sequence number; grows with every ring.
    public var sequence: UInt64 = 0

    public init() {}

    /// The ring `representative`.`sequence`.
    @inlinable
    public init(representative: UInt32, sequence: UInt64) {
        self.representative = representative
        self.sequence = sequence
    }

    @inlinable
    public var representativeNodeID: UInt32 { representative }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("rep", &representative)
        try visitor.field("seq", &sequence)
    }

    /// `<representative>.<sequence>` in decimal; corosync's own tools print the sequence in hexadecimal.
    public var description: String { "\(representative).\(sequence)" }
}
