import EngineKit
import TotemWire
import WireFormat

/// One processor of the Totem single ring protocol, with process groups on top, as the generation of `Dialect` runs it
/// (reference/totem-engine.md; line numbers are those of totemsrp.c and totempg.c at v3.1.7 unless they say otherwise). What differs
/// between the generations in behaviour stands in `TotemRules`, what differs in layout in `Dialect`.
///
/// Copies of the processor's own JOINs and hold cancels, and tokens that it passes to itself when it is alone in its ring, are
/// handled inside; nothing that a processor sends may be handed back to it.
public struct TotemNode<Dialect: TotemDialect>: NodeEngine {
    public typealias Destination = TotemDestination
    public typealias Event = TotemEvent

    /// What its methods write their effects into.
    public typealias Output = TotemEffects

    /// What the processor was told.
    public let configuration: TotemConfiguration

    /// State of the membership machine.
    public internal(set) var state: TotemState = .idle

    /// What has happened so far, in numbers.
    public internal(set) var counters = TotemCounters()

    /// Members of the last regular configuration, in the order of the ring; empty before the first.
    public internal(set) var members: [UInt32] = []

    /// The ring whose commit token this processor saw last. While `state` is operational it is the ring of `members`.
    public var ring: TotemRingID { TotemRingID(ringID) }

    /// Whether the services have not yet synchronised in this ring: what is sent now goes in front of what waited from before.
    public var isWaitingForSynchronisation: Bool { awaitsTransAck }

    /// Whether messages of this processor wait for the token.
    public var hasWaitingMessages: Bool { backlog > 0 || !packer.isEmpty }

    /// Whether delivery pauses after each packet until the services have synchronised. The daemons synchronise at a certain place in
    /// the total order, and which set of open messages a packet belongs to depends on it (assembly_ref totempg.c:290); whoever
    /// runs the services needs to call `completeSynchronisation` in that place.
    public var pausesWhileSynchronising = false

    /// Whether packets are handed in that waited when the token came, before the token: JOINs among them are dropped from corosync 1 on,
    /// because they speak of a time before the token (totemudp.c:1288@fl, 4492@ma). Their senders repeat them.
    public var isFlushing = false

    /// Whether delivery has paused; `resumeDelivery` goes on with it.
    public internal(set) var isDeliveryPaused = false

    /// What this generation does in its own way.
    let rules: TotemRules

    // Identity and rings.
    var identities: Identities<Dialect>
    var ringID: Dialect.Ring
    /// The last ring that was operational (my_old_ring_id).
    var oldRingID = Dialect.Ring()
    /// The highest ring sequence number used or heard of (token_ring_id_seq).
    var highestRingSequence: UInt64

    // Membership.
    var gathering = Gathering()
    /// Members of the ring that is being formed (my_new_memb_list).
    var newMembers: [UInt32] = []
    /// Those of them that come from this processor's old ring (my_trans_memb_list).
    var transitionalMembers: [UInt32] = []
    /// Senders whose messages are delivered in the transitional configuration (my_deliver_memb_list).
    var deliverableMembers: [UInt32] = []
    var commitToken = Commit()

    // The token.
    var token = Token()
    var passing = TokenPassing()
    var flow = FlowControl()
    var recovery = RecoveryProgress()

    // Messages.
    var received = ReceivedRange()
    var oldRingState = OldRingState()
    var packets: PacketStore
    var regularQueue: SortQueue
    var recoveryQueue: SortQueue
    var outgoing: PacketQueue
    /// What is sent between a new ring and the end of synchronisation (new_message_queue_trans).
    var transitionalOutgoing: PacketQueue
    /// Messages of the old ring that are sent again in recovery (retrans_message_queue).
    var recoveryOutgoing = PacketQueue(limit: SortQueue.windowSize)
    /// Counts this processor's messages (global_seqno).
    package var messageCounter: Int32 = 0
    var awaitsTransAck: Bool

    // Process groups.
    var packer: Packer
    var assemblies = Assemblies(Dialect.generation)
    var groupHeaders = GroupHeaderCache()

    // Timers and what waits for them.
    var deadlines = Deadlines<TotemTimer>()
    /// When the pause timer ran last.
    var pauseCheck = Instant.zero
    var ownCopies: [OwnCopy] = []
    var ownToken: [UInt8] = []

    /// Time that a datagram takes from a host to itself; keeps a processor that is alone from passing the token infinitely fast.
    package var loopbackDelay = Interval.microseconds(100)

    /// Bytes in front of an mcast's payload.
    let messageHeaderSize: Int
    /// The byte order of what this processor sends; tests have rings of hosts of both.
    package var byteOrder = ByteOrder.host
    /// Number before the first message of a ring (SEQNO_START_MSG); tests begin close to the roll-over.
    package var messageSequenceStart: UInt32 = 0

    /// A processor that has not started. `seed` is every engine's; with `send_join` 0, as here, Totem draws no random number.
    public init(configuration: TotemConfiguration, seed: UInt64 = 0) {
        self.configuration = configuration
        rules = TotemRules(Dialect.generation)
        identities = Identities(configuration)
        let first = configuration.storedRingSequence &+ (rules.countsRingAtStart ? 1 : 0)
        ringID = Dialect.ring(of: identities[configuration.nodeID], sequence: first)
        highestRingSequence = ringID.sequence
        messageHeaderSize = (try? Message().bytes(limit: 256).count) ?? 0
        packets = PacketStore(slotSize: max(2048, configuration.networkMTU + 2 * messageHeaderSize))
        regularQueue = SortQueue(head: 0)
        recoveryQueue = SortQueue(head: 0)
        outgoing = PacketQueue(limit: configuration.queueLimit)
        transitionalOutgoing = PacketQueue(limit: configuration.queueLimit)
        packer = Packer(packetLimit: configuration.networkMTU, fillsPackets: rules.fillsPackets, packsRests: rules.packsRests)
        awaitsTransAck = rules.waitsForSynchronisation
    }

    /// By how much a starting processor counts its stored ring number up; replays work back from the first JOIN.
    package static var ringsCountedAtStart: UInt64 { TotemRules(Dialect.generation).countsRingAtStart ? 1 : 0 }

    /// Sets the timer of merge detection, which in a recorded daemon ran out at this time, or did not run.
    package mutating func expectMergeDetection(at time: Instant?) { deadlines[.mergeDetect] = time }

    /// Lets the timer of the held token run out at `time`, as in a recorded daemon; false when it does not run.
    package mutating func expectRelease(at time: Instant) -> Bool {
        guard deadlines[.hold] != nil else { return false }
        deadlines[.hold] = time
        return true
    }

    /// When the timer of merge detection runs out.
    package var mergeDetectionDeadline: Instant? { deadlines[.mergeDetect] }

    /// Takes the names that processors of a recording have, with whatever stands behind their addresses.
    package mutating func remember(_ names: [Dialect.Address]) {
        for name in names { identities.remember(name) }
        ringID = Dialect.ring(of: ownAddress, sequence: ringID.sequence)
    }

    var nodeID: UInt32 { configuration.nodeID }

    /// How messages name this processor.
    var ownAddress: Dialect.Address { identities[nodeID] }

    /// Whether this processor is the representative of its ring, the first member in the order of the ring.
    var isRepresentative: Bool { newMembers.first == nodeID }

    /// Begins to look for others.
    public mutating func start(at now: Instant, into effects: inout Output) {
        guard state == .idle else { return }
        regularQueue.removeAll(newHead: messageSequenceStart, from: &packets)
        received = ReceivedRange(start: messageSequenceStart)
        oldRingState = OldRingState(allReceivedUpTo: messageSequenceStart, highSequence: messageSequenceStart)
        restartPauseCheck(at: now)
        enterGather(at: now, into: &effects)
        if rules.gathersTwiceAtStart { enterGather(at: now, into: &effects) }
        handleOwnCopies(at: now, into: &effects)
    }

    /// Says goodbye and stops; the others form a ring without waiting for the loss of the token.
    public mutating func leave(at now: Instant, into effects: inout Output) {
        guard state != .idle, state != .left else { return }
        sendLeave(into: &effects)
        deadlines.removeAll()
        ownCopies.removeAll()
        change(to: .left, into: &effects)
    }

    public var nextDeadline: Instant? { deadlines.next }

    public mutating func advance(to now: Instant, into effects: inout Output) {
        while let timer = deadlines.takeDue(at: now) {
            expire(timer, at: now, into: &effects)
            handleOwnCopies(at: now, into: &effects)
        }
    }

    public mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        arrival: Arrival,
        at now: Instant,
        into effects: inout Output
    ) {
        guard state != .idle, state != .left else { return }
        handle(datagram, from: source, at: now, into: &effects)
        handleOwnCopies(at: now, into: &effects)
    }

    mutating func change(to newState: TotemState, into effects: inout Output) {
        guard state != newState else { return }
        state = newState
        effects.report(.state(newState))
    }

    private mutating func expire(_ timer: TotemTimer, at now: Instant, into effects: inout Output) {
        switch timer {
        case .ownToken: receiveOwnToken(at: now, into: &effects)
        case .tokenRetransmit: resendToken(at: now, into: &effects)
        case .hold: releaseHeldToken(at: now, into: &effects)
        case .mergeDetect: sendMergeDetect(into: &effects)
        case .join: repeatJoin(at: now, into: &effects)
        case .consensus: giveUpOnSilentProcessors(at: now, into: &effects)
        case .token: tokenIsLost(at: now, into: &effects)
        case .heartbeat: tokenIsLost(at: now, into: &effects)
        case .pause: restartPauseCheck(at: now)
        }
    }

    mutating func restartPauseCheck(at now: Instant) {
        guard rules.flushesJoins else { return }
        pauseCheck = now
        deadlines[.pause] = now + configuration.timers.token / 5
    }
}
