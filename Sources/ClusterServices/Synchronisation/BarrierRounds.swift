import TotemWire

/// Synchronisation by barriers that only count (reference/totem-services.md 7.1.1; sync.c of openais 0.80 and corosync 1): one before the
/// first service, and one behind what each service says. A service becomes active when the barriers of all members have arrived. Members
/// must have the same number of services, whatever the services are.
package struct BarrierRounds: Sendable {
    /// Where the synchronisation stands. `index` is that of a service, -1 before the first.
    private enum Phase: Sendable {
        /// No ring, or all services are synchronised.
        case idle
        /// Service `index` says what it has to say, as often as the token is passed on until it is done.
        case processing(index: Int)
        /// The barrier behind service `index` goes out with the next token.
        case barrierDue(index: Int)
        /// Waits for the barriers of every member behind service `index`.
        case waiting(index: Int)
    }

    /// What is to be done now that the token has been passed on.
    package enum Turn: Sendable, Equatable {
        /// Let the service speak, and call `finishService` when it is done.
        case process(ClusterService)
        /// Send a barrier.
        case barrier
    }

    /// What a barrier brought about.
    package enum Progress: Sendable, Equatable {
        /// Nothing yet.
        case waiting
        /// The round before the first service is over.
        case begun
        /// The service becomes active, and another one follows.
        case activate(ClusterService)
        /// The service becomes active and was the last one; nil when there are no services.
        case activateLast(ClusterService?)
    }

    private let services: [ClusterService]
    private var phase = Phase.idle
    private var members: [UInt32] = []
    private var awaited: Set<UInt32> = []

    /// The ring that is synchronised.
    package private(set) var ring: SyncRing

    /// Rounds for `services`, in order, of a daemon of `generation`.
    package init(services: [ClusterService], of generation: TotemGeneration) {
        self.services = services
        ring = SyncRing(of: generation)
    }

    /// Whether services are being synchronised.
    package var isActive: Bool { if case .idle = phase { false } else { true } }

    /// Ends what goes on.
    package mutating func abort() {
        phase = .idle
    }

    /// Begins with `ring` of `members`.
    package mutating func start(ring: SyncRing, members: [UInt32]) {
        self.ring = ring
        self.members = members
        awaited = Set(members)
        phase = .barrierDue(index: -1)
    }

    /// What is to be done now that the token has been passed on; nil when nothing is.
    package mutating func takeTurn() -> Turn? {
        switch phase {
        case .idle, .waiting: return nil
        case .processing(let index): return .process(services[index])
        case .barrierDue(let index):
            phase = .waiting(index: index)
            return .barrier
        }
    }

    /// The service whose turn it is has said everything.
    package mutating func finishService() {
        if case .processing(let index) = phase { phase = .barrierDue(index: index) }
    }

    /// Takes a barrier of member `node`. One that arrives while a service is still speaking counts for that service: the daemons forget
    /// who has sent one only when all have (sync.c:392@wt).
    package mutating func receive(_ barrier: SyncBarrier, from node: UInt32) -> Progress {
        let index: Int
        switch phase {
        case .idle: return .waiting
        case .processing(let current), .barrierDue(let current), .waiting(let current): index = current
        }
        guard barrier.ring.isSameRing(as: ring) else { return .waiting }
        awaited.remove(node)
        guard awaited.isEmpty else { return .waiting }
        let service = index < 0 ? nil : services[index]
        guard index + 1 < services.count else {
            phase = .idle
            return .activateLast(service)
        }
        awaited = Set(members)
        phase = .processing(index: index + 1)
        return service.map { .activate($0) } ?? .begun
    }
}
