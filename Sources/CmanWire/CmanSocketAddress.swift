import WireFormat

/// An address inside a message: the sender's C socket address as it lies in memory (reference/cman-wire.md 1.5).
///
/// IPv4 takes 16 bytes, IPv6 takes 28. Only JOINREQ says which; everywhere else the length is a property of the cluster. The
/// family, which stands first, tells the same, in whichever byte order the sender has, and is what reading goes by.
public struct CmanSocketAddress: WireStructure, Hashable {
    /// Bytes of an IPv4 address.
    public static let ipv4Length = 16
    /// Bytes of an IPv6 address.
    public static let ipv6Length = 28

    /// Address family as read in little-endian order: 2 or 10, from big-endian senders 0x0200 or 0x0A00.
    public var family: UInt16 = 2
    /// The UDP port.
    public var port: UInt16 = 0
    /// The address: for IPv4 its number in `low`, for IPv6 both halves.
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    /// IPv4: the eight bytes behind the address, which are compared like the rest of it.
    private var zero: UInt64 = 0
    /// IPv6: flow information.
    private var flowInformation: UInt32 = 0
    /// IPv6: scope id as read in little-endian order.
    private var scopeID: UInt32 = 0

    public init() {}

    /// The address of `endpoint` as a little-endian host stores it.
    public init(_ endpoint: Endpoint) {
        port = endpoint.port
        if let number = endpoint.address.ipv4Number {
            family = Family.ipv4
            low = UInt64(number)
        } else {
            family = Family.ipv6
            let bytes = endpoint.address.networkBytes
            high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    /// Bytes it takes on the wire.
    public var length: Int { isIPv6 ? Self.ipv6Length : Self.ipv4Length }

    /// Where datagrams to it go.
    public var endpoint: Endpoint {
        guard isIPv6 else { return Endpoint(IPAddress(ipv4: UInt32(truncatingIfNeeded: low)), port) }
        let bytes = (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> (56 - 8 * UInt64($0 % 8))) }
        return Endpoint(IPAddress(networkBytes: bytes) ?? IPAddress(ipv4: 0), port)
    }

    /// Whether both are one address for a receiver: it compares everything but the family, which is in the sender's byte order.
    public func matches(_ other: CmanSocketAddress) -> Bool {
        var copy = other
        copy.family = family
        return isIPv6 == other.isIPv6 && self == copy
    }

    private enum Family {
        static let ipv4: UInt16 = 2
        static let ipv6: UInt16 = 10
    }

    private var isIPv6: Bool { family == Family.ipv6 || family == Family.ipv6.byteSwapped }

    private static func label(_ family: UInt64) -> StaticString? {
        switch family {
        case 2: "IPv4"
        case 10: "IPv6"
        case 0x0200: "IPv4, big-endian"
        case 0x0A00: "IPv6, big-endian"
        default: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        let start = visitor.offset
        try visitor.field("family", &family, order: .little, .labelled(Self.label))
        guard isIPv6 || family == Family.ipv4 || family == Family.ipv4.byteSwapped else {
            throw WireError(.invalidValue(UInt64(family)), field: "family", offset: start)
        }
        try visitor.field("port", &port, order: .big, .decimal)
        if visitor.includes(isIPv6) {
            try visitor.field("flowinfo", &flowInformation, order: .big, .decimal)
            var bytes = InlineArray<16, UInt8> { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> (56 - 8 * UInt64($0 % 8))) }
            try visitor.field("ip", &bytes, .ipAddress)
            (high, low) = (0, 0)
            for index in 0..<8 {
                high = high << 8 | UInt64(bytes[index])
                low = low << 8 | UInt64(bytes[index + 8])
            }
            try visitor.field("scope_id", &scopeID, order: .little, .decimal)
        }
        if visitor.includes(!isIPv6) {
            var bytes = InlineArray<4, UInt8> { UInt8(truncatingIfNeeded: low >> (24 - 8 * UInt64($0))) }
            try visitor.field("ip", &bytes, .ipAddress)
            low = 0
            for index in 0..<4 { low = low << 8 | UInt64(bytes[index]) }
            var padding = InlineArray<8, UInt8> { UInt8(truncatingIfNeeded: zero >> (56 - 8 * UInt64($0))) }
            try visitor.field("zero", &padding, .padding)
            zero = 0
            for index in 0..<8 { zero = zero << 8 | UInt64(padding[index]) }
        }
    }
}
