import CmanWire
import EngineKit
import WireFormat

/// What a legacy node wants done.
public typealias CmanEffects = Effects<CmanDestination, CmanEvent>

/// One member of a legacy cman cluster (cman-5): reliable delivery, membership, quorum, barriers, ports, and the answers that the
/// service manager of every member owes. It does no I/O; see `NodeEngine`.
///
/// The parts live in extensions: `Delivery` sends, receives and acknowledges, `Membership` joins, follows and masters transitions,
/// `Services` holds barriers, ports and the service manager's answers. Where implementations differ, `CmanProfileRules` says how.
public struct CmanNode: NodeEngine {
    /// What it was told.
    public let configuration: CmanConfiguration

    let rules: CmanProfileRules
    let clusterNumber: UInt16
    let ownAddresses: [CmanSocketAddress]
    var random: RandomSource
    var timers = Deadlines<CmanTimer>()
    /// The time of the input that is being worked on.
    var now = Instant.zero

    // Delivery
    var sequence: UInt16 = 0
    var slots: DatagramSlots
    var scratchSlot: Int
    var queues: OutgoingQueues
    var outstanding: OutstandingMessage?
    var currentInterface = 0
    var nextTag: UInt64 = 0
    /// Last reliable sequences of an earlier run of this node, for nodes that are not in the table yet.
    var restoredSequences: [UInt32: UInt16] = [:]

    // Membership
    var role = MembershipRole.idle
    var table: NodeTable
    var transition = TransitionRecord()
    var currentGeneration: UInt32 = 1
    var quorumNow = CmanNode.noQuorum
    var configVersion: UInt32
    /// Votes of a quorum device, and when its program last said that it works.
    var quorumDevice: (votes: UInt8, seen: Instant)?
    var newClusterValue: UInt32 = 0
    var transitionEnded = Instant.zero
    /// When the next HELLO is due, kept to notice that this node did not run when it was.
    var helloDue = Instant.zero
    /// What came of JOINCONF so far.
    var joinList = JoinList()
    var lastAdmission: (name: [UInt8], at: Instant)?
    var pendingDeaths: [UInt32] = []
    var deferred = DeferredMessages()
    var pendingLeave: CmanLeaveReason?

    // Services
    var ports: PortSet
    let heldPorts: PortSet
    var barriers: [Barrier] = []
    var probes: [ListenerProbe] = []
    var nextProbeTag: UInt16 = 0
    var highestGroupNumber: UInt32 = 0

    /// A node that is not in a cluster yet; `seed` makes its random choices repeatable.
    public init(configuration: CmanConfiguration, seed: UInt64) {
        self.init(configuration: configuration, seed: seed, rules: CmanProfileRules(configuration.profile))
    }

    package init(configuration: CmanConfiguration, seed: UInt64, rules: CmanProfileRules) {
        self.configuration = configuration
        self.rules = rules
        clusterNumber = cmanClusterNumber(configuration.clusterName.utf8)
        ownAddresses = configuration.addresses.map { CmanSocketAddress($0) }
        random = RandomSource(seed: seed)
        queues = OutgoingQueues(bound: configuration.timers.queueLimit)
        var slots = DatagramSlots()
        scratchSlot = slots.take()
        self.slots = slots
        table = NodeTable(own: Self.ownRecord(configuration, ownAddresses))
        configVersion = configuration.configVersion
        ports = PortSet(configuration.listeningPorts.union(configuration.heldPorts))
        heldPorts = PortSet(configuration.heldPorts)
    }

    /// Before there is a cluster: not quorate.
    static let noQuorum = CmanQuorum(quorum: 1, totalVotes: 0, expectedVotes: 0)

    static func ownRecord(_ configuration: CmanConfiguration, _ addresses: [CmanSocketAddress]) -> NodeRecord {
        NodeRecord(
            id: 0,
            name: Array(configuration.nodeName.utf8),
            votes: configuration.votes,
            expectedVotes: configuration.expectedVotes,
            state: .joining,
            addresses: addresses,
            endpoints: configuration.addresses,
            isSelf: true,
            lastHello: .zero
        )
    }

    // MARK: What it knows

    /// State of the membership machine.
    public var state: CmanState { role.state }

    /// Its node id; 0 before it has one.
    public var id: UInt32 { table[0].id }

    /// Generation of the cluster, raised by every transition.
    public var generation: UInt32 { currentGeneration }

    /// All nodes it knows, itself and dead ones included, ordered by id.
    public var members: [CmanMember] {
        table.records.map(\.member).sorted { $0.id < $1.id }
    }

    /// Quorum as of the last transition or reconfiguration.
    public var quorum: CmanQuorum { quorumNow }

    /// Whether a transition is under way, which blocks ports above 9.
    public var isInTransition: Bool { role.isInTransition }

    /// Messages that wait to be sent, the one that waits for acknowledgements not counted.
    public var queuedMessages: Int { queues.count }

    /// Sequence number of the last reliable message received from `node` and not held; nil when there was none. A message whose
    /// acknowledgement is held is not done with: should this node start again, it has to be received once more.
    public func lastReliableSequence(of node: UInt32) -> UInt16? {
        guard let index = table.index(ofID: node) else { return restoredSequences[node] }
        return table[index].lastAcknowledgeable == 0 ? nil : table[index].lastAcknowledgeable
    }

    /// Takes over what `lastReliableSequence` said before a restart, so that retransmissions of messages that were received then are
    /// recognised. To be called before `join`.
    public mutating func restoreLastReliableSequences(_ sequences: [UInt32: UInt16]) {
        restoredSequences = sequences
    }

    // MARK: NodeEngine

    public typealias Destination = CmanDestination
    public typealias Event = CmanEvent

    public var nextDeadline: Instant? { timers.next }

    public mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        arrival: Arrival,
        at now: Instant,
        into effects: inout CmanEffects
    ) {
        self.now = now
        processDatagram(datagram, from: source, arrival: arrival, into: &effects)
        settle(into: &effects)
    }

    public mutating func advance(to now: Instant, into effects: inout CmanEffects) {
        while let timer = timers.takeDue(at: now) {
            self.now = now
            switch timer {
            case .retransmit: retransmissionIsDue(into: &effects)
            case .membership: membershipTimeout(into: &effects)
            case .announcement: announceNewCluster(into: &effects)
            case .transition: transitionTimeout(into: &effects)
            case .barrier: barrierTimeout(into: &effects)
            case .leave: leaveNow(into: &effects)
            case .hello: helloIsDue(into: &effects)
            }
            settle(into: &effects)
        }
    }

    /// What follows every input: messages that may go out now, and what waited for the end of a transition.
    mutating func settle(into effects: inout CmanEffects) {
        processDeferred(into: &effects)
        sendQueued(into: &effects)
        if pendingLeave != nil, canLeave { leaveNow(into: &effects) }
    }

    /// Whether more than `interval` went by since `earlier`, in the time base of the implementation.
    func hasPassed(_ interval: Interval, since earlier: Instant) -> Bool {
        guard rules.countsWholeSeconds else { return now - earlier > interval }
        let second: Int64 = 1_000_000_000
        return now.nanoseconds / second - earlier.nanoseconds / second > interval.nanoseconds / second
    }

    mutating func change(to newRole: MembershipRole, into effects: inout CmanEffects) {
        let before = role.state
        role = newRole
        if newRole.state != before { effects.report(.state(newRole.state)) }
    }
}

/// A set of ports.
struct PortSet: Sendable {
    private var words = InlineArray<4, UInt64>(repeating: 0)

    init(_ ports: Set<UInt8>) {
        for port in ports { insert(port) }
    }

    func contains(_ port: UInt8) -> Bool { words[Int(port >> 6)] & 1 << UInt64(port & 63) != 0 }

    mutating func insert(_ port: UInt8) { words[Int(port >> 6)] |= 1 << UInt64(port & 63) }

    mutating func remove(_ port: UInt8) { words[Int(port >> 6)] &= ~(1 << UInt64(port & 63)) }
}
