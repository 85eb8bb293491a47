import EngineKit
import TotemNode
import TotemWire

/// votequorum as every member runs it since corosync 2 (reference/totem-services.md 7.3; votequorum.c of 3.1.7). A quorum device is counted
/// when others tell of one; this node has none of its own.
package struct VoteQuorumService: Sendable {
    /// What is known of a node.
    private struct Node: Sendable {
        enum State: Sendable {
            case member, dead, leaving
        }
        var state = State.dead
        var votes: UInt32 = 0
        var expectedVotes: UInt32 = 0
        var flags: VoteQuorumFlags = []
    }

    /// PROCESSOR_COUNT_MAX: the daemons' table has no room for more.
    static let nodeLimit = 384

    private let id: UInt32
    private let configuration: VoteQuorumConfiguration
    private let waitsForAll: Bool
    private var nodes: [UInt32: Node] = [:]
    private var deviceVotes: UInt32 = 0
    private var deviceName: [UInt8] = []
    private var quorum: UInt32 = 0
    private var isQuorate = false
    private var isWaitingForAll = false
    /// Expected votes that `allow_downscale` does not go below (`ev_barrier`).
    private var expectedVotesBarrier: UInt32
    /// Expected votes that `expected_votes_tracking` does not go below (`ev_tracking_barrier`).
    private var trackedExpectedVotes: UInt32
    private var storedExpectedVotes: UInt32
    private let tracksExpectedVotes: Bool
    /// Whether last_man_standing is on: not when a node has more than one vote.
    private var lastManStanding: Bool
    private var members: [UInt32] = []
    private var tieBreaker: TieBreaker
    private var ring = TotemRingID(representative: 0, sequence: 0)
    private var isSynchronising = false
    private var lastReport: VoteQuorum?

    /// When expected votes follow the members down (last_man_standing); nil when they do not.
    package private(set) var nextDeadline: Instant?

    /// The votequorum of node `id`, which is alone as yet.
    package init(node id: UInt32, configuration: VoteQuorumConfiguration) {
        self.id = id
        self.configuration = configuration
        waitsForAll = configuration.waitForAll ?? configuration.twoNode
        expectedVotesBarrier = configuration.expectedVotes
        tracksExpectedVotes = configuration.tracksExpectedVotes || configuration.allowDownscale
        trackedExpectedVotes = configuration.storedExpectedVotes
        storedExpectedVotes = configuration.storedExpectedVotes
        lastManStanding = configuration.lastManStanding
        tieBreaker = TieBreaker(configuration.twoNode ? nil : configuration.tieBreaker, node: id)
        us = Node(state: .member, votes: configuration.votes, expectedVotes: configuration.expectedVotes, flags: .first)
        if waitsForAll { setWaitingForAll(true) }
        recalculate(allowDecrease: false, byCurrentNodes: false)
    }

    /// Quorum as it stands now.
    package var current: VoteQuorum {
        VoteQuorum(
            ring: ring,
            quorum: quorum,
            totalVotes: countedVotes.votes,
            expectedVotes: us.expectedVotes,
            isQuorate: isQuorate,
            votes: nodes.filter { $0.value.state == .member }.mapValues(\.votes)
        )
    }

    // MARK: Synchronisation

    /// What a daemon says as soon as it starts.
    package mutating func start(into outbox: inout Outbox, _ effects: inout ProcessorEffects) {
        storeTrackedExpectedVotes(into: &effects)
        outbox.add(ownRecord)
    }

    /// A new ring of `members`.
    package mutating func initialise(members: [UInt32], ring: TotemRingID, at now: Instant) {
        isSynchronising = true
        if members.count > 1 { us.flags.remove(.first) }
        let gone = self.members.filter { !members.contains($0) }
        for node in gone { nodes[node]?.state = .dead }
        awaitLastManStanding(members: members, hasLost: !gone.isEmpty, at: now)
        tieBreaker.enter(members: members)
        self.members = members
        self.ring = ring
    }

    /// Starts the window after which expected votes follow the members down (votequorum.c:2406 of 3.1.7).
    private mutating func awaitLastManStanding(members: [UInt32], hasLost: Bool, at now: Instant) {
        guard lastManStanding else { return }
        let count = UInt32(members.count)
        let isTied = count <= quorum && tieBreaker.isOn && tieBreaker.hasLowest(among: presentNodes)
        guard (count >= quorum && hasLost) || isTied else { return }
        nextDeadline = now + configuration.lastManStandingWindow
    }

    /// The window of last_man_standing may have passed.
    package mutating func advance(to now: Instant, into effects: inout ProcessorEffects) {
        guard let deadline = nextDeadline, deadline <= now else { return }
        nextDeadline = nil
        guard isQuorate else { return }
        recalculate(allowDecrease: true, byCurrentNodes: true)
        reportChange(into: &effects)
    }

    /// What is said while votequorum is synchronised: the own record first, because receivers need it for the second one.
    package func process(into outbox: inout Outbox) {
        outbox.add(ownRecord)
        outbox.add(VoteQuorumNodeInfo(nodeid: 0, votes: deviceVotes, expectedVotes: 0, flags: []))
        if !deviceName.isEmpty { outbox.add(VoteQuorumQdeviceRegistration(registering: deviceName)) }
    }

    /// Every member has told its votes.
    package mutating func activate(into effects: inout ProcessorEffects) {
        recalculate(allowDecrease: false, byCurrentNodes: false)
        isSynchronising = false
        report(into: &effects)
    }

    // MARK: Messages

    /// Takes the votes of a node or of the quorum device.
    package mutating func receive(_ message: VoteQuorumNodeInfo, from sender: UInt32, into effects: inout ProcessorEffects) {
        if message.nodeid == 0 {
            receiveDeviceRecord(message, from: sender, into: &effects)
        } else {
            receiveNodeRecord(message, from: sender, into: &effects)
        }
        reportChange(into: &effects)
    }

    private mutating func receiveDeviceRecord(
        _ message: VoteQuorumNodeInfo,
        from sender: UInt32,
        into effects: inout ProcessorEffects
    ) {
        // A daemon asserts that it knows the sender (votequorum.c:2123 of 3.1.7).
        guard let node = nodes[sender] else {
            effects.report(.refused(.unknownVoter(sender)))
            return
        }
        let votes = !isQuorate && node.flags.contains(.quorate) ? message.votes : max(deviceVotes, message.votes)
        guard votes != deviceVotes else { return }
        deviceVotes = votes
        recalculate(allowDecrease: false, byCurrentNodes: false)
    }

    private mutating func receiveNodeRecord(
        _ message: VoteQuorumNodeInfo,
        from sender: UInt32,
        into effects: inout ProcessorEffects
    ) {
        let known = nodes[message.nodeid]
        if known == nil, nodes.count >= Self.nodeLimit, !forgetDeadNode() {
            effects.report(.refused(.tableFull(service: "votequorum", from: sender)))
            return
        }
        var node = known ?? Node()
        node.flags = VoteQuorumFlags(rawValue: message.flags)
        node.votes = message.votes
        node.state = node.flags.contains(.leaving) ? .leaving : .member
        nodes[message.nodeid] = node

        var allowDecrease = node.state == .leaving
        if !isQuorate, node.flags.contains(.quorate) {
            allowDecrease = true
            us.expectedVotes = message.expectedVotes
        }
        let tellsExpectedVotes = node.flags.contains(.quorate) || tracksExpectedVotes
        node.expectedVotes = tellsExpectedVotes ? message.expectedVotes : us.expectedVotes
        nodes[message.nodeid]?.expectedVotes = node.expectedVotes
        if lastManStanding, node.votes > 1 {
            lastManStanding = false
            nextDeadline = nil
        }

        let changed =
            known?.state != node.state || known?.votes != node.votes || known?.expectedVotes != node.expectedVotes
            || known?.flags != node.flags
        if changed || message.nodeid == id || node.flags.contains(.first) {
            recalculate(allowDecrease: allowDecrease, byCurrentNodes: node.state == .leaving)
        }
        if waitsForAll, !node.flags.contains(.waitForAllStatus), node.flags.contains(.quorate) { setWaitingForAll(false) }
    }

    /// Takes a change of votes that an administrator made on some node.
    package mutating func receive(_ message: VoteQuorumReconfigure, into effects: inout ProcessorEffects) {
        switch VoteQuorumReconfigure.Parameter(rawValue: message.param) {
        case .expectedVotes:
            setExpectedVotes(message.value)
            expectedVotesBarrier = message.value
            if tracksExpectedVotes { us.expectedVotes = max(us.expectedVotes, trackedExpectedVotes) }
            recalculate(allowDecrease: true, byCurrentNodes: false)
        case .nodeVotes:
            guard nodes[message.nodeid] != nil else { return }
            nodes[message.nodeid]?.votes = message.value
            recalculate(allowDecrease: true, byCurrentNodes: false)
        case .cancelWaitForAll:
            setWaitingForAll(false)
            recalculate(allowDecrease: false, byCurrentNodes: false)
        case nil:
            return
        }
        reportChange(into: &effects)
    }

    /// Takes the name of another node's quorum device, which members repeat to newcomers.
    package mutating func receive(_ message: VoteQuorumQdeviceRegistration, from sender: UInt32) {
        if message.operation == 1 {
            if deviceName.isEmpty, sender != id { deviceName = Array(message.name.prefix { $0 != 0 }) }
        } else if !nodes.values.contains(where: { $0.state == .member && $0.flags.contains(.qdeviceRegistered) }) {
            deviceName = []
        }
    }

    /// Takes another name of the quorum device.
    package mutating func receive(_ message: VoteQuorumQdeviceReconfigure) {
        guard message.oldname.prefix(while: { $0 != 0 }).elementsEqual(deviceName) else { return }
        deviceName = Array(message.newname.prefix { $0 != 0 })
    }

    // MARK: Commands

    /// Asks every member to expect `votes`; false when a daemon would refuse: fewer than are present, or quorum would be lost.
    package mutating func reconfigure(expectedVotes votes: UInt32, into outbox: inout Outbox) -> Bool {
        let present = countedVotes.votes
        let needed = quorum(allowDecrease: true, expectedVotes: votes, usesBarrier: false)
        guard votes >= present, !isQuorate || needed <= present else { return false }
        setExpectedVotes(votes)
        outbox.add(VoteQuorumReconfigure(.expectedVotes, value: votes, nodeid: id))
        return true
    }

    /// Asks every member to count `votes` for `node`; false when a daemon would refuse: the node is unknown, or quorum would be lost.
    package mutating func reconfigure(votes: UInt32, of node: UInt32, into outbox: inout Outbox) -> Bool {
        guard let old = nodes[node]?.votes else { return false }
        nodes[node]?.votes = votes
        let present = countedVotes.votes
        let needed = quorum(allowDecrease: true, expectedVotes: 0, usesBarrier: true)
        guard needed >= present / 2, needed <= present else {
            nodes[node]?.votes = old
            return false
        }
        outbox.add(VoteQuorumReconfigure(.nodeVotes, value: votes, nodeid: node))
        return true
    }

    /// What is said before leaving; nothing unless `allow_downscale` is set (votequorum.c:2246 of 3.1.7).
    package mutating func leave(into outbox: inout Outbox) {
        guard configuration.allowDownscale else { return }
        us.flags.insert(.leaving)
        outbox.add(ownRecord)
    }

    // MARK: Calculation

    private var us: Node {
        get { nodes[id] ?? Node() }
        set { nodes[id] = newValue }
    }

    private var ownRecord: VoteQuorumNodeInfo {
        VoteQuorumNodeInfo(nodeid: id, votes: us.votes, expectedVotes: us.expectedVotes, flags: us.flags)
    }

    /// Votes and nodes that are present.
    private var countedVotes: (votes: UInt32, nodes: UInt32) {
        var votes: UInt32 = 0
        var count: UInt32 = 0
        for node in nodes.values where node.state == .member {
            votes = votes &+ node.votes
            count += 1
        }
        if us.flags.contains(.qdeviceCastVote) {
            votes = votes &+ deviceVotes
            count += 1
        }
        return (votes, count)
    }

    /// The votes that are needed (`calculate_quorum`, votequorum.c:906 of 3.1.7). `expectedVotes` 0 takes the highest of the members.
    private func quorum(allowDecrease: Bool, expectedVotes: UInt32, usesBarrier: Bool) -> UInt32 {
        let present = countedVotes
        var expected = expectedVotes
        if expected == 0 {
            for node in nodes.values where node.state == .member { expected = max(expected, node.expectedVotes) }
        } else if usesBarrier, configuration.allowDownscale, allowDecrease {
            expected = max(expected, expectedVotesBarrier)
        }
        var needed = max((expected &+ 2) / 2, (present.votes &+ 2) / 2)
        if !allowDecrease { needed = max(needed, quorum) }
        return configuration.twoNode && present.nodes <= 2 ? 1 : needed
    }

    /// Calculates quorum anew (`recalculate_quorum`, votequorum.c:1107 of 3.1.7).
    private mutating func recalculate(allowDecrease: Bool, byCurrentNodes: Bool) {
        var total: UInt32 = 0
        var count: UInt32 = 0
        for node in nodes.values where node.state == .member {
            total = total &+ node.votes
            count += 1
        }
        if deviceVotes != 0 {
            total = total &+ deviceVotes
            count += 1
        }
        if total > us.expectedVotes { us.expectedVotes = total }
        if tracksExpectedVotes { trackedExpectedVotes = max(trackedExpectedVotes, us.expectedVotes) }
        let expected = byCurrentNodes ? count : 0
        quorum = quorum(allowDecrease: allowDecrease, expectedVotes: expected, usesBarrier: true)
        setExpectedVotes(expected)
        decide()
    }

    /// Whether the votes that are present are enough (`are_we_quorate`, votequorum.c:995 of 3.1.7).
    private mutating func decide() {
        let present = countedVotes.votes
        if waitsForAll, isWaitingForAll {
            guard present == us.expectedVotes else { return }
            setWaitingForAll(false)
        }
        isQuorate = quorum <= present
        if isQuorate { tieBreaker.noteQuorate(presentNodes) }
        let isHalf = tieBreaker.isOn && present == us.expectedVotes / 2
        // Another partition that may have quorum leaves no choice.
        if isHalf, tieBreaker.goneCount < Int(quorum), tieBreaker.decides(for: presentNodes) { isQuorate = true }
        if isQuorate { us.flags.insert(.quorate) } else { us.flags.remove(.quorate) }
        if waitsForAll { setWaitingForAll(!isQuorate) }
    }

    /// Nodes that are members as far as votes go.
    private var presentNodes: [UInt32] { nodes.filter { $0.value.state == .member }.map(\.key) }

    private mutating func setExpectedVotes(_ votes: UInt32) {
        guard votes != 0 else { return }
        for (id, node) in nodes where node.state == .member { nodes[id]?.expectedVotes = votes }
    }

    private mutating func setWaitingForAll(_ isWaiting: Bool) {
        isWaitingForAll = isWaiting
        if isWaiting { us.flags.insert(.waitForAllStatus) } else { us.flags.remove(.waitForAllStatus) }
    }

    /// Makes room for a node; false when all that are known are present.
    private mutating func forgetDeadNode() -> Bool {
        guard let dead = nodes.filter({ $0.value.state == .dead && $0.key != id }).keys.min() else { return false }
        nodes[dead] = nil
        return true
    }

    // MARK: Reports

    /// Has the tracked votes stored when they have grown (`update_ev_tracking_barrier`, votequorum.c:873 of 3.1.7).
    private mutating func storeTrackedExpectedVotes(into effects: inout ProcessorEffects) {
        guard tracksExpectedVotes, trackedExpectedVotes > storedExpectedVotes else { return }
        storedExpectedVotes = trackedExpectedVotes
        effects.report(.storeExpectedVotes(trackedExpectedVotes))
    }

    private mutating func report(into effects: inout ProcessorEffects) {
        storeTrackedExpectedVotes(into: &effects)
        let quorum = current
        lastReport = quorum
        effects.report(.quorum(quorum))
    }

    /// While services are synchronised nobody is told (`are_we_quorate`); the end of synchronisation tells everything.
    private mutating func reportChange(into effects: inout ProcessorEffects) {
        storeTrackedExpectedVotes(into: &effects)
        guard !isSynchronising, lastReport != nil, current != lastReport else { return }
        report(into: &effects)
    }
}
