import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// cman on Totem as every member of RHEL 5 and RHEL 6 runs it, in Totem group `CMAN` (reference/ais-behaviour.md 3-5, totem-services.md 7.7;
/// commands.c and ais.c of both). It does not depend on the synchronisation of the services: what it says is sent at once.
package struct CmanOnTotemService: Sendable {
    /// More nodes cannot be in a ring.
    static let nodeLimit = 384

    let id: UInt32
    let generation: TotemGeneration
    let reportsUnheard: Bool
    var configuration: CmanOnTotemConfiguration
    var nodes: [UInt32: CmanOnTotemNode] = [:]
    var quorum: UInt32 = 0
    var isQuorate = false
    /// Whether a member has a newer configuration file than this node.
    var isOutdated = false
    var lastReport: CmanOnTotemQuorum?
    /// Votes of this node's quorum device while it is alive.
    var deviceVotes: UInt32 = 0
    var barriers: [[UInt8]: CmanOnTotemBarrierState] = [:]
    private var isFirst = true

    /// cman of node `id` on Totem of `generation`, which is alone as yet.
    package init(
        node id: UInt32,
        of generation: TotemGeneration,
        configuration: CmanOnTotemConfiguration,
        reportsUnheard: Bool = false
    ) {
        self.id = id
        self.generation = generation
        self.configuration = configuration
        self.reportsUnheard = reportsUnheard
        for (node, votes) in configuration.votes {
            // A node that was read from the file, as cman3 says of itself ever after (cman_join_cluster@cman3).
            let flags: CmanOnTotemNodeFlags = configuration.release == .cman3 ? .reread : []
            nodes[node] = CmanOnTotemNode(votes: votes, expectedVotes: configuration.expectedVotes, flags: flags)
        }
        nodes[id, default: CmanOnTotemNode(votes: 1, expectedVotes: configuration.expectedVotes)].ports.insert(0)
        if configuration.release == .cman2 { nodes[id]?.state = .member }
    }

    /// The members, ascending.
    package var members: [UInt32] { nodes.filter { $0.value.state == .member }.keys.sorted() }

    /// Whether this node sees nodes that came back with state of their own.
    var seesDisallowed: Bool { nodes.values.contains { $0.state == .disallowed } }

    // MARK: The ring

    /// A configuration of the ring: who left is gone at once, who joined becomes a member by its TRANSITION (ais.c:418@cman2).
    mutating func receive(_ membership: TotemMembership, into outbox: inout Outbox, _ effects: inout ProcessorEffects) {
        for node in membership.left { remove(node, into: &effects, &outbox) }
        guard !membership.isTransitional else { return }
        say(.transition(transition), into: &outbox)
        switch configuration.release {
        case .cman2: isFirst = false
        case .cman3: if membership.members.count > 1 { isFirst = false }
        }
    }

    /// What this node says of itself.
    private var transition: CmanOnTotemTransition {
        let us = nodes[id] ?? CmanOnTotemNode()
        var transition = CmanOnTotemTransition(of: generation)
        transition.firstTransition = isFirst ? 1 : 0
        transition.clusterID = configuration.clusterID
        transition.votesOrHighNodeID = Int32(clamping: configuration.release == .cman3 ? us.votes : nodes.keys.max() ?? id)
        transition.expectedVotes = Int32(clamping: us.expectedVotes)
        transition.majorVersion = 6
        transition.minorVersion = configuration.release == .cman3 ? 2 : 1
        transition.configVersion = configuration.configVersion
        transition.flags = (seesDisallowed ? us.flags.union(.seesDisallowed) : us.flags).rawValue
        transition.fenceTime = us.fenceTime
        transition.joinTime = configuration.joinTime
        for (index, byte) in configuration.clusterName.utf8.prefix(15).enumerated() { transition.clusterName.bytes[index] = byte }
        transition.fenceAgent = us.fenceAgent
        return transition
    }

    // MARK: Messages

    /// A message of group `CMAN` from node `sender`; `bytes` is all of it.
    package mutating func receive(
        _ bytes: UnsafeRawBufferPointer,
        byteOrder: ByteOrder,
        from sender: UInt32,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) throws(WireError) {
        let service = try ServiceMessage(reading: bytes, in: .cman, of: generation, byteOrder: byteOrder)
        guard case .cman(let message) = service.body else { return }
        // The daemons believe the header; ids of cman and Totem are the same, so that another one is a lie (ais-behaviour.md 2).
        guard UInt32(exactly: message.header.srcid) == sender else {
            effects.report(.refused(.wrongSource(claimed: message.header.srcid, from: sender)))
            return
        }
        guard message.header.tgtid == 0 || UInt32(exactly: message.header.tgtid) == id else { return }
        guard case .data(let range) = message.body else {
            receive(message, from: sender, into: &outbox, &effects)
            return
        }
        let port = message.header.tgtport
        guard nodes[id]?.ports.contains(port) == true else {
            if reportsUnheard { effects.report(.cman(.unheard(node: sender, port: port))) }
            return
        }
        let payload = effects.keep(UnsafeRawBufferPointer(rebasing: bytes[range.range]))
        let target = UInt32(message.header.tgtid)
        effects.report(
            .cman(.data(node: sender, sourcePort: message.header.srcport, target: target, targetPort: port, payload: payload))
        )
    }

    private mutating func receive(
        _ message: CmanOnTotemMessage,
        from sender: UInt32,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        switch message.body {
        case .transition(let transition): receive(transition, from: sender, into: &outbox, &effects)
        case .portOpened(let port): receiveOpened(port.port, of: sender, into: &effects)
        case .portClosed(let port): receiveClosed(port.port, of: sender, into: &effects)
        case .portEnquiry: say(.portStatus(nodes[id]?.ports ?? CmanOnTotemPortStatus()), into: &outbox)
        case .portStatus(let ports): receive(ports, of: sender, into: &effects)
        case .barrier(let barrier): receive(barrier, from: sender, into: &outbox, &effects)
        case .killNode(let kill): if UInt32(exactly: kill.nodeID) == id { effects.report(.killed(by: sender)) }
        case .leave(let leave): receive(leave, from: sender, into: &effects)
        case .reconfigure(let order): receive(order, from: sender, into: &outbox, &effects)
        case .fenceStatus(let status): receive(status, from: sender, into: &effects)
        case .unknown(let command): effects.report(.refused(.unknownCommand(command, from: sender)))
        case .ack, .joinRequest, .joinConfirmation, .data, .none: break
        }
    }

    // MARK: Sending

    /// Sends a message of port 0 to node `target`, 0 for everyone.
    func say(_ body: CmanOnTotemMessage.Body, to target: UInt32 = 0, flags: UInt32 = 0, into outbox: inout Outbox) {
        var message = CmanOnTotemMessage(.ack, of: generation)
        message.header = CmanOnTotemHeader(source: Int32(clamping: id), sourcePort: 0, target: Int32(clamping: target), targetPort: 0)
        message.header.flags = flags
        message.body = body
        outbox.add(message, to: .cman)
    }

    /// Sends `payload` of a program at `sourcePort` to port `port`, not 0, of node `target`, 0 for everyone, this node included.
    package func send(
        _ payload: UnsafeRawBufferPointer,
        to target: UInt32,
        port: UInt8,
        from sourcePort: UInt8,
        into outbox: inout Outbox
    ) {
        var message = CmanOnTotemMessage(.data, of: generation)
        message.header = CmanOnTotemHeader(
            source: Int32(clamping: id),
            sourcePort: sourcePort,
            target: Int32(clamping: target),
            targetPort: port
        )
        outbox.add(message, to: .cman, payload: payload)
    }
}
