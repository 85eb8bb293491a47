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
    /// Who sent it; in 2005 the field is called `source` and stands behind the ring.
    public var systemFrom = Dialect.Address()
    /// Its place in the total order of its ring.
    public var sequence: UInt32 = 0
    /// A counter of the sender, informative.
    public var thisSequence: Int32 = 0
    /// Its ring.
    public var ring = Dialect.Ring()
    /// Never filled by the daemons; not there in 2005.
    public var nodeID: UInt32 = 0
    /// What the application asked for; no dialect acts on it.
    public var guarantee: Int32 = 0
    /// The rest of the datagram.
    public var payload = ByteRange()

    public init() {}

    @inlinable
    @inline(__always)
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        if !Dialect.hasLayoutOf2005 { try visitor.structure("system_from", &systemFrom) }
        try visitor.sequenceNumber("seq", &sequence, of: Dialect.self)
        try visitor.field("this_seqno", &thisSequence)
        try visitor.ring(&ring, of: Dialect.self)
        if Dialect.hasLayoutOf2005 {
            try visitor.structure("source", &systemFrom)
        } else {
            try visitor.field("node_id", &nodeID, .padding)
        }
        try visitor.field("guarantee", &guarantee)
        try visitor.payload("payload", &payload)
    }
}
