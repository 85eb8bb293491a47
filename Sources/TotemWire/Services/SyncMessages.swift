import WireFormat

/// The ring that is being synchronised, as messages of synchronisation name it, with the bytes that align what follows.
public enum SyncRing: Sendable, Hashable {
    /// openais 0.80 to corosync 2: 30 bytes, compared with memcmp (sync.c:379@wt), and 2 behind them.
    case addressed(AddressedRingID, pad: UInt16)
    /// corosync 3: 12 bytes, and 4 behind them.
    case bare(RingID, pad: UInt32)

    /// `ring`, as messages of its generation name it.
    public init(_ ring: RingID) {
        self = .bare(ring, pad: 0)
    }

    /// `ring`, as messages of its generation name it.
    public init(_ ring: AddressedRingID) {
        self = .addressed(ring, pad: 0)
    }

    /// No ring, as `generation` says it.
    public init(of generation: TotemGeneration) {
        switch generation {
        case .totem2005, .openais080, .corosync1, .corosync2: self = .addressed(AddressedRingID(), pad: 0)
        case .corosync3: self = .bare(RingID(), pad: 0)
        }
    }

    /// The ring by node id and sequence number.
    public var identity: RingID {
        switch self {
        case .addressed(let ring, _): RingID(representative: ring.representativeNodeID, sequence: ring.sequence)
        case .bare(let ring, _): ring
        }
    }

    /// Whether both are the same ring: every byte of it the same, whatever the padding (memcmp in sync.c:379@wt, sync.c:217 of 3.1.7).
    public func isSameRing(as other: SyncRing) -> Bool {
        switch (self, other) {
        case (.addressed(let ring, _), .addressed(let other, _)): ring == other
        case (.bare(let ring, _), .bare(let other, _)): ring == other
        default: false
        }
    }

    /// Number of bytes on the wire.
    var byteCount: Int {
        switch self {
        case .addressed: 32
        case .bare: 16
        }
    }

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        switch self {
        case .addressed(var ring, var pad):
            try visitor.structure("ring_id", &ring)
            try visitor.field("ring_id.pad", &pad, .padding)
            self = .addressed(ring, pad: pad)
        case .bare(var ring, var pad):
            try visitor.structure("ring_id", &ring)
            try visitor.field("ring_id.pad", &pad, .padding)
            self = .bare(ring, pad: pad)
        }
    }
}

/// `sync.barrier`: its sender has finished the service that is being synchronised (reference/totem-services.md 7.1; sync.c:128@wt, sync.c:104
/// of 3.1.7). Group `syncv2` of corosync 1 has the same message, and one more of the same layout, `syncv2.memb-determine`: its sender
/// will take part in that synchronisation (syncv2.c:66@fl).
public struct SyncBarrier: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "sync" }
    public static var messageName: StaticString { "barrier" }

    /// Function number in groups `sync` and `syncv2`.
    public static let function: UInt16 = 0
    /// Function number of MEMB_DETERMINE in group `syncv2`.
    public static let membershipDetermineFunction: UInt16 = 2

    /// The header.
    public var header = ServiceHeader(synchronisation: function, size: 32)
    /// Ring that is being synchronised, as it is on the wire.
    public var ring = SyncRing(of: .corosync3)

    public init() {}

    public init(of generation: TotemGeneration) {
        header = ServiceHeader(of: generation)
        ring = SyncRing(of: generation)
    }

    /// A barrier of ring `ringID` of corosync 3.
    public init(ringID: RingID) {
        ring = SyncRing(ringID)
    }

    /// A barrier of `ring`, or with another `function` the message of the same layout, as a daemon of `generation` writes it.
    public init(_ ring: SyncRing, function: UInt16 = SyncBarrier.function, of generation: TotemGeneration) {
        header = ServiceHeader(synchronisation: function, size: ServiceHeader.byteCount + ring.byteCount, of: generation)
        self.ring = ring
    }

    /// Ring that is being synchronised.
    public var ringID: RingID { ring.identity }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try ring.visit(&visitor)
    }
}

/// `sync.service-build`: the services its sender wants to synchronise on a new ring (reference/totem-services.md 7.1.4; sync.c:97 of 3.1.7);
/// `syncv2.service-build` in corosync 1 (syncv2.c:66@fl).
public struct SyncServiceBuild: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "sync" }
    public static var messageName: StaticString { "service-build" }

    /// Function number in groups `sync` and `syncv2`.
    public static let function: UInt16 = 1
    /// Entries of the list on the wire, used or not.
    public static let capacity = 128

    /// The header.
    public var header = ServiceHeader(synchronisation: function, size: 552)
    /// Ring that is being synchronised, as it is on the wire.
    public var ring = SyncRing(of: .corosync3)
    /// Used entries of `serviceList`, at most 128.
    public var serviceListEntries: UInt32 = 0
    /// Bytes behind the number of entries.
    public var pad: UInt32 = 0
    /// All 128 entries; the used ones are numbers of services.
    public var serviceList: [Int32] = []

    public init() {}

    public init(of generation: TotemGeneration) {
        header = ServiceHeader(of: generation)
        ring = SyncRing(of: generation)
    }

    /// The list of at most 128 `services` for ring `ringID` of corosync 3.
    public init(ringID: RingID, services: [Int32]) {
        self.init(SyncRing(ringID), services: services, of: .corosync3)
    }

    /// The list of at most 128 `services` for `ring`, as a daemon of `generation` writes it.
    public init(_ ring: SyncRing, services: [Int32], of generation: TotemGeneration) {
        let size = ServiceHeader.byteCount + ring.byteCount + 8 + Self.capacity * MemoryLayout<Int32>.size
        header = ServiceHeader(synchronisation: Self.function, size: size, of: generation)
        self.ring = ring
        let used = services.prefix(Self.capacity)
        serviceListEntries = UInt32(used.count)
        serviceList = used + Array(repeating: 0, count: Self.capacity - used.count)
    }

    /// Ring that is being synchronised.
    public var ringID: RingID { ring.identity }

    /// The used entries.
    public var services: ArraySlice<Int32> { serviceList.prefix(Int(serviceListEntries)) }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try ring.visit(&visitor)
        let start = visitor.offset
        try visitor.field("service_list_entries", &serviceListEntries)
        guard serviceListEntries <= Self.capacity else {
            throw WireError(
                .outOfBounds(value: Int(serviceListEntries), limit: Self.capacity),
                field: "service_list_entries",
                offset: start
            )
        }
        try visitor.field("pad", &pad, .padding)
        try visitor.list("service_list", &serviceList, count: Self.capacity, .decimal)
    }
}
