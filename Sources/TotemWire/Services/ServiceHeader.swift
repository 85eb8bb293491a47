import WireFormat

/// What every message of the services starts with, 16 bytes (reference/totem-services.md 7.0).
///
/// openais 0.80 and corosync 1 have a header of their own with the size in front (coroipc_types.h:38@fl); corosync 2 and 3 have libqb's
/// request header with the id in front (qbipc_common.h:39 of libqb 2.0.6).
public struct ServiceHeader: WireStructure, Hashable {
    /// The generation of the sender. It decides the layout of the header, and of the message behind it where generations differ.
    public var generation: TotemGeneration
    /// The service in the upper 16 bits, its function in the lower 16. Messages of the groups of synchronisation have the function alone.
    public var id: UInt32 = 0
    /// Bytes after `id`.
    public var pad1: UInt32 = 0
    /// Length of the message, this header included, in bytes.
    public var size: UInt32 = 0
    /// Bytes after `size`.
    public var pad2: UInt32 = 0

    /// Number of bytes on the wire.
    public static let byteCount = 16

    /// A header of corosync 3 whose fields are all zero.
    public init() {
        self.init(of: .corosync3)
    }

    /// A header of `generation` whose fields are all zero.
    public init(of generation: TotemGeneration) {
        self.generation = generation
    }

    /// The header of a message of `size` bytes for a function of a service, as a daemon of `generation` writes it.
    public init(_ service: ClusterService, function: UInt16, size: Int, of generation: TotemGeneration = .corosync3) {
        self.init(of: generation)
        id = UInt32(service.number(in: generation) ?? 0) << 16 | UInt32(function)
        self.size = UInt32(truncatingIfNeeded: size)
    }

    /// The header of a message of groups `sync` and `syncv2`, as a daemon of `generation` writes it.
    public init(synchronisation function: UInt16, size: Int, of generation: TotemGeneration = .corosync3) {
        self.init(of: generation)
        id = UInt32(function)
        self.size = UInt32(truncatingIfNeeded: size)
    }

    /// The header for the same function of the same service, as a daemon of `generation` writes it; for messages whose layout is the same
    /// in both generations.
    public func restated(for generation: TotemGeneration) -> ServiceHeader {
        guard generation != self.generation else { return self }
        var header = self
        header.generation = generation
        let number = ClusterService(number: service, in: self.generation)?.number(in: generation)
        if let number { header.id = UInt32(number) << 16 | UInt32(function) }
        return header
    }

    /// Reads the header of a message of `generation`.
    public init(reading payload: UnsafeRawBufferPointer, of generation: TotemGeneration, byteOrder: ByteOrder) throws(WireError) {
        self.init(of: generation)
        var reader = WireReader(payload, byteOrder: byteOrder)
        try visit(&reader)
    }

    /// Where the size stands in the header.
    @inlinable
    var sizeOffset: Int { generation.hasSizeFirst ? 0 : 8 }

    /// Number of the service.
    public var service: UInt16 { UInt16(truncatingIfNeeded: id >> 16) }

    /// Number of the function within the service.
    public var function: UInt16 { UInt16(truncatingIfNeeded: id) }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        if generation.hasSizeFirst {
            try visitor.field("size", &size)
            try visitor.field("pad2", &pad2, .padding)
            try visitor.field("id", &id, .hexadecimal)
            try visitor.field("pad1", &pad1, .padding)
        } else {
            try visitor.field("id", &id, .hexadecimal)
            try visitor.field("pad1", &pad1, .padding)
            try visitor.field("size", &size)
            try visitor.field("pad2", &pad2, .padding)
        }
    }
}

/// A message that begins with the header of the services.
public protocol ServiceStructure: WireMessage {
    /// The header; its generation decides the layout.
    var header: ServiceHeader { get set }

    /// A message of `generation` whose fields are all zero.
    init(of generation: TotemGeneration)
}

extension ServiceStructure {
    public init(of generation: TotemGeneration) {
        self.init()
        header = ServiceHeader(of: generation)
    }
}

extension TotemGeneration {
    /// Whether the header of the services has the size in front of the id.
    @inlinable
    var hasSizeFirst: Bool {
        switch self {
        case .totem2005, .openais080, .corosync1: true
        case .corosync2, .corosync3: false
        }
    }
}

/// Where a request came from inside the sending daemon, 16 bytes. Receivers use the sender that Totem names instead.
public struct ServiceMessageSource: WireStructure, Hashable {
    /// Node id of the sender.
    public var nodeid: UInt32 = 0
    /// Bytes after `nodeid`.
    public var pad: UInt32 = 0
    /// The sender's own pointer to the client's connection.
    public var conn: UInt64 = 0

    public init() {}

    /// A source on node `nodeid`.
    public init(nodeid: UInt32) {
        self.nodeid = nodeid
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("nodeid", &nodeid)
        try visitor.field("pad", &pad, .padding)
        try visitor.field("conn", &conn, .hexadecimal)
    }
}
