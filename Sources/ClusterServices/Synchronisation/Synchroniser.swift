import TotemWire

/// Synchronisation of the services on a new ring since corosync 2, and in group `syncv2` of corosync 1 (reference/totem-services.md 7.1.4;
/// sync.c of 3.1.7, syncv2.c@fl): every member names its services; then, for each service that anybody named, every member sends what
/// the service has to say and a barrier, and the service becomes active when the barriers of all members have arrived.
package struct Synchroniser: Sendable {
    /// Where the synchronisation stands.
    private enum Phase: Sendable {
        /// No ring, or all services are synchronised.
        case idle
        /// Waits for the services of every member.
        case building
        /// Service `index` says what it has to say, as often as the token is passed on until it is done.
        case processing(index: Int)
        /// Our barrier for service `index` is on its way; waits for those of every member.
        case waiting(index: Int)
    }

    /// What a message brought about.
    package enum Progress: Sendable, Equatable {
        /// Nothing yet.
        case waiting
        /// `service` becomes active, and another one follows.
        case activate(service: Int32)
        /// `service`, the last one, becomes active.
        case activateLast(service: Int32)
        /// No member has any service.
        case nothingToDo
    }

    /// SERVICES_COUNT_MAX: the daemons' table has no room for more.
    private static let serviceLimit = 64

    private let generation: TotemGeneration
    private var phase = Phase.idle
    private var ring: SyncRing
    private var members: [UInt32] = []
    private var awaited: Set<UInt32> = []
    private var services: [Int32] = []

    /// The synchronisation as daemons of `generation` do it.
    package init(of generation: TotemGeneration = .corosync3) {
        self.generation = generation
        ring = SyncRing(of: generation)
    }

    /// Ends what goes on: messages of the ring that was synchronised no longer count (sync.c:535 of 3.1.7).
    package mutating func abort() {
        phase = .idle
    }

    /// Begins with `ring` of `members`; the answer is to be sent at once.
    package mutating func start(ring: SyncRing, members: [UInt32], services: [Int32]) -> SyncServiceBuild {
        self.ring = ring
        self.members = members
        self.services = services
        awaited = Set(members)
        phase = .building
        return SyncServiceBuild(ring, services: services, of: generation)
    }

    /// Takes the services of member `node`.
    package mutating func receive(_ build: SyncServiceBuild, from node: UInt32) -> Progress {
        guard case .building = phase, build.ring.isSameRing(as: ring) else { return .waiting }
        for service in build.services where !services.contains(service) && services.count < Self.serviceLimit {
            services.append(service)
        }
        awaited.remove(node)
        guard awaited.isEmpty else { return .waiting }
        guard !services.isEmpty else {
            phase = .idle
            return .nothingToDo
        }
        services.sort()
        beginRound(service: 0)
        return .waiting
    }

    /// Takes a barrier of member `node`.
    package mutating func receive(_ barrier: SyncBarrier, from node: UInt32) -> Progress {
        let index: Int
        switch phase {
        case .idle, .building: return .waiting
        case .processing(let current), .waiting(let current): index = current
        }
        guard barrier.ring.isSameRing(as: ring) else { return .waiting }
        awaited.remove(node)
        guard awaited.isEmpty else { return .waiting }
        let service = services[index]
        guard index + 1 < services.count else {
            phase = .idle
            return .activateLast(service: service)
        }
        beginRound(service: index + 1)
        return .activate(service: service)
    }

    /// The service that has something to say now that the token has been passed on.
    package var current: Int32? {
        guard case .processing(let index) = phase else { return nil }
        return services[index]
    }

    /// The service whose turn it is has said everything; the answer goes out behind it. Nil when no service has its turn.
    package mutating func finishService() -> SyncBarrier? {
        guard case .processing(let index) = phase else { return nil }
        phase = .waiting(index: index)
        return SyncBarrier(ring, of: generation)
    }

    private mutating func beginRound(service index: Int) {
        awaited = Set(members)
        phase = .processing(index: index)
    }
}
