import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The services of a processor above its ring, without the ring: configurations, ordered messages and the passing of the token in;
/// messages to multicast and events out. Which services there are, and how they are synchronised, the generation decides.
package struct ServiceStack: Sendable {
    let node: UInt32
    package let generation: TotemGeneration
    private let plan: SynchronisationPlan
    private var rounds: BarrierRounds
    private var synchroniser: Synchroniser
    /// Members of corosync 1's ring that take part in its second synchronisation too (syncv2.c:286@fl).
    private var determinedMembers: [UInt32] = []
    private var membership = TotemMembership(
        isTransitional: false,
        ring: TotemRingID(representative: 0, sequence: 0),
        members: [],
        joined: [],
        left: []
    )
    /// Members of the last transitional configuration.
    private var transitional: [UInt32] = []
    private var syncRing: SyncRing

    var configurationService: ConfigurationService
    var processGroups: ProcessGroupService
    var voteQuorum: VoteQuorumService?
    var corosync1VoteQuorum: Corosync1VoteQuorum?
    var cman: CmanOnTotemService?
    var firstCman: FirstCmanService?
    var clusterMembership: ClusterMembershipService
    var events: EventService
    var checkpoints: CheckpointService

    /// Messages of the services themselves, to be handed to Totem at once.
    package var serviceMessages: Outbox
    /// Messages of clients, to be handed to Totem while `isSynchronised`, behind those of the services. The daemons make their
    /// clients wait instead (reference/totem-services.md 7.1.4).
    package var clientMessages: Outbox

    /// Whether the services of the present ring are synchronised.
    package private(set) var isSynchronised = false

    /// The services of the configured processor, among daemons of `generation`.
    package init(of generation: TotemGeneration = .corosync3, configuration: ProcessorConfiguration) {
        node = configuration.totem.nodeID
        self.generation = generation
        plan = SynchronisationPlan(of: generation, configuration)
        rounds = BarrierRounds(services: plan.rounds ?? [], of: generation)
        synchroniser = Synchroniser(of: generation)
        syncRing = SyncRing(of: generation)
        serviceMessages = Outbox(of: generation)
        clientMessages = Outbox(of: generation)
        configurationService = ConfigurationService(node: node, version: configuration.configurationVersion)
        processGroups = ProcessGroupService(
            node: node,
            generation: generation,
            reportsUnheard: configuration.reportsUnheardMessages
        )
        clusterMembership = ClusterMembershipService(of: generation, configuration)
        events = EventService(of: generation)
        checkpoints = CheckpointService(node: node)
        if let settings = configuration.cman, generation == .openais080 || generation == .corosync1 {
            cman = CmanOnTotemService(
                node: node,
                of: generation,
                configuration: settings,
                reportsUnheard: configuration.reportsUnheardMessages
            )
        }
        if let settings = configuration.firstCman, generation == .totem2005 {
            firstCman = FirstCmanService(address: node, configuration: settings)
        }
        guard let quorum = configuration.quorum else { return }
        switch generation {
        case .totem2005, .openais080: break
        case .corosync1: corosync1VoteQuorum = Corosync1VoteQuorum(node: node, configuration: quorum)
        case .corosync2, .corosync3: voteQuorum = VoteQuorumService(node: node, configuration: quorum)
        }
    }

    /// Votes and quorum as they stand now; nil without a quorum provider.
    package var quorum: VoteQuorum? { voteQuorum?.current ?? corosync1VoteQuorum?.current }

    /// The processes of group `name`, ascending.
    package func processes(in name: CPGName) -> [CPGProcess] { processGroups.processes(in: name) }

    /// When `advance` is to be called; nil for never.
    package var nextDeadline: Instant? { voteQuorum?.nextDeadline ?? firstCman?.nextDeadline }

    /// Lets happen what was to happen until `now`.
    package mutating func advance(to now: Instant, into effects: inout ProcessorEffects) {
        voteQuorum?.advance(to: now, into: &effects)
        firstCman?.advance(to: now, into: &effects)
    }

    // MARK: The ring

    /// The processor starts; it has no ring yet.
    package mutating func start(into effects: inout ProcessorEffects) {
        voteQuorum?.start(into: &serviceMessages, &effects)
        corosync1VoteQuorum?.start(into: &serviceMessages)
    }

    /// A configuration of the ring, in its place among the messages.
    package mutating func receive(_ membership: TotemMembership, at now: Instant, into effects: inout ProcessorEffects) {
        isSynchronised = false
        effects.report(.membership(membership))
        rounds.abort()
        synchroniser.abort()
        processGroups.abort()
        cman?.receive(membership, into: &serviceMessages, &effects)
        firstCman?.receive(membership, at: now, into: &serviceMessages, &effects)
        guard !membership.isTransitional else {
            transitional = membership.members
            // What is said at a transitional configuration goes behind what clients have sent, and is not sent before the services are
            // synchronised (totemsrp.c:1932@fl).
            corosync1VoteQuorum?.receive(membership, into: &clientMessages, &effects)
            return
        }
        corosync1VoteQuorum?.receive(membership, into: &serviceMessages, &effects)
        self.membership = membership
        syncRing = generation < .corosync3 ? SyncRing(membership.ring.addressedWire) : SyncRing(membership.ring.wire)
        transitional.removeAll { !membership.members.contains($0) }
        initialise(at: now)
        beginSynchronisation(into: &effects)
    }

    /// Tells the services of the new ring.
    private mutating func initialise(at now: Instant) {
        let members = membership.members
        configurationService.initialise(transitional: transitional)
        processGroups.initialise(transitional: transitional, members: members)
        voteQuorum?.initialise(members: members, ring: membership.ring, at: now)
        clusterMembership.initialise(ringSequence: membership.ring.sequence)
        events.initialise(members: members)
        checkpoints.initialise(members: members)
    }

    // MARK: Synchronisation

    private mutating func beginSynchronisation(into effects: inout ProcessorEffects) {
        determinedMembers.removeAll(keepingCapacity: true)
        if plan.rounds != nil {
            if plan.named != nil {
                let message = SyncBarrier(syncRing, function: SyncBarrier.membershipDetermineFunction, of: generation)
                serviceMessages.add(message, to: .syncv2)
            }
            rounds.start(ring: syncRing, members: membership.members)
        } else if plan.named != nil {
            nameServices(to: membership.members)
        } else {
            complete(into: &effects)
        }
    }

    /// Tells the services of this member to `members`, who do the same.
    private mutating func nameServices(to members: [UInt32]) {
        let services = (plan.named ?? []).compactMap { $0.number(in: generation) }.map { Int32($0) }
        serviceMessages.add(synchroniser.start(ring: syncRing, members: members, services: services), to: plan.group)
    }

    /// The token has been passed on: the service whose turn it is says what it has to say.
    package mutating func tokenSent() {
        switch rounds.takeTurn() {
        case .barrier: serviceMessages.add(SyncBarrier(rounds.ring, of: generation), to: .synchronisation)
        case .process(let service): if process(service) { rounds.finishService() }
        case nil:
            guard let number = synchroniser.current, process(service(number)) else { return }
            guard let barrier = synchroniser.finishService() else { return }
            serviceMessages.add(barrier, to: plan.group)
        }
    }

    private func service(_ number: Int32) -> ClusterService? {
        UInt16(exactly: number).flatMap { ClusterService(number: $0, in: generation) }
    }

    /// Lets `service` speak; true when it has said everything. A service that only others have says nothing.
    private mutating func process(_ service: ClusterService?) -> Bool {
        switch service {
        case .cmap: configurationService.process(into: &serviceMessages)
        case .cpg: processGroups.process(into: &serviceMessages)
        case .votequorum: voteQuorum?.process(into: &serviceMessages)
        case .clm: clusterMembership.process(into: &serviceMessages)
        case .evt: return events.process(into: &serviceMessages)
        case .ckpt where generation == .openais080: return checkpoints.process(ring: syncRing, into: &serviceMessages)
        default: break
        }
        return true
    }

    private mutating func activate(_ service: ClusterService?, into effects: inout ProcessorEffects) {
        switch service {
        case .cmap: configurationService.activate(into: &effects)
        case .cpg: processGroups.activate(into: &effects)
        case .votequorum: voteQuorum?.activate(into: &effects)
        case .ckpt: checkpoints.activate()
        default: break
        }
    }

    private mutating func complete(into effects: inout ProcessorEffects) {
        isSynchronised = true
        effects.report(.synchronised(membership.ring))
    }

    /// A barrier of group `sync`.
    private mutating func receive(_ barrier: SyncBarrier, from sender: UInt32, into effects: inout ProcessorEffects) {
        guard plan.rounds != nil else {
            advance(synchroniser.receive(barrier, from: sender), into: &effects)
            return
        }
        switch rounds.receive(barrier, from: sender) {
        case .waiting, .begun:
            break
        case .activate(let service):
            activate(service, into: &effects)
        case .activateLast(let service):
            activate(service, into: &effects)
            guard plan.named != nil else {
                complete(into: &effects)
                return
            }
            // A member that did not say so is taken for an openais, and is not waited for (syncv2.c:578@fl).
            nameServices(to: determinedMembers.isEmpty ? membership.members : determinedMembers)
        }
    }

    /// A member of corosync 1 will take part in the second synchronisation.
    private mutating func receiveDetermination(_ message: SyncBarrier, from sender: UInt32) {
        guard message.ring.isSameRing(as: syncRing), membership.members.contains(sender) else { return }
        if !determinedMembers.contains(sender) { determinedMembers.append(sender) }
    }

    private mutating func advance(_ progress: Synchroniser.Progress, into effects: inout ProcessorEffects) {
        switch progress {
        case .waiting:
            break
        case .activate(let number):
            activate(service(number), into: &effects)
        case .activateLast(let number):
            activate(service(number), into: &effects)
            complete(into: &effects)
        case .nothingToDo:
            complete(into: &effects)
        }
    }

    // MARK: Messages

    /// A message of the total order from node `sender` in Totem group `group`.
    package mutating func receive(
        _ payload: UnsafeRawBufferPointer,
        group: UnsafeRawBufferPointer,
        byteOrder: ByteOrder,
        from sender: UInt32,
        into effects: inout ProcessorEffects
    ) {
        guard generation > .totem2005 else {
            receiveOf2005(payload, byteOrder: byteOrder, from: sender, into: &effects)
            return
        }
        guard let group = ServiceGroup(name: group), group != .ykd, group != .cman || cman != nil else {
            effects.report(.refused(.unknownGroup(from: sender)))
            return
        }
        var kind: ServiceMessageKind?
        do throws(WireError) {
            guard group != .cman else {
                try cman?.receive(payload, byteOrder: byteOrder, from: sender, into: &serviceMessages, &effects)
                return
            }
            let header = try ServiceHeader(reading: payload, of: generation, byteOrder: byteOrder)
            kind = ServiceMessageKind(header, in: group)
            guard let kind else {
                effects.report(.refused(.unknownFunction(service: header.service, function: header.function, from: sender)))
                return
            }
            let message = ReceivedMessage(kind: kind, bytes: payload, generation: generation, byteOrder: byteOrder, sender: sender)
            if group == .services {
                try receive(message, into: &effects)
            } else {
                try receiveSynchronisation(message, into: &effects)
            }
        } catch {
            effects.report(.refused(.malformed(service: (kind?.name ?? group.name).description, error, from: sender)))
        }
    }

    /// A message of 2005, when Totem had no groups and nothing but cman above it.
    private mutating func receiveOf2005(
        _ payload: UnsafeRawBufferPointer,
        byteOrder: ByteOrder,
        from sender: UInt32,
        into effects: inout ProcessorEffects
    ) {
        do throws(WireError) {
            try firstCman?.receive(payload, byteOrder: byteOrder, from: sender, into: &serviceMessages, &effects)
        } catch {
            effects.report(.refused(.malformed(service: ServiceGroup.cman.protocolName.description, error, from: sender)))
        }
    }

    /// A message of groups `sync` and `syncv2`.
    private mutating func receiveSynchronisation(_ message: ReceivedMessage, into effects: inout ProcessorEffects) throws(WireError) {
        let sender = message.sender
        switch message.kind {
        case .syncBarrier: receive(try message.read(SyncBarrier.self), from: sender, into: &effects)
        case .syncv2MembershipDetermine: receiveDetermination(try message.read(SyncBarrier.self), from: sender)
        case .syncServiceBuild, .syncv2ServiceBuild:
            advance(synchroniser.receive(try message.read(SyncServiceBuild.self), from: sender), into: &effects)
        case .syncv2Barrier:
            advance(synchroniser.receive(try message.read(SyncBarrier.self), from: sender), into: &effects)
        default: break
        }
    }
}
