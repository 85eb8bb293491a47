import WireFormat

/// A message of the total order (reference/totem-wire.md 4.2). The payload is a totempg packet or, in recovery, a whole mcast of
/// the old ring.
public struct Mcast<Dialect: TotemDialect>: WireMessage, Equatable {
    public static var protocolName: StaticString { "totem" }
    public static var messageName: StaticString { TotemMessageKind.mcast.name }

    /// The value of `encapsulated` when the payload is a message of the old ring.
    public static var encapsulatedInRecovery: Int8 { 1 }
    /// The value of `encapsulated` otherwise.
    public static var notEncapsulated: Int8 { 2 }

    /// The common header.
    public var header = Dialect.Header()
    /// Who sent it.
    public var systemFrom = Dialect.Address()
    /// Its place in the total order of its ring.
    public var sequence: UInt32 = 0
    /// A counter of the sender, informative.
    public var thisSequence: Int32 = 0
    /// Its ring.
    public var ring = Dialect.Ring()
    /// Never filled by the daemons.
    public var nodeID: UInt32 = 0
    /// What the application asked for; no dialect acts on it.
    public var guarantee: Int32 = 0
    /// The rest of the datagram.
    public var payload = ByteRange()

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        try visitor.structure("system_from", &systemFrom)
        try visitor.field("seq", &sequence)
        try visitor.field("this_seqno", &thisSequence)
        try visitor.structure("ring_id", &ring)
        try visitor.field("node_id", &nodeID, .padding)
        try visitor.field("guarantee", &guarantee)
        try visitor.payload("payload", &payload)
    }
}
