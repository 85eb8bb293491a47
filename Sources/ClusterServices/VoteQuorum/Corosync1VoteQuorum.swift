import EngineKit
import TotemNode
import TotemWire

/// votequorum of corosync 1 as every member runs it (reference/totem-services.md 7.3; services/votequorum.c@fl). It takes no part in
/// synchronisation: every member tells its votes at each configuration of the ring. Nodes with state of their own (`quorum.disallowed`) are
/// not told apart.
struct Corosync1VoteQuorum: Sendable {
    /// What is known of a node.
    private struct Node: Sendable {
        enum State: Sendable {
            case member, dead, leaving
        }
        var state = State.dead
        var votes: UInt32 = 0
        var expectedVotes: UInt32 = 0
    }

    /// VOTEQUORUM_MAJOR_VERSION.
    private static let majorVersion: UInt32 = 7

    private let id: UInt32
    private let configuration: VoteQuorumConfiguration
    private var nodes: [UInt32: Node] = [:]
    private var quorum: UInt32 = 0
    private var isQuorate = false
    private var isFirst = true
    private var ring = TotemRingID(representative: 0, sequence: 0)
    private var lastReport: VoteQuorum?

    /// The votequorum of node `id`, which is alone as yet.
    init(node id: UInt32, configuration: VoteQuorumConfiguration) {
        self.id = id
        self.configuration = configuration
        us = Node(state: .member, votes: configuration.votes, expectedVotes: configuration.expectedVotes)
        recalculate(allowDecrease: false, byCurrentNodes: false)
    }

    /// Quorum as it stands now.
    var current: VoteQuorum {
        VoteQuorum(
            ring: ring,
            quorum: quorum,
            totalVotes: presentVotes,
            expectedVotes: us.expectedVotes,
            isQuorate: isQuorate,
            votes: nodes.filter { $0.value.state == .member }.mapValues(\.votes)
        )
    }

    // MARK: The ring

    /// What a daemon says as soon as it starts.
    func start(into outbox: inout Outbox) {
        outbox.add(ownRecord)
    }

    /// A configuration, transitional or regular, of which the daemon makes no difference (services/votequorum.c:871@fl).
    mutating func receive(_ membership: TotemMembership, into outbox: inout Outbox, _ effects: inout ProcessorEffects) {
        if membership.members.count > 1 { isFirst = false }
        var wasLeaving = false
        for node in membership.left where nodes[node] != nil {
            if nodes[node]?.state == .leaving { wasLeaving = true }
            nodes[node]?.state = .dead
        }
        if !membership.members.isEmpty { outbox.add(ownRecord) }
        if !membership.left.isEmpty { recalculate(allowDecrease: wasLeaving, byCurrentNodes: wasLeaving) }
        ring = membership.ring
        if !membership.isTransitional { report(into: &effects) }
    }

    // MARK: Messages

    /// Takes the votes of node `sender`. One that sees disallowed nodes, which this one does not, makes a daemon exit.
    mutating func receive(_ message: Corosync1NodeInfo, from sender: UInt32, into effects: inout ProcessorEffects) {
        let known = nodes[sender]
        guard known != nil || nodes.count < VoteQuorumService.nodeLimit else {
            effects.report(.refused(.tableFull(service: "votequorum", from: sender)))
            return
        }
        guard message.flags & Self.seesDisallowedFlag == 0 else {
            effects.report(.seesDisallowed(sender))
            return
        }
        let node = Node(state: .member, votes: message.votes, expectedVotes: message.expectedVotes)
        nodes[sender] = node
        let changed = known?.votes != node.votes || known?.expectedVotes != node.expectedVotes || known?.state != node.state
        if changed || message.firstTransition != 0 { recalculate(allowDecrease: false, byCurrentNodes: false) }
        reportChange(into: &effects)
    }

    /// Takes a change of votes that an administrator made on some node, or that a node is about to leave.
    mutating func receive(_ message: Corosync1Reconfigure, into effects: inout ProcessorEffects) {
        // 0 is the daemon's own name for itself (services/votequorum.c:737@fl).
        let node = message.nodeid == 0 ? id : message.nodeid
        guard nodes[node] != nil else { return }
        switch Corosync1Reconfigure.Parameter(rawValue: message.param) {
        case .expectedVotes:
            for (id, known) in nodes where known.state == .member {
                nodes[id]?.expectedVotes = min(known.expectedVotes, message.value)
            }
            recalculate(allowDecrease: true, byCurrentNodes: false)
        case .nodeVotes:
            nodes[node]?.votes = message.value
            recalculate(allowDecrease: true, byCurrentNodes: false)
        case .leaving:
            if message.value == 1, nodes[node]?.state == .member { nodes[node]?.state = .leaving }
            if message.value == 0, nodes[node]?.state == .leaving { nodes[node]?.state = .member }
        case nil:
            return
        }
        reportChange(into: &effects)
    }

    /// Takes the order that a node is to exit.
    func receive(_ message: Corosync1VoteQuorumKill, from sender: UInt32, into effects: inout ProcessorEffects) {
        if message.nodeid == id { effects.report(.killed(by: sender)) }
    }

    // MARK: Commands

    /// Asks every member to expect `votes`; false when a daemon would refuse: quorum would be lost, or not be a majority.
    mutating func reconfigure(expectedVotes votes: UInt32, into outbox: inout Outbox) -> Bool {
        let needed = calculate(allowDecrease: true, expectedVotes: votes)
        guard needed >= presentVotes / 2, needed <= presentVotes else { return false }
        outbox.add(Corosync1Reconfigure(.expectedVotes, value: votes, nodeid: id))
        return true
    }

    /// Asks every member to count `votes` for `node`; false when a daemon would refuse: the node is unknown, or quorum would be lost.
    mutating func reconfigure(votes: UInt32, of node: UInt32, into outbox: inout Outbox) -> Bool {
        guard let old = nodes[node]?.votes else { return false }
        nodes[node]?.votes = votes
        let needed = calculate(allowDecrease: true, expectedVotes: 0)
        guard needed >= presentVotes / 2, needed <= presentVotes else {
            nodes[node]?.votes = old
            return false
        }
        outbox.add(Corosync1Reconfigure(.nodeVotes, value: votes, nodeid: node))
        return true
    }

    // MARK: Calculation

    private static let seesDisallowedFlag: UInt32 = 8
    private static let usFlag: UInt32 = 128

    private var us: Node {
        get { nodes[id] ?? Node() }
        set { nodes[id] = newValue }
    }

    private var ownRecord: Corosync1NodeInfo {
        var record = Corosync1NodeInfo(of: .corosync1)
        record.header = ServiceHeader(.votequorum, function: VoteQuorumFunction.nodeinfo.rawValue, size: 48, of: .corosync1)
        record.firstTransition = isFirst ? 1 : 0
        record.votes = us.votes
        record.expectedVotes = us.expectedVotes
        record.majorVersion = Self.majorVersion
        record.flags = Self.usFlag
        return record
    }

    private var presentVotes: UInt32 {
        nodes.values.reduce(0) { $1.state == .member ? $0 &+ $1.votes : $0 }
    }

    /// The votes that are needed (`calculate_quorum`, services/votequorum.c:612@fl). `expectedVotes` 0 takes the highest of the members.
    private func calculate(allowDecrease: Bool, expectedVotes: UInt32) -> UInt32 {
        let members = nodes.values.filter { $0.state == .member }
        let expected = expectedVotes > 0 ? expectedVotes : members.map(\.expectedVotes).max() ?? 0
        var needed = max((expected &+ 2) / 2, (presentVotes &+ 2) / 2)
        if !allowDecrease { needed = max(needed, quorum) }
        return configuration.twoNode && members.count <= 2 ? 1 : needed
    }

    private mutating func recalculate(allowDecrease: Bool, byCurrentNodes: Bool) {
        let count = nodes.values.reduce(0) { $1.state == .member ? $0 + 1 : $0 }
        if presentVotes > us.expectedVotes { us.expectedVotes = presentVotes }
        let expected: UInt32 = byCurrentNodes ? UInt32(count) : 0
        quorum = calculate(allowDecrease: allowDecrease, expectedVotes: expected)
        if expected > 0 {
            for (id, node) in nodes where node.state == .member { nodes[id]?.expectedVotes = expected }
        }
        isQuorate = quorum <= presentVotes
    }

    // MARK: Reports

    private mutating func report(into effects: inout ProcessorEffects) {
        let quorum = current
        lastReport = quorum
        effects.report(.quorum(quorum))
    }

    private mutating func reportChange(into effects: inout ProcessorEffects) {
        if lastReport != nil, current != lastReport { report(into: &effects) }
    }
}
