import WireFormat

/// An ARP packet for IPv4 on Ethernet (RFC 826).
struct ARPPacket: WireStructure {
    static let request: UInt16 = 1
    static let reply: UInt16 = 2

    var hardwareType: UInt16 = 1
    var protocolType: UInt16 = 0x0800
    var hardwareSize: UInt8 = 6
    var protocolSize: UInt8 = 4
    var operation: UInt16 = 0
    var senderHardware = InlineArray<6, UInt8>(repeating: 0)
    var sender: UInt32 = 0
    var targetHardware = InlineArray<6, UInt8>(repeating: 0)
    var target: UInt32 = 0

    /// Whether it is about IPv4 on Ethernet at all.
    var isForEthernet: Bool { hardwareType == 1 && protocolType == 0x0800 && hardwareSize == 6 && protocolSize == 4 }

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("arp.hw.type", &hardwareType, order: .big, .decimal)
        try visitor.field("arp.proto.type", &protocolType, order: .big, .hexadecimal)
        try visitor.field("arp.hw.size", &hardwareSize)
        try visitor.field("arp.proto.size", &protocolSize)
        try visitor.field("arp.opcode", &operation, order: .big, .decimal)
        try visitor.field("arp.src.hw_mac", &senderHardware, .decimal)
        try visitor.field("arp.src.proto_ipv4", &sender, order: .big, .hexadecimal)
        try visitor.field("arp.dst.hw_mac", &targetHardware, .decimal)
        try visitor.field("arp.dst.proto_ipv4", &target, order: .big, .hexadecimal)
    }
}
