import WireFormat

/// A neighbour solicitation or advertisement with at most one option, the link-layer address (RFC 4861 sections 4.3, 4.4, 4.6.1).
struct NeighbourMessage: WireStructure {
    static let solicitation: UInt8 = 135
    static let advertisement: UInt8 = 136
    /// "Replace what you have cached."
    static let overrideFlag: UInt32 = 0x2000_0000
    /// Option types.
    static let sourceLinkAddress: UInt8 = 1
    static let targetLinkAddress: UInt8 = 2

    var type: UInt8 = 0
    var code: UInt8 = 0
    var checksum: UInt16 = 0
    var flags: UInt32 = 0
    var targetHigh: UInt64 = 0
    var targetLow: UInt64 = 0
    /// 0 where there is no option.
    var option: UInt8 = 0
    var optionLength: UInt8 = 1
    var linkAddress = InlineArray<6, UInt8>(repeating: 0)

    /// The address that it is about.
    var target: IPAddress {
        get { IPAddress(ipv6High: targetHigh, low: targetLow) }
        set {
            targetHigh = newValue.ipv6Numbers?.high ?? 0
            targetLow = newValue.ipv6Numbers?.low ?? 0
        }
    }

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("icmpv6.type", &type)
        try visitor.field("icmpv6.code", &code)
        try visitor.field("icmpv6.checksum", &checksum, order: .big, .hexadecimal)
        try visitor.field("icmpv6.nd.flag", &flags, order: .big, .hexadecimal)
        try visitor.field("icmpv6.nd.target_high", &targetHigh, order: .big, .hexadecimal)
        try visitor.field("icmpv6.nd.target_low", &targetLow, order: .big, .hexadecimal)
        // A solicitation from the unspecified address carries no option (RFC 4861 section 4.3).
        guard visitor.includes(V.purpose == .read ? visitor.remaining >= 8 : option != 0) else { return }
        try visitor.field("icmpv6.opt.type", &option)
        try visitor.field("icmpv6.opt.length", &optionLength)
        try visitor.field("icmpv6.opt.linkaddr", &linkAddress, .decimal)
    }
}
