import WireFormat

/// `clm.nodejoin`: a member describes itself to the others on a new ring, 392 bytes (reference/totem-services.md 7.6; clm.c:260@wt,
/// mar_clm.h:84@wt). corosync 1 sends it for the sake of openais 0.80 (ais-behaviour.md 6).
public struct CLMNodeJoin: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "clm" }
    public static var messageName: StaticString { "nodejoin" }

    /// An address as text, 80 bytes (`mar_clm_node_address_t`).
    public struct Address: WireStructure, Hashable {
        /// Used bytes of `value`.
        public var length: UInt16 = 0
        /// Bytes after `length`.
        public var pad1 = InlineBytes<6>()
        /// 1 IPv4, 2 IPv6.
        public var family: UInt32 = 0
        /// Bytes after `family`.
        public var pad2: UInt32 = 0
        /// The address as text, and whatever lies behind it.
        public var value = InlineBytes<64>()

        public init() {}

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("length", &length)
            try visitor.field("pad1", &pad1.bytes, .padding)
            try visitor.field("family", &family, .labelled { $0 == 1 ? "IPv4" : $0 == 2 ? "IPv6" : nil })
            try visitor.field("pad2", &pad2, .padding)
            try visitor.field("value", &value.bytes, .text)
        }
    }

    /// The header.
    public var header = ServiceHeader(of: .openais080)
    /// Its node id.
    public var nodeID: UInt32 = 0
    /// Bytes after `nodeID`.
    public var pad1: UInt32 = 0
    /// Its address.
    public var address = Address()
    /// Its name, which is its address again.
    public var name = MarshalledName()
    /// 1 for a member.
    public var member: UInt32 = 0
    /// Bytes after `member`.
    public var pad2: UInt32 = 0
    /// When it started, in nanoseconds since 1970.
    public var bootTimestamp: UInt64 = 0
    /// Its first ring: the sequence number divided by four.
    public var initialViewNumber: UInt64 = 0

    public init() {}

    /// Node `nodeID` at `address` of a host that started at `bootTime`, in nanoseconds since 1970; its name is its address (clm.c:331@wt).
    public init(nodeID: UInt32, address: IPAddress?, bootTime: UInt64, initialView: UInt64) {
        header = ServiceHeader(.clm, function: 0, size: 392, of: .openais080)
        self.nodeID = nodeID
        let text = Array((address?.description ?? "").utf8)
        if let address { self.address.family = address.family == .ipv4 ? 1 : 2 }
        self.address.length = UInt16(text.count)
        for (index, byte) in text.enumerated() where index < 64 { self.address.value.bytes[index] = byte }
        name = MarshalledName(text)
        member = 1
        bootTimestamp = bootTime
        initialViewNumber = initialView
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("node_id", &nodeID)
        try visitor.field("pad1", &pad1, .padding)
        try visitor.structure("addr", &address)
        try visitor.structure("name", &name)
        try visitor.field("member", &member)
        try visitor.field("pad2", &pad2, .padding)
        try visitor.field("boot_timestamp", &bootTimestamp)
        try visitor.field("initial_view_number", &initialViewNumber)
    }
}
