import WireFormat

/// What every message of corosync's services starts with: libqb's request header, 16 bytes (reference/totem-services.md 7.0).
public struct ServiceHeader: WireStructure, Hashable {
    /// The service in the upper 16 bits, its function in the lower 16. Messages of group `sync` have the function alone.
    public var id: UInt32 = 0
    /// Bytes after `id`.
    public var pad1: UInt32 = 0
    /// Length of the message, this header included, in bytes.
    public var size: UInt32 = 0
    /// Bytes after `size`.
    public var pad2: UInt32 = 0

    /// Number of bytes on the wire.
    public static let byteCount = 16

    public init() {}

    /// The header of a message of `size` bytes for a function of a service.
    public init(_ service: CorosyncService, function: UInt16, size: Int) {
        id = UInt32(service.rawValue) << 16 | UInt32(function)
        self.size = UInt32(truncatingIfNeeded: size)
    }

    /// The header of a message of group `sync`.
    public init(synchronisation function: UInt16, size: Int) {
        id = UInt32(function)
        self.size = UInt32(truncatingIfNeeded: size)
    }

    /// Number of the service.
    public var service: UInt16 { UInt16(truncatingIfNeeded: id >> 16) }

    /// Number of the function within the service.
    public var function: UInt16 { UInt16(truncatingIfNeeded: id) }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("id", &id, .hexadecimal)
        try visitor.field("pad1", &pad1, .padding)
        try visitor.field("size", &size)
        try visitor.field("pad2", &pad2, .padding)
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

/// The services of corosync 2 and 3 by number (corodefs.h:43-51 in both; reference/totem-services.md 7.0).
public enum CorosyncService: UInt16, Sendable, Hashable, CaseIterable {
    case cmap = 0
    case cfg = 1
    case cpg = 2
    case quorum = 3
    case pload = 4
    case votequorum = 5
    case mon = 6
    case wd = 7
}

/// The process groups of Totem that corosync's services use (reference/totem-services.md 7.0).
public enum ServiceGroup: String, Sendable, Hashable, CaseIterable {
    /// Messages of the services.
    case services = "a"
    /// Messages of the synchronisation of the services.
    case synchronisation = "sync"

    /// The group named by `bytes`, or nil when corosync's services do not use it.
    @inlinable
    public init?(name bytes: UnsafeRawBufferPointer) {
        if bytes.elementsEqual("a".utf8) {
            self = .services
        } else if bytes.elementsEqual("sync".utf8) {
            self = .synchronisation
        } else {
            return nil
        }
    }
}
