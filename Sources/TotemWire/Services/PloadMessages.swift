import WireFormat

/// Functions of the pload service (services/pload.c:69@fl, pload.c:63@ma).
public enum PloadFunction: UInt16, Sendable, Hashable, CaseIterable {
    case start = 0
    case mcast = 1
}

/// `pload.start`: every node is to send so many messages of such a size, a measurement (services/pload.c:118@fl, pload.c:68@ma).
public struct PloadStart: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "pload" }
    public static var messageName: StaticString { "start" }

    /// The header.
    public var header = ServiceHeader()
    /// A code for the messages; corosync 1 only.
    public var msgCode: UInt32 = 0
    /// Messages to send.
    public var msgCount: UInt32 = 0
    /// Size of each in bytes.
    public var msgSize: UInt32 = 0
    /// Pause between them; corosync 1 only.
    public var timeInterval: UInt32 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        if header.generation <= .corosync1 { try visitor.field("msg_code", &msgCode) }
        try visitor.field("msg_count", &msgCount)
        try visitor.field("msg_size", &msgSize)
        if header.generation <= .corosync1 { try visitor.field("time_interval", &timeInterval) }
    }
}

/// `pload.mcast`: one of the messages of a measurement; what it holds means nothing (pload.c:74@ma).
public struct PloadMulticast: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "pload" }
    public static var messageName: StaticString { "mcast" }

    /// The header.
    public var header = ServiceHeader()
    /// The load.
    public var data = ByteRange()

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.payload("data", &data)
    }
}
