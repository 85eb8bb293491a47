import WireFormat

/// `totem_ip_address`, 22 bytes: a node id and an IP address (reference/totem-wire.md 3; totemip.h:55@wt).
///
/// An IPv4 address takes the first four of its sixteen bytes; the rest is whatever the sender's memory held. All of them are kept and
/// all of them count for equality: daemons compare ring ids with memcmp.
public struct TotemIPAddress: WireStructure, Hashable {
    /// Its node id, as configured or made from the address.
    public var nodeID: UInt32 = 0
    /// The address family by Linux's numbers: 2 for IPv4, 10 for IPv6, 0 for no address at all.
    public var family: UInt16 = 0
    /// The first eight of the sixteen bytes as a number, most significant byte first.
    @usableFromInline
    var high: UInt64 = 0
    /// The last eight.
    @usableFromInline
    var low: UInt64 = 0

    /// AF_INET of Linux.
    public static let ipv4Family: UInt16 = 2
    /// AF_INET6 of Linux.
    public static let ipv6Family: UInt16 = 10

    public init() {}

    /// Node `nodeID` at `address`; unused bytes are zero.
    public init(nodeID: UInt32, _ address: IPAddress) {
        self.nodeID = nodeID
        if let number = address.ipv4Number {
            family = Self.ipv4Family
            high = UInt64(number) << 32
        } else if let numbers = address.ipv6Numbers {
            family = Self.ipv6Family
            (high, low) = numbers
        }
    }

    /// The address; nil when the family is neither IPv4 nor IPv6.
    public var address: IPAddress? {
        switch family {
        case Self.ipv4Family: IPAddress(ipv4: UInt32(truncatingIfNeeded: high >> 32))
        case Self.ipv6Family: IPAddress(ipv6High: high, low: low)
        default: nil
        }
    }

    @inlinable
    @inline(__always)
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("nodeid", &nodeID)
        try visitor.field("family", &family, .labelled { $0 == 2 ? "IPv4" : $0 == 10 ? "IPv6" : nil })
        // Whoever reads is shown the address that is meant, and what lies behind it as what it is.
        if V.purpose == .read, family == 2 {
            var number: UInt32 = 0
            try visitor.internetAddress("addr", &number)
            var garbage = InlineArray<12, UInt8>(repeating: 0)
            try visitor.field("pad", &garbage, .padding)
            withUnsafeBytes(of: &garbage) { bytes in
                high = UInt64(number) << 32 | UInt64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
                low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
            }
        } else {
            var address = InlineArray<16, UInt8>(repeating: 0)
            withUnsafeMutableBytes(of: &address) { bytes in
                bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            try visitor.field("addr", &address, .ipAddress)
            withUnsafeBytes(of: &address) { bytes in
                high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
                low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            if V.purpose == .describe {
                var garbage = InlineArray<12, UInt8>(repeating: 0)
                try visitor.field("pad", &garbage, .padding)
            }
        }
    }
}

extension WireVisitor {
    /// An IPv4 address (`in_addr`, network order) as a number.
    @inlinable
    @inline(__always)
    mutating func internetAddress(_ name: StaticString, _ number: inout UInt32) throws(WireError) {
        var address = InlineArray<4, UInt8>(repeating: 0)
        withUnsafeMutableBytes(of: &address) { $0.storeBytes(of: number.bigEndian, as: UInt32.self) }
        try field(name, &address, .ipAddress)
        withUnsafeBytes(of: &address) { number = UInt32(bigEndian: $0.loadUnaligned(as: UInt32.self)) }
    }
}
