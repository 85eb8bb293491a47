import WireFormat

/// Asks the representative to let a held token go (reference/totem-wire.md 4.6).
public struct HoldCancel<Dialect: TotemDialect>: WireMessage, Equatable {
    public static var protocolName: StaticString { "totem" }
    public static var messageName: StaticString { TotemMessageKind.holdCancel.name }

    /// The common header.
    public var header = Dialect.Header()
    /// The ring whose token is held.
    public var ring = Dialect.Ring()

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor)
        try visitor.ring(&ring, of: Dialect.self)
    }
}
