import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// A member of a cluster on Totem without I/O: a processor of the generation of `Dialect`, and above it the services of that generation:
/// synchronisation, CPG, votequorum, CFG and whatever else its daemons have.
public struct ClusterProcessor<Dialect: TotemDialect>: NodeEngine {
    public typealias Destination = TotemDestination
    public typealias Event = ProcessorEvent

    /// What the processor was told.
    public let configuration: ProcessorConfiguration

    /// The ring; replays set the counters that a recorded daemon had.
    package var totem: TotemNode<Dialect>
    var services: ServiceStack
    private var ringEffects = Effects<TotemDestination, TotemEvent>()
    private var departure: Departure?

    /// What is left to do before the ring is left.
    private struct Departure: Sendable {
        /// Visits of the token after which nothing waits: the one that took the last message along, and one more, by which
        /// others can have asked for what they missed.
        var tokens = 2
        /// When the processor leaves without having said it.
        var deadline: Instant
    }

    /// A processor that has not started. The same seed gives the same behaviour.
    public init(configuration: ProcessorConfiguration, seed: UInt64) {
        self.configuration = configuration
        totem = TotemNode<Dialect>(configuration: configuration.totem, seed: seed)
        totem.pausesWhileSynchronising = true
        services = ServiceStack(of: Dialect.generation, configuration: configuration)
    }

    /// Its node id.
    public var id: UInt32 { configuration.totem.nodeID }

    /// State of its ring.
    public var state: TotemState { totem.state }

    /// The ring whose members `members` are.
    public var ring: TotemRingID { totem.ring }

    /// Members of the last regular configuration, ascending; empty before the first.
    public var members: [UInt32] { totem.members }

    /// Whether the services of the present ring are synchronised; CPG and quorum are valid only then.
    public var isSynchronised: Bool { services.isSynchronised }

    /// Votes and quorum as they stand now; nil without a quorum provider.
    public var quorum: VoteQuorum? { services.quorum }

    /// What has happened on the ring so far, in numbers.
    public var counters: TotemCounters { totem.counters }

    /// The processes of group `group`, ascending.
    public func processes(in group: String) -> [CPGProcess] {
        CPGName(group.utf8).map(services.processes(in:)) ?? []
    }

    // MARK: Engine

    public mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        arrival: Arrival,
        at now: Instant,
        into effects: inout ProcessorEffects
    ) {
        totem.receive(datagram, from: source, arrival: arrival, at: now, into: &ringEffects)
        carryOut(at: now, into: &effects)
    }

    public mutating func advance(to now: Instant, into effects: inout ProcessorEffects) {
        totem.advance(to: now, into: &ringEffects)
        services.advance(to: now, into: &effects)
        carryOut(at: now, into: &effects)
        if let departure, departure.deadline <= now { leaveRing(at: now, into: &effects) }
    }

    public var nextDeadline: Instant? {
        [totem.nextDeadline, services.nextDeadline, departure?.deadline].lazy.compactMap { $0 }.min()
    }

    // MARK: Membership

    /// Begins to look for others.
    public mutating func start(at now: Instant, into effects: inout ProcessorEffects) {
        guard totem.state == .idle else { return }
        totem.start(at: now, into: &ringEffects)
        services.start(into: &effects)
        carryOut(at: now, into: &effects)
    }

    /// Sends what waits, says what a stopping daemon says, that its processes are gone, and then leaves the ring. The state is
    /// `left` when that is done, which takes some rounds of the token and at most the time of its loss. `reason` is what cman on Totem says:
    /// 0 the node goes down, 3 it is removed and quorum may fall.
    public mutating func leave(reason: UInt16 = 0, at now: Instant, into effects: inout ProcessorEffects) {
        guard departure == nil else { return }
        services.leave(reason: reason)
        guard totem.state == .operational, isSynchronised,
            totem.hasWaitingMessages || !services.clientMessages.isEmpty || !services.serviceMessages.isEmpty
        else {
            leaveRing(at: now, into: &effects)
            return
        }
        departure = Departure(deadline: now + configuration.totem.timers.token)
        carryOut(at: now, into: &effects)
    }

    private mutating func leaveRing(at now: Instant, into effects: inout ProcessorEffects) {
        departure = nil
        totem.leave(at: now, into: &ringEffects)
        carryOut(at: now, into: &effects)
    }

    /// Asks node `node` to exit at once; `reason` goes into its log. Daemons before corosync 1 have no such order; cman has its own
    /// (`cmanKill`).
    public mutating func kill(
        node: UInt32,
        reason: String = "",
        at now: Instant,
        into effects: inout ProcessorEffects
    ) throws(TotemSendError) {
        try requireRoom(CFGKillNode.byteCount)
        services.kill(node: node, reason: reason)
        carryOut(at: now, into: &effects)
    }

    // MARK: Groups

    /// A process of this node joins group `group`. The change comes as an event once every member has it in its place in the order.
    /// False when it has joined before, or the name has no byte or more than 128.
    @discardableResult
    public mutating func join(group: String, pid: UInt32, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard let name = CPGName(group.utf8), name.length > 0, services.join(name, pid: pid) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// A process of this node leaves group `group`, or is gone (`processDown`); false when it had not joined.
    @discardableResult
    public mutating func leave(
        group: String,
        pid: UInt32,
        reason: CPGReason = .leave,
        at now: Instant,
        into effects: inout ProcessorEffects
    ) -> Bool {
        guard let name = CPGName(group.utf8), services.leave(name, pid: pid, reason: reason) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// Process `pid` of this node sends `payload` to every process of group `group`, which it has joined. It comes back as an event in
    /// its place in the order. Until the services are synchronised it waits.
    public mutating func send(
        _ payload: UnsafeRawBufferPointer,
        group: String,
        from pid: UInt32,
        at now: Instant,
        into effects: inout ProcessorEffects
    ) throws(TotemSendError) {
        guard Dialect.generation > .totem2005 else { throw .notRunning }
        guard payload.count <= services.largestMessage, let name = CPGName(group.utf8) else {
            throw .tooLarge(payload.count)
        }
        try requireRoom(payload.count)
        services.send(payload, to: name, pid: pid)
        carryOut(at: now, into: &effects)
    }

    func requireRoom(_ count: Int) throws(TotemSendError) {
        guard totem.state != .idle, totem.state != .left, departure == nil else { throw .notRunning }
        // A message of the largest size must be possible whatever the limit is, but only one.
        let waiting = services.clientMessages.byteCount + services.serviceMessages.byteCount
        guard waiting == 0 || waiting + count <= configuration.pendingLimit else { throw .queueFull }
    }

    // MARK: Quorum

    /// Asks every member to expect `votes`; false when a daemon would refuse: fewer than are present, or quorum would be lost.
    @discardableResult
    public mutating func reconfigure(expectedVotes votes: UInt32, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard services.reconfigure(expectedVotes: votes) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    /// Asks every member to count `votes` for `node`; false when a daemon would refuse: the node is unknown, or quorum would be lost.
    @discardableResult
    public mutating func reconfigure(votes: UInt32, of node: UInt32, at now: Instant, into effects: inout ProcessorEffects) -> Bool {
        guard services.reconfigure(votes: votes, of: node) else { return false }
        carryOut(at: now, into: &effects)
        return true
    }

    // MARK: Effects

    /// Brings what the ring reports to the services, and what the services say to the ring, until neither has anything left.
    mutating func carryOut(at now: Instant, into effects: inout ProcessorEffects) {
        repeat {
            var tokens = takeRingEffects(at: now, into: &effects)
            while totem.isDeliveryPaused {
                totem.resumeDelivery(into: &ringEffects)
                tokens += takeRingEffects(at: now, into: &effects)
            }
            if tokens > 0 {
                services.tokenSent()
                count(tokens, at: now)
            }
            Self.handOver(&services.serviceMessages, to: &totem, at: now, into: &ringEffects)
            if services.isSynchronised, services.serviceMessages.isEmpty {
                Self.handOver(&services.clientMessages, to: &totem, at: now, into: &ringEffects)
            }
        } while !ringEffects.isEmpty
    }

    /// Takes what the ring did; returns how often it passed on the token.
    private mutating func takeRingEffects(at now: Instant, into effects: inout ProcessorEffects) -> Int {
        let tokens = Self.take(ringEffects, at: now, into: &services, &effects)
        ringEffects.removeAll()
        if services.isSynchronised { totem.completeSynchronisation() }
        return tokens
    }

    private static func take(
        _ ringEffects: Effects<TotemDestination, TotemEvent>,
        at now: Instant,
        into services: inout ServiceStack,
        _ effects: inout ProcessorEffects
    ) -> Int {
        var tokens = 0
        for effect in ringEffects.effects {
            switch effect {
            case .transmit(let range, let destination):
                effects.transmit(ringEffects.withBytes(range) { effects.keep($0) }, to: destination)
            case .event(.message(let sender, let group, let payload, let byteOrder)):
                ringEffects.withBytes(group) { group in
                    ringEffects.withBytes(payload) {
                        services.receive($0, group: group, byteOrder: byteOrder, from: sender, into: &effects)
                    }
                }
            case .event(.membership(let membership)): services.receive(membership, at: now, into: &effects)
            case .event(.tokenSent): tokens += 1
            case .event(.state(let state)): effects.report(.ring(state))
            case .event(.storeRingSequence(let sequence)): effects.report(.storeRingSequence(sequence))
            case .event(.duplicateIdentity(let source)): effects.report(.duplicateIdentity(from: source))
            case .event(.refused(let refusal)): effects.report(.refused(.ring(refusal)))
            }
        }
        return tokens
    }

    private static func handOver(
        _ outbox: inout Outbox,
        to totem: inout TotemNode<Dialect>,
        at now: Instant,
        into ringEffects: inout Effects<TotemDestination, TotemEvent>
    ) {
        outbox.drain { group, head, payload in
            do throws(TotemSendError) {
                try totem.send(head, followedBy: payload, group: group.name, at: now, into: &ringEffects)
                return true
            } catch {
                // A full queue empties with the token. A processor that does not run has nobody to tell.
                return error != .queueFull
            }
        }
    }

    private mutating func count(_ tokens: Int, at now: Instant) {
        guard var departure, tokens > 0, services.clientMessages.isEmpty, !totem.hasWaitingMessages else { return }
        departure.tokens -= tokens
        guard departure.tokens > 0 else {
            self.departure = nil
            totem.leave(at: now, into: &ringEffects)
            return
        }
        self.departure = departure
    }
}
