import WireFormat

// The headers around a UDP datagram. `Decapsulator` reads them, `CaptureWriter` writes them.

/// An Ethernet header (IEEE 802.3 clause 3.2, type interpretation).
package struct EthernetHeader: WireStructure {
    package var destination = InlineArray<6, UInt8>(repeating: 0)
    package var source = InlineArray<6, UInt8>(repeating: 0)
    package var type: UInt16 = 0

    package init() {}

    package init(destination: InlineArray<6, UInt8>, source: InlineArray<6, UInt8>, type: UInt16) {
        self.destination = destination
        self.source = source
        self.type = type
    }

    package mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("eth.dst", &destination, .decimal)
        try visitor.field("eth.src", &source, .decimal)
        try visitor.field("eth.type", &type, order: .big, .hexadecimal)
    }
}

/// What follows the type of a tagged frame (IEEE 802.1Q clause 9.6).
struct VLANTag: WireStructure {
    var control: UInt16 = 0
    var type: UInt16 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("vlan.tci", &control, order: .big, .hexadecimal)
        try visitor.field("vlan.etype", &type, order: .big, .hexadecimal)
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
        try visitor.field("sll.pkttype", &packetType, order: .big, .decimal)
        try visitor.field("sll.hatype", &hardwareType, order: .big, .decimal)
        try visitor.field("sll.halen", &addressLength, order: .big, .decimal)
        try visitor.field("sll.src", &address, .decimal)
        try visitor.field("sll.etype", &type, order: .big, .hexadecimal)
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
        try visitor.field("sll.etype", &type, order: .big, .hexadecimal)
        try visitor.field("sll.reserved", &reserved, order: .big, .padding)
        try visitor.field("sll.ifindex", &interface, order: .big, .decimal)
        try visitor.field("sll.hatype", &hardwareType, order: .big, .decimal)
        try visitor.field("sll.pkttype", &packetType, .decimal)
        try visitor.field("sll.halen", &addressLength, .decimal)
        try visitor.field("sll.src", &address, .decimal)
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

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("ip.version_hdr_len", &versionAndLength, .hexadecimal)
        try visitor.field("ip.dsfield", &service, .hexadecimal)
        try visitor.field("ip.len", &totalLength, order: .big, .decimal)
        try visitor.field("ip.id", &identification, order: .big, .hexadecimal)
        try visitor.field("ip.frag_offset", &fragment, order: .big, .hexadecimal)
        try visitor.field("ip.ttl", &timeToLive, .decimal)
        try visitor.field("ip.proto", &nextProtocol, .decimal)
        try visitor.field("ip.checksum", &checksum, order: .big, .hexadecimal)
        try visitor.field("ip.src", &source, order: .big, .hexadecimal)
        try visitor.field("ip.dst", &destination, order: .big, .hexadecimal)
    }
}

/// An IPv6 header (RFC 8200 section 3).
package struct IPv6Header: WireStructure {
    package static let size = 40

    package var versionClassFlow: UInt32 = 0x6000_0000
    package var payloadLength: UInt16 = 0
    package var nextHeader: UInt8 = 0
    package var hopLimit: UInt8 = 64
    package var sourceHigh: UInt64 = 0
    package var sourceLow: UInt64 = 0
    package var destinationHigh: UInt64 = 0
    package var destinationLow: UInt64 = 0

    package init() {}

    package mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("ipv6.version_class_flow", &versionClassFlow, order: .big, .hexadecimal)
        try visitor.field("ipv6.plen", &payloadLength, order: .big, .decimal)
        try visitor.field("ipv6.nxt", &nextHeader, .decimal)
        try visitor.field("ipv6.hlim", &hopLimit, .decimal)
        try visitor.field("ipv6.src_high", &sourceHigh, order: .big, .hexadecimal)
        try visitor.field("ipv6.src_low", &sourceLow, order: .big, .hexadecimal)
        try visitor.field("ipv6.dst_high", &destinationHigh, order: .big, .hexadecimal)
        try visitor.field("ipv6.dst_low", &destinationLow, order: .big, .hexadecimal)
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

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("ipv6.ext.nxt", &nextHeader, .decimal)
        try visitor.field("ipv6.ext.len", &length, .decimal)
        try visitor.field("ipv6.fraghdr.offset", &fragment, order: .big, .hexadecimal)
        try visitor.field("ipv6.fraghdr.ident", &identification, order: .big, .hexadecimal)
    }
}

/// A UDP header (RFC 768).
struct UDPHeader: WireStructure {
    static let size = 8

    var sourcePort: UInt16 = 0
    var destinationPort: UInt16 = 0
    var length: UInt16 = 0
    var checksum: UInt16 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("udp.srcport", &sourcePort, order: .big, .decimal)
        try visitor.field("udp.dstport", &destinationPort, order: .big, .decimal)
        try visitor.field("udp.length", &length, order: .big, .decimal)
        try visitor.field("udp.checksum", &checksum, order: .big, .hexadecimal)
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
}
