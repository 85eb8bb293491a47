import WireFormat

/// Functions of the CFG service (cfg.c:76-80 of 3.1.7).
public enum CFGFunction: UInt16, Sendable, Hashable, CaseIterable {
    case ringreenable = 0
    case killnode = 1
    case shutdown = 2
    case reload = 3
    /// Since 3.1.0.
    case cryptoReconfig = 4
}

/// `cfg.ringreenable`: without effect in corosync 3 (cfg.c:532 of 3.1.7).
public struct CFGRingReenable: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cfg" }
    public static var messageName: StaticString { "ringreenable" }

    /// The header.
    public var header = ServiceHeader(.cfg, function: CFGFunction.ringreenable.rawValue, size: 32)
    /// The sender as it names itself.
    public var source = ServiceMessageSource()

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.structure("source", &source)
    }
}

/// `cfg.killnode`: the node that it names exits at once (cfg.c:307, 552 of 3.1.7).
public struct CFGKillNode: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cfg" }
    public static var messageName: StaticString { "killnode" }

    /// Number of bytes on the wire.
    public static let byteCount = 288

    /// The header.
    public var header = ServiceHeader(.cfg, function: CFGFunction.killnode.rawValue, size: byteCount)
    /// The node that is to exit.
    public var nodeid: UInt32 = 0
    /// Bytes after `nodeid`.
    public var pad: UInt32 = 0
    /// Why, for the log.
    public var reason = MarshalledName()

    public init() {}

    /// Node `nodeid` is to exit because of `reason`, of which 255 bytes are sent.
    public init(nodeid: UInt32, reason: String) {
        self.nodeid = nodeid
        self.reason = MarshalledName(reason.utf8)
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("nodeid", &nodeid)
        try visitor.field("pad", &pad, .padding)
        try visitor.structure("reason", &reason)
    }
}

/// `cfg.shutdown`: its sender is being shut down (cfg.c:313 of 3.1.7).
public struct CFGShutdown: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cfg" }
    public static var messageName: StaticString { "shutdown" }

    /// The header.
    public var header = ServiceHeader(.cfg, function: CFGFunction.shutdown.rawValue, size: 16)

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
    }
}

/// `cfg.crypto-set` of corosync 1: every node is to use another kind of encryption (services/cfg.c:342@fl). It has the number that
/// `cfg.reload` has later.
public struct CFGCryptoSet: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cfg" }
    public static var messageName: StaticString { "crypto-set" }

    /// Function number of the service.
    public static let function: UInt16 = 3

    /// The header.
    public var header = ServiceHeader(of: .corosync1)
    /// 0 SOBER-128, 1 NSS.
    public var type: UInt32 = 0
    /// Bytes after `type`.
    public var pad: UInt32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("type", &type, .labelled { $0 == 0 ? "sober" : $0 == 1 ? "nss" : nil })
        try visitor.field("pad", &pad, .padding)
    }
}

/// `cfg.reload`: every node is to read its configuration file again (cfg.c:297 of 3.1.7).
public struct CFGReload: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cfg" }
    public static var messageName: StaticString { "reload" }

    /// The header.
    public var header = ServiceHeader(.cfg, function: CFGFunction.reload.rawValue, size: 32)
    /// The sender as it names itself.
    public var source = ServiceMessageSource()

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.structure("source", &source)
    }
}

/// `cfg.crypto-reconfig`: the next step of a change of keys (cfg.c:302 of 3.1.7).
public struct CFGCryptoReconfig: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cfg" }
    public static var messageName: StaticString { "crypto-reconfig" }

    /// The header.
    public var header = ServiceHeader(.cfg, function: CFGFunction.cryptoReconfig.rawValue, size: 24)
    /// The step.
    public var phase: UInt32 = 0
    /// Bytes after `phase`.
    public var pad: UInt32 = 0

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("phase", &phase)
        try visitor.field("pad", &pad, .padding)
    }
}
