import WireFormat

/// Which of the two messages of the redundant ring it is, by the `type` of the common header.
public enum RingTestKind: Int8, Sendable, Hashable, CaseIterable {
    /// A faulty ring is tried.
    case active = 6
    /// The ring works again: everyone is to use it.
    case activate = 7

    /// The message's name in listings.
    public var name: StaticString {
        switch self {
        case .active: "ring-test-active"
        case .activate: "ring-test-activate"
        }
    }
}

/// A packet of the redundant ring protocol of corosync 1 and 2 that goes round a faulty ring, in the place of a token, to find out whether
/// it works again (reference/totem-wire.md 1.4; struct message_header totemrrp.c:545@fl, :552@ne). It never reaches the single ring
/// protocol, and it has a header of its own.
public struct RingTest: WireMessage, Hashable {
    public static var protocolName: StaticString { "totem" }
    public static var messageName: StaticString { "ring-test" }

    /// Number of bytes on the wire.
    public static let size = 12

    /// 6 or 7; `RingTestKind` names them.
    public var type: Int8 = 0
    /// 0.
    public var encapsulated: Int8 = 0
    /// The ring that is tried.
    public var ringNumber: Int32 = 0
    /// Node id of who began the test.
    public var activator: Int32 = 0

    public init() {}

    /// A message of `kind`.
    public init(_ kind: RingTestKind, ringNumber: Int32, activator: Int32) {
        type = kind.rawValue
        self.ringNumber = ringNumber
        self.activator = activator
    }

    /// Which of the two `datagram` is, and its sender's byte order; nil when it is none.
    @inlinable
    public static func identify(_ datagram: UnsafeRawBufferPointer) -> (RingTestKind, ByteOrder)? {
        guard let order = EndianDetector.byteOrder(of: datagram), let kind = RingTestKind(rawValue: Int8(bitPattern: datagram[0])) else {
            return nil
        }
        return (kind, order)
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, .labelled { RingTestKind(rawValue: Int8(truncatingIfNeeded: $0))?.name })
        try visitor.field("encapsulated", &encapsulated)
        try EndianDetector.visit(&visitor)
        try visitor.field("ring_number", &ringNumber)
        try visitor.field("nodeid_activator", &activator)
    }
}
