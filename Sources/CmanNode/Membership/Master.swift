import CmanWire
import EngineKit
import WireFormat

/// The master of a transition (reference/cman-wire.md 5.4, 5.9, 5.11).
extension CmanNode {
    /// Becomes master and begins a transition, or begins it again.
    mutating func startTransition(_ requested: CmanTransitionReason, subject requestedSubject: UInt32, into effects: inout CmanEffects) {
        var reason = requested
        var subject = requestedSubject
        if reason == .restart || reason == .newMaster {
            if transition.reason == .newNode, let joiner = transition.joiner { subject = joiner }
            if reason == .newMaster, let original = transition.reason, original != .newNode || transition.joiner != nil {
                reason = original
            }
        }
        if reason == .restart {
            transition.restarts += 1
            guard transition.restarts <= configuration.timers.transitionRestarts else {
                become(.left, reason: .inconsistent, into: &effects)
                return
            }
        } else {
            transition.restarts = 0
        }
        switch reason {
        case .newNode, .removeNode, .check: transition.reason = reason
        case .deadMaster: transition.reason = .removeNode
        case .anotherRemoveNode, .newMaster, .restart: break
        }
        if reason == .newNode { transition.joiner = subject }
        enterTransition(.master(.start), into: &effects)
        clearAnswers()
        guard table.memberCount > 1 else {
            allHaveStarted(into: &effects)
            return
        }
        currentGeneration &+= 1
        sendStartTrans(reason, subject: subject, into: &effects)
        timers[.transition] = now + configuration.timers.transition
    }

    /// Takes a role in a transition; the first one reports that it began.
    mutating func enterTransition(_ newRole: MembershipRole, into effects: inout CmanEffects) {
        let wasInTransition = role.isInTransition
        change(to: newRole, into: &effects)
        if !wasInTransition {
            transition.began = now
            effects.report(.transitionBegan)
        }
    }

    private mutating func clearAnswers() {
        table.forEach { record in
            record.hasAnswered = false
            record.agrees = true
        }
    }

    /// Whether all other members have answered.
    private var allHaveAnswered: Bool {
        table.records.allSatisfy { $0.isSelf || $0.state != .member || $0.hasAnswered }
    }

    private mutating func sendStartTrans(_ reason: CmanTransitionReason, subject: UInt32, into effects: inout CmanEffects) {
        let record = table[table.index(ofID: subject) ?? 0]
        var message = CmanTransitionStart()
        message.reason = reason.rawValue
        message.leaveReason = record.leaveReason
        message.votes = record.votes
        message.expectedVotes = record.expectedVotes
        message.generation = currentGeneration
        message.nodeID = Int32(bitPattern: record.id)
        if reason == .newNode {
            message.addresses = record.addresses
            message.nodeName = record.name
        }
        send(.startTrans(message), to: .everyone, flags: rules.startTransExpectsReply ? .replyExpected : [], into: &effects)
    }

    mutating func receiveStartAck(_ message: CmanStartAck, from sender: Sender, into effects: inout CmanEffects) {
        guard case .master(.start) = role, message.generation == currentGeneration, let index = table.index(ofID: sender.id) else { return }
        table[index].hasAnswered = true
        if allHaveAnswered { allHaveStarted(into: &effects) }
    }

    private mutating func allHaveStarted(into effects: inout CmanEffects) {
        guard table.memberCount > 1 else {
            if transition.reason == .newNode, transition.joiner != nil {
                sendJoinConf(attempts: 0, into: &effects)
            } else {
                finishAlone(into: &effects)
            }
            return
        }
        clearAnswers()
        change(to: .master(.collect), into: &effects)
        sendView(last: rules.startTransExpectsReply || rules.startAckExpectsReply ? .replyExpected : [], into: &effects)
        timers[.transition] = now + configuration.timers.transition
    }

    /// The others are gone.
    private mutating func finishAlone(into effects: inout CmanEffects) {
        let quorum = quorumAfterTransition()
        transition = TransitionRecord()
        timers[.transition] = nil
        finishTransition(quorum, into: &effects)
    }

    mutating func receiveViewAck(_ message: CmanViewAck, from sender: Sender, into effects: inout CmanEffects) {
        guard case .master(.collect) = role, let index = table.index(ofID: sender.id), !table[index].hasAnswered else { return }
        table[index].hasAnswered = true
        table[index].agrees = message.opinion == 1
        if allHaveAnswered { countOpinions(into: &effects) }
    }

    private mutating func countOpinions(into effects: inout CmanEffects) {
        timers[.transition] = nil
        let voters = table.records.filter { !$0.isSelf && $0.state == .member }
        let dissenters = voters.filter { !$0.agrees }
        guard voters.count - dissenters.count > dissenters.count else {
            // In a minority: the rest of them can settle it among themselves.
            become(.left, reason: .inconsistent, into: &effects)
            return
        }
        for dissenter in dissenters {
            if let index = table.index(ofID: dissenter.id) { table[index].leaveReason = CmanLeaveReason.inconsistent.rawValue }
            send(.kill, to: .node(dissenter.id), into: &effects)
        }
        if transition.reason == .newNode, let joiner = transition.joiner, let index = table.index(ofID: joiner),
            table[index].state == .joining,
            transition.joinerEndpoint != nil
        {
            sendJoinConf(attempts: 0, into: &effects)
        } else {
            endTransition(into: &effects)
        }
    }

    // MARK: The joiner

    private mutating func sendJoinConf(attempts: Int, into effects: inout CmanEffects) {
        guard let endpoint = transition.joinerEndpoint else { return }
        change(to: .master(.confirm(attempts: attempts)), into: &effects)
        timers[.transition] = now + configuration.timers.joinConf
        for list in view() { send(.joinConf(list), to: .address(endpoint), flags: .noAck, into: &effects) }
    }

    mutating func receiveConfAck(from sender: Sender, into effects: inout CmanEffects) {
        guard case .master(.confirm) = role else { return }
        if rules.checksConfirmation, sender.node != transition.joiner, sender.endpoint != transition.joinerEndpoint {
            effects.report(.refused(.stranger(message: "confack", from: sender.endpoint)))
            return
        }
        endTransition(into: &effects)
    }

    /// The master's watchdog: JOINCONF again, or the whole transition.
    mutating func masterTimeout(_ phase: MasterPhase, into effects: inout CmanEffects) {
        guard case .confirm(let attempts) = phase else {
            if table.memberCount == 1 {
                endTransition(into: &effects)
            } else {
                startTransition(.restart, subject: id, into: &effects)
            }
            return
        }
        if attempts + 1 < configuration.timers.maxRetries {
            sendJoinConf(attempts: attempts + 1, into: &effects)
            return
        }
        guard let joiner = transition.joiner, let index = table.index(ofID: joiner) else {
            startTransition(.restart, subject: id, into: &effects)
            return
        }
        table[index].state = .dead
        let endpoint = transition.joinerEndpoint
        startTransition(.removeNode, subject: joiner, into: &effects)
        transition.joiner = joiner
        transition.joinerEndpoint = endpoint
        removeJoiner(tellingItToWait: true, into: &effects)
    }

    // MARK: Views

    /// The list of all members and dead nodes, in packets.
    private func view() -> [CmanNodeList] {
        // The original fills a packet before it looks, so that its packets can be longer than what a receiver reads.
        let limit = rules.fitsViews ? CmanNode.maximumPayload : 1500
        var lists: [CmanNodeList] = []
        var list = CmanNodeList()
        list.sequenceFlags = CmanNodeList.firstFlag
        var length = 2
        for index in table.positions(newestFirst: rules.listsNewestFirst) where table[index].state != .joining {
            let record = table[index]
            var entry = CmanNodeEntry()
            entry.name = record.name
            entry.state = record.state.rawValue
            entry.addresses = record.addresses
            entry.votes = record.votes
            entry.expectedVotes = record.expectedVotes
            entry.nodeID = record.id
            if length + entry.length > limit {
                lists.append(list)
                list = CmanNodeList()
                length = 2
            }
            list.entries.append(entry)
            length += entry.length
        }
        list.sequenceFlags |= CmanNodeList.lastFlag
        lists.append(list)
        return lists
    }

    private mutating func sendView(last flags: CmanFlags, into effects: inout CmanEffects) {
        for list in view() {
            let isLast = list.sequenceFlags & CmanNodeList.lastFlag != 0
            send(.masterView(list), to: .everyone, flags: isLast ? flags : [], into: &effects)
        }
    }

    // MARK: The end

    func completionBarrierName() -> [UInt8] {
        // "%d" of the original.
        Array("TRANSITION.\(Int32(bitPattern: currentGeneration))".utf8)
    }

    private mutating func endTransition(into effects: inout CmanEffects) {
        timers[.transition] = nil
        if transition.reason == .newNode || !rules.endTransSettlesJoiners {
            confirmJoiner()
        } else {
            removeJoiner(tellingItToWait: true, into: &effects)
        }
        let quorum = quorumAfterTransition()
        currentGeneration &+= 1
        var message = CmanEndTrans()
        message.quorum = quorum.quorum
        message.totalVotes = quorum.totalVotes
        message.generation = currentGeneration
        if transition.reason == .newNode, let joiner = transition.joiner { message.newNodeID = joiner }
        send(.endTrans(message), to: .everyone, into: &effects)
        awaitCompletion(
            TransitionOutcome(
                isMaster: true,
                master: id,
                quorum: quorum.quorum,
                totalVotes: quorum.totalVotes,
                barrier: completionBarrierName()
            ),
            into: &effects
        )
    }
}
