import TotemWire
import WireFormat

/// A ring of any generation. Rings of openais 0.80 and of corosync 1 are one when their ids are: both generations can be in one ring.
struct RingKey: Hashable {
    /// The generation, and openais 0.80 for corosync 1.
    var layout: TotemGeneration
    /// Representative and sequence number.
    var id: RingID

    init(_ ring: some TotemRing, in generation: TotemGeneration) {
        layout = generation == .corosync1 ? .openais080 : generation
        id = RingID(ring)
    }
}

extension RingID {
    /// What rings of all generations have in common.
    init(_ ring: some TotemRing) {
        self.init(representative: ring.representativeNodeID, sequence: ring.sequence)
    }
}

/// Where an mcast stands, whatever its generation.
struct McastPosition {
    var generation: TotemGeneration
    var ring: RingKey
    /// Node id of the sender; in 2005 its IPv4 address as a number.
    var sender: UInt32
    var sequence: UInt32
    /// The sender's own counter of its mcasts (`this_seqno`).
    var counter: Int32
    var byteOrder: ByteOrder

    init<Dialect: TotemDialect>(_ mcast: Mcast<Dialect>, _ generation: TotemGeneration, _ byteOrder: ByteOrder) {
        self.generation = generation
        ring = RingKey(mcast.ring, in: generation)
        sender = mcast.systemFrom.nodeID
        sequence = mcast.sequence
        counter = mcast.thisSequence
        self.byteOrder = byteOrder
    }
}
