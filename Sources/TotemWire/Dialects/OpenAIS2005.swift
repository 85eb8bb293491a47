import WireFormat

/// openAIS of August 2005, below the first cman on Totem: no node ids, IPv4 only, lists of fixed room (reference/totem-wire.md 3 and 4;
/// totemsrp.c:149-235@D1).
///
/// Messages are read and written without the 36 bytes of security that stand in front of them, the form that a few weeks later became
/// the whole message (D1b). Who sent a join or a merge detect is known from the UDP source alone.
public enum OpenAIS2005: TotemDialect {
    @inlinable
    public static var generation: TotemGeneration { .totem2005 }

    @inlinable
    public static var hasLayoutOf2005: Bool { true }

    @inlinable
    public static var typeOffset: Int { 0 }

    /// PROCESSOR_COUNT_MAX, and the room of every list.
    @inlinable
    public static var processorLimit: Int { 16 }

    @inlinable
    public static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder? {
        EndianDetector.byteOrder(of: datagram)
    }

    /// The common header without the security in front of it, 4 bytes.
    public struct Header: TotemHeader {
        public var type: Int8 = 0
        public var encapsulated: Int8 = 0

        public init() {}

        @inlinable
        public var sender: UInt32? { nil }

        @inlinable
        public mutating func setSender(_ nodeID: UInt32) {}

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("type", &type, .labelled(TotemMessageKind.label))
            try visitor.field("encapsulated", &encapsulated)
            try EndianDetector.visit(&visitor)
        }
    }

    /// An IPv4 address, 4 bytes.
    public struct Address: TotemAddress {
        /// The address as a number.
        public var nodeID: UInt32 = 0

        public init() {}

        /// The processor at the IPv4 address `number`.
        @inlinable
        public init(_ number: UInt32) {
            nodeID = number
        }

        @inlinable
        public init(nodeID: UInt32, at addresses: [IPAddress]) {
            self.nodeID = nodeID
        }

        /// The address as the integer that a host of this byte order holds: processors were put in order by it, so that hosts of
        /// different byte orders disagreed (in_addr_compare totemsrp.c:2704@D1).
        @inlinable
        public var identity: TotemIdentity { TotemIdentity(nodeID: nodeID.bigEndian) }

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.internetAddress("addr", &nodeID)
        }
    }

    @inlinable
    public static func ring(of representative: Address, sequence: UInt64) -> Ring {
        Ring(representative: representative.nodeID, sequence: sequence)
    }

    /// `memb_ring_id`, 12 bytes.
    public struct Ring: TotemRing {
        /// The representative's address as a number.
        public var representative: UInt32 = 0
        public var sequence: UInt64 = 0

        public init() {}

        /// The ring of the processor at the IPv4 address `representative`.
        @inlinable
        public init(representative: UInt32, sequence: UInt64) {
            self.representative = representative
            self.sequence = sequence
        }

        @inlinable
        public var representativeNodeID: UInt32 { representative }

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.internetAddress("rep", &representative)
            try visitor.field("seq", &sequence)
        }
    }
}
