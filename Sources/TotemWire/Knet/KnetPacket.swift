import WireFormat

/// A packet of knet, version 1, below which corosync 3 sends its messages by default (reference/totem-wire.md 6; onwire.h:34-134@kn).
/// Encrypted packets are such packets inside an envelope (2.5).
public struct KnetPacket: WireMessage, Equatable {
    /// What a packet says.
    public enum Body: Sendable, Equatable {
        case data(KnetData)
        case ping(KnetPing)
        case pong(KnetPing)
        case pmtud(KnetPMTUD)
        case pmtudReply(KnetPMTUD)

        /// A body of `kind` whose fields are all zero.
        public init(_ kind: KnetPacketKind) {
            switch kind {
            case .data: self = .data(KnetData())
            case .ping: self = .ping(KnetPing())
            case .pong: self = .pong(KnetPing())
            case .pmtud: self = .pmtud(KnetPMTUD())
            case .pmtudReply: self = .pmtudReply(KnetPMTUD())
            }
        }
    }

    public static var protocolName: StaticString { "knet" }
    public static var messageName: StaticString { "packet" }

    /// KNET_HEADER_ONWIRE_MAX_VER.
    public static let version: UInt8 = 1

    /// Node id of the sender.
    public var node: UInt16 = 0
    /// What it says.
    public var body: Body
    /// What follows the last field of a ping or pong; knet sends nothing there.
    public private(set) var trailing = ByteRange()

    private var pad1: UInt8 = 0
    private var pad2: UInt8 = 0

    public init() {
        self.init(.data)
    }

    /// A packet of `kind` whose fields are all zero; describers start from it.
    public init(_ kind: KnetPacketKind) {
        body = Body(kind)
    }

    /// A packet of node `node`.
    public init(node: UInt16, _ body: Body) {
        self.node = node
        self.body = body
    }

    /// What kind of packet it is.
    public var kind: KnetPacketKind {
        switch body {
        case .data: .data
        case .ping: .ping
        case .pong: .pong
        case .pmtud: .pmtud
        case .pmtudReply: .pmtudReply
        }
    }

    /// The part that is written separately: a fragment of a message, what fills a probe, or what follows a ping.
    public var payload: ByteRange {
        switch body {
        case .data(let data): data.payload
        case .pmtud(let probe), .pmtudReply(let probe): probe.filling
        case .ping, .pong: trailing
        }
    }

    /// Whether `datagram` begins like a packet of knet.
    public static func isRecognised(_ datagram: UnsafeRawBufferPointer) -> Bool {
        datagram.count > 6 && datagram[0] == version && KnetPacketKind(rawValue: datagram[1]) != nil
    }

    /// The byte order of the sender of `datagram`, as far as a packet shows it: only a probe's size, which is near the datagram's.
    /// Little-endian otherwise.
    public static func byteOrder(of datagram: UnsafeRawBufferPointer) -> ByteOrder {
        guard datagram.count >= 9, datagram[1] == KnetPacketKind.pmtud.rawValue else { return .little }
        let size = datagram.loadUnaligned(fromByteOffset: 7, as: UInt16.self)
        let little = abs(Int(UInt16(littleEndian: size)) - datagram.count)
        let big = abs(Int(UInt16(bigEndian: size)) - datagram.count)
        return little <= big ? .little : .big
    }

    /// The packet's bytes; the payload is taken from `datagram`, from which it was read.
    public func bytes(of datagram: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        try bytes(byteOrder: Self.byteOrder(of: datagram), payload: datagram[payload.range])
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        let start = visitor.offset
        var version = Self.version
        try visitor.field("version", &version)
        guard version == Self.version else { throw WireError(.invalidValue(UInt64(version)), field: "version", offset: start) }
        var type = kind.rawValue
        try visitor.field("type", &type, .labelled { KnetPacketKind(rawValue: UInt8(truncatingIfNeeded: $0))?.name })
        guard let kind = KnetPacketKind(rawValue: type) else {
            throw WireError(.invalidValue(UInt64(type)), field: "type", offset: start + 1)
        }
        try visitor.field("node", &node, order: .big, .decimal)
        try visitor.field("pad1", &pad1, .padding)
        try visitor.field("pad2", &pad2, .padding)
        if kind != self.kind { body = Body(kind) }
        try body.visit(&visitor)
        if V.purpose == .read, visitor.remaining > 0 { try visitor.payload("trailing", &trailing) }
    }
}

extension KnetPacket.Body {
    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        switch self {
        case .data(var data):
            try data.visit(&visitor)
            self = .data(data)
        case .ping(var ping):
            try ping.visit(&visitor)
            self = .ping(ping)
        case .pong(var ping):
            try ping.visit(&visitor)
            self = .pong(ping)
        case .pmtud(var probe):
            try probe.visit(&visitor)
            self = .pmtud(probe)
        case .pmtudReply(var probe):
            try probe.visit(&visitor)
            self = .pmtudReply(probe)
        }
    }
}
