import WireFormat

/// corosync 3 over udp and udpu (and inside knet, which carries the same bytes): a magic number, node ids for identities
/// (reference/totem-wire.md 3; struct totem_message_header totem.h:123@ma).
public enum Corosync3: TotemDialect {
    /// The first two bytes of every message, in the sender's byte order.
    public static let magic: UInt16 = 0xC070
    /// The third byte.
    public static let version: UInt8 = 3

    @inlinable
    public static var generation: TotemGeneration { .corosync3 }

    @inlinable
    public static var typeOffset: Int { 3 }

    @inlinable
    public static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder? {
        guard datagram.count >= 3, datagram[2] == 3 else { return nil }
        switch (datagram[0], datagram[1]) {
        case (0x70, 0xC0): return .little
        case (0xC0, 0x70): return .big
        default: return nil
        }
    }

    /// `totem_message_header`, 13 bytes.
    public struct Header: TotemHeader {
        public var type: Int8 = 0
        public var encapsulated: Int8 = 0
        /// Node id of the sender; 0 in a LEAVE.
        public var nodeID: UInt32 = 0
        /// Written by the knet transport only; whatever the buffer held with udp and udpu, and checked by nobody.
        public var targetNodeID: UInt32 = 0

        public init() {}

        @inlinable
        public var sender: UInt32? { nodeID }

        @inlinable
        public mutating func setSender(_ nodeID: UInt32) { self.nodeID = nodeID }

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            var magic = Corosync3.magic
            let start = visitor.offset
            try visitor.field("magic", &magic, .hexadecimal)
            guard magic == Corosync3.magic else { throw WireError(.invalidValue(UInt64(magic)), field: "magic", offset: start) }
            var version = Corosync3.version
            try visitor.field("version", &version)
            guard version == Corosync3.version else {
                throw WireError(.invalidValue(UInt64(version)), field: "version", offset: start + 2)
            }
            try visitor.field("type", &type, .labelled(TotemMessageKind.label))
            try visitor.field("encapsulated", &encapsulated)
            try visitor.field("nodeid", &nodeID)
            try visitor.field("target_nodeid", &targetNodeID)
        }
    }

    /// `srp_addr`: a node id, 4 bytes.
    public struct Address: TotemAddress {
        public var nodeID: UInt32 = 0

        public init() {}

        /// The processor of node `nodeID`.
        @inlinable
        public init(_ nodeID: UInt32) {
            self.nodeID = nodeID
        }

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("nodeid", &nodeID)
        }

        @inlinable
        public init(nodeID: UInt32, at addresses: [IPAddress]) {
            self.nodeID = nodeID
        }

        @inlinable
        public var identity: TotemIdentity { TotemIdentity(nodeID: nodeID) }
    }

    public typealias Ring = RingID

    @inlinable
    public static func ring(of representative: Address, sequence: UInt64) -> RingID {
        RingID(representative: representative.nodeID, sequence: sequence)
    }
}
