import WireFormat

/// corosync 2.4 "needle" of RHEL 7, without the security envelope that every packet has (reference/totem-wire.md 2.3, 3 and 4;
/// totemsrp.c:176-262@ne).
public enum Corosync2: TotemDialect {
    public typealias Header = EndianDetectorHeader
    public typealias Ring = AddressedRingID

    @inlinable
    public static var generation: TotemGeneration { .corosync2 }

    @inlinable
    public static var typeOffset: Int { 0 }

    /// INTERFACE_MAX.
    @inlinable
    public static var ringLimit: UInt8 { 2 }

    @inlinable
    public static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder? {
        EndianDetector.byteOrder(of: datagram)
    }

    /// A representative has an address (check_totemip_sanity totemsrp.c:3685@ne). Only a member's old ring in a commit token, which is
    /// not filled in yet, may have none (check_memb_commit_token_sanity totemsrp.c:3891@ne).
    @inlinable
    public static func check(_ ring: Ring, at offset: Int) throws(WireError) {
        try check(ring.representative, at: offset)
    }

    @inlinable
    static func check(_ address: TotemIPAddress, at offset: Int) throws(WireError) {
        guard address.family == 2 || address.family == 10 else {
            throw WireError(.invalidValue(UInt64(address.family)), field: "family", offset: offset + 4)
        }
    }

    @inlinable
    public static func ring(of representative: Address, sequence: UInt64) -> Ring {
        Ring(representative: representative.first, sequence: sequence)
    }

    /// `srp_addr`: how many rings there are, and the processor's address on each of them, 45 bytes (totemrrp.h:58@ne).
    public struct Address: TotemAddress {
        /// How many of the addresses are configured.
        public var count: UInt8 = 0
        /// On the first ring; the only one that counts for the identity of a processor among daemons.
        public var first = TotemIPAddress()
        /// On the second ring.
        public var second = TotemIPAddress()

        public init() {}

        /// A processor of a cluster with one ring.
        public init(_ address: TotemIPAddress) {
            count = 1
            first = address
        }

        public init(nodeID: UInt32, at addresses: [IPAddress]) {
            // Daemons say 2 with one ring too (capture needle2.4-udpu-form); the second address then has no family.
            count = Corosync2.ringLimit
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
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            let start = visitor.offset
            try visitor.field("no_addrs", &count)
            var addresses: InlineArray<2, TotemIPAddress> = [first, second]
            try visitor.list("addr", &addresses)
            (first, second) = (addresses[0], addresses[1])
            if V.purpose == .read { try check(at: start) }
        }

        /// check_srpaddr_sanity (totemsrp.c:3706@ne).
        @inlinable
        func check(at offset: Int) throws(WireError) {
            guard count >= 1, count <= Corosync2.ringLimit else {
                throw WireError(.invalidValue(UInt64(count)), field: "no_addrs", offset: offset)
            }
            try Corosync2.check(first, at: offset + 1)
            if count > 1, second.family != 0 { try Corosync2.check(second, at: offset + 23) }
        }
    }
}
