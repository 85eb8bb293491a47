import WireFormat

/// A ring id inside a service message of corosync 3, 12 bytes.
public struct ServiceRingID: WireStructure, Hashable {
    /// Node id of the representative.
    public var rep: UInt32 = 0
    /// Sequence number of the ring.
    public var seq: UInt64 = 0

    public init() {}

    /// The ring `rep`.`seq`.
    public init(rep: UInt32, seq: UInt64) {
        self.rep = rep
        self.seq = seq
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("rep", &rep)
        try visitor.field("seq", &seq)
    }
}
