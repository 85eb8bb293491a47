import WireFormat

/// `sync.barrier`: its sender has finished the service that is being synchronised (reference/totem-services.md 7.1.4; sync.c:104 of 3.1.7).
public struct SyncBarrier: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "sync" }
    public static var messageName: StaticString { "barrier" }

    /// Function number in group `sync`.
    public static let function: UInt16 = 0

    /// The header.
    public var header = ServiceHeader(synchronisation: function, size: 32)
    /// Ring that is being synchronised.
    public var ringID = RingID()
    /// Bytes behind the ring id.
    public var pad: UInt32 = 0

    public init() {}

    /// A barrier of ring `ringID`.
    public init(ringID: RingID) {
        self.ringID = ringID
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.structure("ring_id", &ringID)
        try visitor.field("pad", &pad, .padding)
    }
}

/// `sync.service-build`: the services its sender wants to synchronise on a new ring (reference/totem-services.md 7.1.4; sync.c:97 of 3.1.7).
public struct SyncServiceBuild: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "sync" }
    public static var messageName: StaticString { "service-build" }

    /// Function number in group `sync`.
    public static let function: UInt16 = 1
    /// Entries of the list on the wire, used or not.
    public static let capacity = 128

    /// The header.
    public var header = ServiceHeader(synchronisation: function, size: 552)
    /// Ring that is being synchronised.
    public var ringID = RingID()
    /// Bytes behind the ring id.
    public var pad1: UInt32 = 0
    /// Used entries of `serviceList`, at most 128.
    public var serviceListEntries: UInt32 = 0
    /// Bytes behind the number of entries.
    public var pad2: UInt32 = 0
    /// All 128 entries; the used ones are numbers of services.
    public var serviceList: [Int32] = []

    public init() {}

    /// The list of at most 128 `services` for ring `ringID`.
    public init(ringID: RingID, services: [Int32]) {
        self.ringID = ringID
        let used = services.prefix(Self.capacity)
        serviceListEntries = UInt32(used.count)
        serviceList = used + Array(repeating: 0, count: Self.capacity - used.count)
    }

    /// The used entries.
    public var services: ArraySlice<Int32> { serviceList.prefix(Int(serviceListEntries)) }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.structure("ring_id", &ringID)
        try visitor.field("pad1", &pad1, .padding)
        let start = visitor.offset
        try visitor.field("service_list_entries", &serviceListEntries)
        guard serviceListEntries <= Self.capacity else {
            throw WireError(
                .outOfBounds(value: Int(serviceListEntries), limit: Self.capacity),
                field: "service_list_entries",
                offset: start
            )
        }
        try visitor.field("pad2", &pad2, .padding)
        try visitor.list("service_list", &serviceList, count: Self.capacity, .decimal)
    }
}
