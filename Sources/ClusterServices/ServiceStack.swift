import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The services of a processor above its ring, without the ring: configurations, ordered messages and the passing of the token in;
/// messages to multicast and events out.
package struct ServiceStack: Sendable {
    private let node: UInt32
    private var synchroniser = Synchroniser()
    private var configurationService: ConfigurationService
    private var processGroups: ProcessGroupService
    private var voteQuorum: VoteQuorumService?
    private var ring = TotemRingID(representative: 0, sequence: 0)

    /// Messages of the services themselves, to be handed to Totem at once.
    package var serviceMessages = Outbox()
    /// Messages of clients, to be handed to Totem while `isSynchronised`, behind those of the services. The daemons make their
    /// clients wait instead (reference/totem-services.md 7.1.4).
    package var clientMessages = Outbox()

    /// Whether the services of the present ring are synchronised.
    package private(set) var isSynchronised = false

    /// The services of the configured processor.
    package init(configuration: ProcessorConfiguration) {
        node = configuration.totem.nodeID
        configurationService = ConfigurationService(node: node, version: configuration.configurationVersion)
        processGroups = ProcessGroupService(node: node, reportsUnheard: configuration.reportsUnheardMessages)
        let node = node
        voteQuorum = configuration.quorum.map { VoteQuorumService(node: node, configuration: $0) }
    }

    /// Votes and quorum as they stand now; nil without a quorum provider.
    package var quorum: VoteQuorum? { voteQuorum?.current }

    /// The processes of group `name`, ascending.
    package func processes(in name: CPGName) -> [CPGProcess] { processGroups.processes(in: name) }

    /// The services that take part in synchronisation (3.1.0 and later; vsf_quorum.c:229 of 3.1.7).
    private var synchronisedServices: [Int32] {
        let services: [ClusterService] = voteQuorum == nil ? [.cmap, .cpg, .quorum] : [.cmap, .cpg, .quorum, .votequorum]
        return services.compactMap { $0.number(in: .corosync3) }.map { Int32($0) }
    }

    // MARK: The ring

    /// The processor starts; it has no ring yet.
    package mutating func start() {
        voteQuorum?.start(into: &serviceMessages)
    }

    /// A configuration of the ring, in its place among the messages.
    package mutating func receive(_ membership: TotemMembership, into effects: inout ProcessorEffects) {
        isSynchronised = false
        effects.report(.membership(membership))
        synchroniser.abort()
        processGroups.abort()
        guard !membership.isTransitional else {
            synchroniser.saveTransitional(membership.members)
            return
        }
        ring = membership.ring
        let build = synchroniser.start(
            ring: ring.wire,
            members: membership.members,
            services: synchronisedServices
        )
        serviceMessages.add(build, to: .synchronisation)
        configurationService.initialise(transitional: synchroniser.transitional)
        processGroups.initialise(transitional: synchroniser.transitional, members: membership.members)
        voteQuorum?.initialise(members: membership.members, ring: ring)
    }

    /// The token has been passed on: the service whose turn it is says what it has to say.
    package mutating func tokenSent() {
        guard let turn = synchroniser.takeTurn() else { return }
        switch service(turn.service) {
        case .cmap: configurationService.process(into: &serviceMessages)
        case .cpg: processGroups.process(into: &serviceMessages)
        case .votequorum: voteQuorum?.process(into: &serviceMessages)
        default: break
        }
        serviceMessages.add(turn.barrier, to: .synchronisation)
    }

    private func service(_ number: Int32) -> ClusterService? {
        UInt16(exactly: number).flatMap { ClusterService(number: $0, in: .corosync3) }
    }

    private mutating func advance(_ progress: Synchroniser.Progress, into effects: inout ProcessorEffects) {
        switch progress {
        case .waiting:
            break
        case .activate(let service):
            activate(service, into: &effects)
        case .activateLast(let service):
            activate(service, into: &effects)
            complete(into: &effects)
        case .nothingToDo:
            complete(into: &effects)
        }
    }

    private mutating func activate(_ number: Int32, into effects: inout ProcessorEffects) {
        switch service(number) {
        case .cmap: configurationService.activate(into: &effects)
        case .cpg: processGroups.activate(into: &effects)
        case .votequorum: voteQuorum?.activate(into: &effects)
        default: break
        }
    }

    private mutating func complete(into effects: inout ProcessorEffects) {
        isSynchronised = true
        effects.report(.synchronised(ring))
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
        guard let group = ServiceGroup(name: group) else {
            effects.report(.refused(.unknownGroup(from: sender)))
            return
        }
        var kind: ServiceMessageKind?
        do throws(WireError) {
            let header = try ServiceHeader(reading: payload, of: .corosync3, byteOrder: byteOrder)
            kind = ServiceMessageKind(header, in: group)
            guard let kind else {
                effects.report(.refused(.unknownFunction(service: header.service, function: header.function, from: sender)))
                return
            }
            try receive(kind, payload, byteOrder: byteOrder, from: sender, into: &effects)
        } catch {
            effects.report(.refused(.malformed(service: (kind?.name ?? group.name).description, error, from: sender)))
        }
    }

    private mutating func receive(
        _ kind: ServiceMessageKind,
        _ payload: UnsafeRawBufferPointer,
        byteOrder: ByteOrder,
        from sender: UInt32,
        into effects: inout ProcessorEffects
    ) throws(WireError) {
        switch kind {
        case .cpgMulticast:
            let message = try CPGMulticast(reading: payload, byteOrder: byteOrder)
            let content = UnsafeRawBufferPointer(rebasing: payload[message.content.range])
            processGroups.receive(message, content, from: sender, into: &effects)
        case .cpgPartialMulticast:
            let message = try CPGPartialMulticast(reading: payload, byteOrder: byteOrder)
            let content = UnsafeRawBufferPointer(rebasing: payload[message.content.range])
            processGroups.receive(message, content, from: sender, into: &effects)
        case .cpgProcessJoin:
            processGroups.receive(try CPGProcessJoin(reading: payload, byteOrder: byteOrder), from: sender, into: &effects)
        case .cpgProcessLeave:
            processGroups.receive(try CPGProcessLeave(reading: payload, byteOrder: byteOrder), from: sender, into: &effects)
        case .cpgJoinList:
            processGroups.receive(try CPGJoinList(reading: payload, byteOrder: byteOrder), from: sender, into: &effects)
        case .cpgDownList:
            // Every node goes by its own view of who left (cpg.c:1292 of 3.1.7).
            _ = try CPGDownList(reading: payload, byteOrder: byteOrder)
        case .cpgDownListOld:
            _ = try CPGDownListOld(reading: payload, byteOrder: byteOrder)
        case .syncBarrier:
            advance(synchroniser.receive(try SyncBarrier(reading: payload, byteOrder: byteOrder), from: sender), into: &effects)
        case .syncServiceBuild:
            advance(synchroniser.receive(try SyncServiceBuild(reading: payload, byteOrder: byteOrder), from: sender), into: &effects)
        case .voteQuorumNodeInfo:
            voteQuorum?.receive(try VoteQuorumNodeInfo(reading: payload, byteOrder: byteOrder), from: sender, into: &effects)
        case .voteQuorumReconfigure:
            voteQuorum?.receive(try VoteQuorumReconfigure(reading: payload, byteOrder: byteOrder), into: &effects)
        case .voteQuorumQdeviceRegistration:
            voteQuorum?.receive(try VoteQuorumQdeviceRegistration(reading: payload, byteOrder: byteOrder), from: sender)
        case .voteQuorumQdeviceReconfigure:
            voteQuorum?.receive(try VoteQuorumQdeviceReconfigure(reading: payload, byteOrder: byteOrder))
        case .cfgKillNode:
            configurationService.receive(try CFGKillNode(reading: payload, byteOrder: byteOrder), from: sender, into: &effects)
        case .cmapMulticast:
            configurationService.receive(try CMAPMulticast(reading: payload, byteOrder: byteOrder), from: sender)
        default:
            // Without effect on other nodes, about files that a processor does not have, or of other generations.
            break
        }
    }

    // MARK: Commands

    /// A client joins group `name` as process `pid`; false when it already has.
    package mutating func join(_ name: CPGName, pid: UInt32) -> Bool {
        processGroups.join(name, pid: pid, into: &clientMessages)
    }

    /// A client leaves group `name`; false when it had not joined.
    package mutating func leave(_ name: CPGName, pid: UInt32, reason: CPGReason = .leave) -> Bool {
        processGroups.leave(name, pid: pid, reason: reason, into: &clientMessages)
    }

    /// A client sends `payload` to group `name`.
    package mutating func send(_ payload: UnsafeRawBufferPointer, to name: CPGName, pid: UInt32) {
        processGroups.send(payload, to: name, pid: pid, into: &clientMessages)
    }

    /// Asks node `node` to exit.
    package mutating func kill(node: UInt32, reason: String) {
        clientMessages.add(CFGKillNode(nodeid: node, reason: reason))
    }

    /// Asks every member to expect `votes`; false when that is refused (`VoteQuorumService.reconfigure`).
    package mutating func reconfigure(expectedVotes votes: UInt32) -> Bool {
        voteQuorum?.reconfigure(expectedVotes: votes, into: &clientMessages) ?? false
    }

    /// Asks every member to count `votes` for `node`; false when that is refused (`VoteQuorumService.reconfigure`).
    package mutating func reconfigure(votes: UInt32, of node: UInt32) -> Bool {
        voteQuorum?.reconfigure(votes: votes, of: node, into: &clientMessages) ?? false
    }

    /// Says what a daemon says before it stops.
    package mutating func leave() {
        // Behind what clients have sent.
        processGroups.leaveAll(into: &clientMessages)
        voteQuorum?.leave(into: &clientMessages)
    }
}
