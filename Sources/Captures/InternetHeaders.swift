import WireFormat

// The headers around a UDP datagram. `Decapsulator` reads them, `CaptureWriter` writes them.

/// An Ethernet header (IEEE 802.3 clause 3.2, type interpretation).
package struct EthernetHeader: WireStructure {
    static let size = 14

    package var destination = InlineArray<6, UInt8>(repeating: 0)
    package var source = InlineArray<6, UInt8>(repeating: 0)
    package var type: UInt16 = 0

    package init() {}

    package init(destination: InlineArray<6, UInt8>, source: InlineArray<6, UInt8>, type: UInt16) {
        self.destination = destination
        self.source = source
        self.type = type
    }

    @inline(__always)
    package mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("dst", &destination, .hardwareAddress)
        try visitor.field("src", &source, .hardwareAddress)
        try visitor.field("type", &type, order: .big, .hexadecimal)
    }
}

/// What follows the type of a tagged frame (IEEE 802.1Q clause 9.6).
struct VLANTag: WireStructure {
    var control: UInt16 = 0
    var type: UInt16 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("tci", &control, order: .big, .hexadecimal)
        try visitor.field("etype", &type, order: .big, .hexadecimal)
    }
}

/// The pseudo header of LINKTYPE_LINUX_SLL.
struct LinuxCookedHeader: WireStructure {
    var packetType: UInt16 = 0
    var hardwareType: UInt16 = 0
    var addressLength: UInt16 = 0
    var address = InlineArray<8, UInt8>(repeating: 0)
    var type: UInt16 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("pkttype", &packetType, order: .big, .decimal)
        try visitor.field("hatype", &hardwareType, order: .big, .decimal)
        try visitor.field("halen", &addressLength, order: .big, .decimal)
        try visitor.field("src", &address, .hardwareAddress)
        try visitor.field("etype", &type, order: .big, .hexadecimal)
    }
}

/// The pseudo header of LINKTYPE_LINUX_SLL2.
struct LinuxCookedHeader2: WireStructure {
    var type: UInt16 = 0
    var reserved: UInt16 = 0
    var interface: UInt32 = 0
    var hardwareType: UInt16 = 0
    var packetType: UInt8 = 0
    var addressLength: UInt8 = 0
    var address = InlineArray<8, UInt8>(repeating: 0)

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("etype", &type, order: .big, .hexadecimal)
        try visitor.field("reserved", &reserved, order: .big, .padding)
        try visitor.field("ifindex", &interface, order: .big, .decimal)
        try visitor.field("hatype", &hardwareType, order: .big, .decimal)
        try visitor.field("pkttype", &packetType, .decimal)
        try visitor.field("halen", &addressLength, .decimal)
        try visitor.field("src", &address, .hardwareAddress)
    }
}

/// What stands before a packet of BSD's loopback interface: the address family, in the byte order of the recording host
/// (LINKTYPE_NULL) or in network byte order (LINKTYPE_LOOP).
struct LoopbackHeader: WireStructure {
    var family: UInt32 = 0

    /// Whether an IP packet follows: AF_INET of every system, or AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, or Darwin, read in either
    /// byte order.
    var isInternet: Bool {
        switch family < 0x100 ? family : family.byteSwapped {
        case 2, 10, 24, 28, 30: true
        default: false
        }
    }

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("null.family", &family, order: .big, .decimal)
    }
}

/// An IPv4 header without its options (RFC 791 section 3.1).
struct IPv4Header: WireStructure {
    static let size = 20
    static let moreFragments: UInt16 = 0x2000

    var versionAndLength: UInt8 = 0x45
    var service: UInt8 = 0
    var totalLength: UInt16 = 0
    var identification: UInt16 = 0
    var fragment: UInt16 = 0
    var timeToLive: UInt8 = 64
    var nextProtocol: UInt8 = 0
    var checksum: UInt16 = 0
    var source: UInt32 = 0
    var destination: UInt32 = 0

    /// Bytes of the header with its options.
    var length: Int { Int(versionAndLength & 0x0F) * 4 }
    var hasMoreFragments: Bool { fragment & Self.moreFragments != 0 }
    /// Where the fragment's bytes belong in the datagram.
    var fragmentOffset: Int { Int(fragment & 0x1FFF) * 8 }

    @inline(__always)
    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("version_hdr_len", &versionAndLength, .hexadecimal)
        try visitor.field("dsfield", &service, .hexadecimal)
        try visitor.field("len", &totalLength, order: .big, .decimal)
        try visitor.field("id", &identification, order: .big, .hexadecimal)
        try visitor.field("flags_frag_offset", &fragment, order: .big, .hexadecimal)
        try visitor.field("ttl", &timeToLive, .decimal)
        try visitor.field("proto", &nextProtocol, .decimal)
        try visitor.field("checksum", &checksum, order: .big, .hexadecimal)
        try visitor.field("src", &source, order: .big, .ipAddress)
        try visitor.field("dst", &destination, order: .big, .ipAddress)
    }
}

/// An IPv6 header (RFC 8200 section 3).
package struct IPv6Header: WireStructure {
    package static let size = 40

    package var versionClassFlow: UInt32 = 0x6000_0000
    package var payloadLength: UInt16 = 0
    package var nextHeader: UInt8 = 0
    package var hopLimit: UInt8 = 64
    private var source = InlineArray<16, UInt8>(repeating: 0)
    private var destination = InlineArray<16, UInt8>(repeating: 0)

    package init() {}

    package mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("version_class_flow", &versionClassFlow, order: .big, .hexadecimal)
        try visitor.field("plen", &payloadLength, order: .big, .decimal)
        try visitor.field("nxt", &nextHeader, .decimal)
        try visitor.field("hlim", &hopLimit, .decimal)
        try visitor.field("src", &source, .ipAddress)
        try visitor.field("dst", &destination, .ipAddress)
    }

    /// The first and last eight bytes of the source as numbers.
    package var sourceHigh: UInt64 {
        get { Self.half(of: source, at: 0) }
        set { Self.setHalf(of: &source, at: 0, newValue) }
    }
    package var sourceLow: UInt64 {
        get { Self.half(of: source, at: 8) }
        set { Self.setHalf(of: &source, at: 8, newValue) }
    }
    /// The first and last eight bytes of the destination as numbers.
    package var destinationHigh: UInt64 {
        get { Self.half(of: destination, at: 0) }
        set { Self.setHalf(of: &destination, at: 0, newValue) }
    }
    package var destinationLow: UInt64 {
        get { Self.half(of: destination, at: 8) }
        set { Self.setHalf(of: &destination, at: 8, newValue) }
    }

    private static func half(of address: InlineArray<16, UInt8>, at offset: Int) -> UInt64 {
        withUnsafeBytes(of: address) { UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }

    private static func setHalf(of address: inout InlineArray<16, UInt8>, at offset: Int, _ number: UInt64) {
        withUnsafeMutableBytes(of: &address) { $0.storeBytes(of: number.bigEndian, toByteOffset: offset, as: UInt64.self) }
    }
}

/// The start of every IPv6 extension header, and all of a fragment header (RFC 8200 sections 4 and 4.5).
struct IPv6ExtensionHeader: WireStructure {
    var nextHeader: UInt8 = 0
    var length: UInt8 = 0
    var fragment: UInt16 = 0
    var identification: UInt32 = 0

    var hasMoreFragments: Bool { fragment & 1 != 0 }
    /// Where the fragment's bytes belong in the datagram.
    var fragmentOffset: Int { Int(fragment & 0xFFF8) }

    /// Bytes of a header of the kind `number` that is not a fragment header.
    func size(of number: UInt8) -> Int {
        number == IPProtocol.authentication ? (Int(length) + 2) * 4 : (Int(length) + 1) * 8
    }

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("ext.nxt", &nextHeader, .decimal)
        try visitor.field("ext.len", &length, .decimal)
        try visitor.field("fraghdr.offset_flags", &fragment, order: .big, .hexadecimal)
        try visitor.field("fraghdr.ident", &identification, order: .big, .hexadecimal)
    }
}

/// A UDP header (RFC 768).
struct UDPHeader: WireStructure {
    static let size = 8

    var sourcePort: UInt16 = 0
    var destinationPort: UInt16 = 0
    var length: UInt16 = 0
    var checksum: UInt16 = 0

    @inline(__always)
    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("srcport", &sourcePort, order: .big, .decimal)
        try visitor.field("dstport", &destinationPort, order: .big, .decimal)
        try visitor.field("length", &length, order: .big, .decimal)
        try visitor.field("checksum", &checksum, order: .big, .hexadecimal)
    }
}

/// Numbers of what follows an Ethernet or cooked header.
package enum EtherType {
    package static let ipv4: UInt16 = 0x0800
    package static let arp: UInt16 = 0x0806
    package static let ipv6: UInt16 = 0x86DD
    /// Whether a VLAN tag follows: IEEE 802.1Q, 802.1ad, and the number used before 802.1ad.
    package static func isTag(_ type: UInt16) -> Bool { type == 0x8100 || type == 0x88A8 || type == 0x9100 }
}

/// Numbers of what follows an IP header.
package enum IPProtocol {
    package static let icmp: UInt8 = 1
    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
    package static let icmp6: UInt8 = 58
    package static let hopByHop: UInt8 = 0
    package static let routing: UInt8 = 43
    package static let fragment: UInt8 = 44
    package static let authentication: UInt8 = 51
    package static let destinationOptions: UInt8 = 60
    package static let mobility: UInt8 = 135

    /// The transport protocol that `number` stands for; nil for those that are not taken apart.
    static func transport(_ number: UInt8) -> FrameProtocol? {
        switch number {
        case udp: .udp
        case tcp: .tcp
        default: nil
        }
    }

    /// Whether an IPv6 extension header follows that has a length or is a fragment header.
    static func isExtension(_ number: UInt8) -> Bool {
        switch number {
        case hopByHop, routing, fragment, authentication, destinationOptions, mobility: true
        default: false
        }
    }
}
