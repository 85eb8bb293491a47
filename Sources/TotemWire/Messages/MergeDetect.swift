import WireFormat

/// Tells other rings that this one exists (reference/totem-wire.md 4.3).
public struct MergeDetect<Dialect: TotemDialect>: WireMessage, Equatable {
    public static var protocolName: StaticString { "totem" }
    public static var messageName: StaticString { TotemMessageKind.mergeDetect.name }

    /// The common header.
    public var header = Dialect.Header()
    /// The representative that sent it; in 2005 only the UDP source tells.
    public var systemFrom = Dialect.Address()
    /// Its ring.
    public var ring = Dialect.Ring()

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        if !Dialect.hasLayoutOf2005 { try visitor.structure("system_from", &systemFrom) }
        try visitor.ring(&ring, of: Dialect.self)
    }
}
