import WireFormat

/// What the common headers before corosync 3 tell the sender's byte order with (reference/totem-wire.md 3).
public enum EndianDetector {
    /// The value, in the sender's byte order.
    public static let value: UInt16 = 0xFF22

    /// The byte order of a sender that wrote the value at `offset` of `datagram`; nil when it is not there.
    @inlinable
    public static func byteOrder(of datagram: UnsafeRawBufferPointer, at offset: Int = 2) -> ByteOrder? {
        guard datagram.count >= offset + 2 else { return nil }
        switch (datagram[offset], datagram[offset + 1]) {
        case (0x22, 0xFF): return .little
        case (0xFF, 0x22): return .big
        default: return nil
        }
    }

    /// The field itself; anything but the value is refused.
    @inlinable
    @inline(__always)
    static func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        var detector = value
        let start = visitor.offset
        try visitor.field("endian_detector", &detector, .hexadecimal)
        guard detector == value else {
            throw WireError(.invalidValue(UInt64(detector)), field: "endian_detector", offset: start)
        }
    }
}

/// The common header of openais 0.80 to corosync 2, 8 bytes (reference/totem-wire.md 3; totemsrp.c:174@wt, :176@fl, :176@ne).
public struct EndianDetectorHeader: TotemHeader {
    /// Bytes of it.
    public static var size: Int { 8 }

    public var type: Int8 = 0
    public var encapsulated: Int8 = 0
    /// Node id of the sender; 0 in a LEAVE.
    public var nodeID: UInt32 = 0

    public init() {}

    @inlinable
    public var sender: UInt32? { nodeID }

    @inlinable
    public mutating func setSender(_ nodeID: UInt32) { self.nodeID = nodeID }

    @inlinable
    @inline(__always)
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, .labelled(TotemMessageKind.label))
        try visitor.field("encapsulated", &encapsulated)
        try EndianDetector.visit(&visitor)
        try visitor.field("nodeid", &nodeID)
    }
}
