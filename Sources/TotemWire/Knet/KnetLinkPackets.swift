import WireFormat

/// Asks whether a link works; the answer repeats it (reference/totem-wire.md 6.1, 6.3; onwire.h:45-50@kn).
public struct KnetPing: WireStructure, Equatable {
    /// Number of the link.
    public var link: UInt8 = 0
    /// The sender's clock, for nobody else.
    public var time = InlineBytes<16>()
    /// The sender's latest data sequence number.
    public var sequence: UInt16 = 0
    /// 1 when it is sent regularly, 0 when it is there to tell the sequence number.
    public var timed: UInt8 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("link", &link)
        try visitor.field("time", &time.bytes, .decimal)
        try visitor.field("seq_num", &sequence, order: .big, .decimal)
        try visitor.field("timed", &timed)
    }
}

/// Finds the largest packet that comes through a link, or says that one did (reference/totem-wire.md 6.1, 6.3; onwire.h:65-69@kn).
public struct KnetPMTUD: WireStructure, Equatable {
    /// Number of the link.
    public var link: UInt8 = 0
    /// Bytes of the probe with its IP and UDP headers and what encryption adds, in the byte order of the host that sent the probe.
    public var size: UInt16 = 0
    /// What fills the probe; nothing in a reply.
    public var filling = ByteRange()

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("link", &link)
        try visitor.field("size", &size)
        try visitor.payload("data", &filling)
    }
}
