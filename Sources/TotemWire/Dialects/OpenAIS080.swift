import WireFormat

/// openais 0.80 "whitetank" of RHEL 5 (reference/totem-wire.md 3 and 4; totemsrp.c:149-275@wt).
///
/// Its receivers trust counts and lengths; here they are checked, so that a daemon's crash is an error (reference/totem-wire.md 4.7).
public enum OpenAIS080: TotemDialect {
    public typealias Header = EndianDetectorHeader
    public typealias Ring = AddressedRingID

    @inlinable
    public static var generation: TotemGeneration { .openais080 }

    @inlinable
    public static var typeOffset: Int { 0 }

    @inlinable
    public static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder? {
        EndianDetector.byteOrder(of: datagram)
    }

    @inlinable
    public static func ring(of representative: Address, sequence: UInt64) -> Ring {
        Ring(representative: representative.first, sequence: sequence)
    }

    /// `srp_addr`: the processor's address on each of up to two rings, 44 bytes (totemsrp.c:149@wt, totemrrp.h:55@fl).
    public struct Address: TotemAddress {
        /// On the first ring; the only one that counts for the identity of a processor among daemons.
        public var first = TotemIPAddress()
        /// On the second ring.
        public var second = TotemIPAddress()

        public init() {}

        /// A processor of a cluster with one ring.
        public init(_ address: TotemIPAddress) {
            first = address
        }

        public init(nodeID: UInt32, at addresses: [IPAddress]) {
            if let address = addresses.first { first = TotemIPAddress(nodeID: nodeID, address) }
            if addresses.count > 1 { second = TotemIPAddress(nodeID: nodeID, addresses[1]) }
        }

        @inlinable
        public var nodeID: UInt32 { first.nodeID }

        @inlinable
        public var identity: TotemIdentity { TotemIdentity(first) }

        @inlinable
        public var isLeaving: Bool { first.nodeID == 0 }

        public var leaving: Self {
            var address = self
            address.first.nodeID = 0
            return address
        }

        @inlinable
        @inline(__always)
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            var addresses: InlineArray<2, TotemIPAddress> = [first, second]
            try visitor.list("addr", &addresses)
            (first, second) = (addresses[0], addresses[1])
        }
    }
}
