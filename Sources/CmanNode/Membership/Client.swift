import CmanWire
import EngineKit
import WireFormat

/// Following a transition that somebody else masters, and deciding who does (reference/cman-wire.md 5.9, 5.10).
extension CmanNode {
    mutating func receiveStartTrans(_ message: CmanTransitionStart, from sender: Sender, into effects: inout CmanEffects) {
        guard let index = table.index(ofID: sender.id), sender.id != 0, table[index].state == .member else {
            effects.report(.refused(.stranger(message: "starttrans", from: sender.endpoint)))
            return
        }
        switch role {
        case .member, .client, .master: break
        default: return
        }
        guard message.generation >= currentGeneration, !(message.generation == .max && currentGeneration == 0) else {
            if rules.remembersOtherJoiners, message.reason == CmanTransitionReason.newNode.rawValue { transition.overheard = message }
            return
        }
        guard let reason = CmanTransitionReason(rawValue: message.reason) else {
            effects.report(.refused(.unexpected(message: "starttrans", detail: "reason \(message.reason)", from: sender.endpoint)))
            return
        }
        currentGeneration = message.generation
        if case .master = role {
            guard backDown(before: sender.id, reason: reason, message, into: &effects) else { return }
        }
        follow(sender.id, reason: reason, message, into: &effects)
    }

    /// Two masters: the lowest id wins. Returns whether the sender of the STARTTRANS is to be followed.
    private mutating func backDown(
        before other: UInt32,
        reason: CmanTransitionReason,
        _ message: CmanTransitionStart,
        into effects: inout CmanEffects
    ) -> Bool {
        var excluded: UInt32 = 0
        if rules.checkLosesElection, transition.reason != reason {
            if transition.reason == .check { excluded = id }
            if reason == .check { excluded = other }
        }
        guard let winner = table.lowestMember(excluding: excluded) else { return false }
        if winner == id {
            timers[.transition] = nil
            startTransition(.newMaster, subject: id, into: &effects)
            return false
        }
        if transition.reason == .newNode { removeJoiner(tellingItToWait: true, into: &effects) }
        change(to: .client(master: winner, view: ViewComparison()), into: &effects)
        if winner == other { return true }
        // Neither of the two: the winner has to be told that it is master.
        timers[.transition] = now + configuration.timers.transition
        send(.nominate(message), to: .node(winner), into: &effects)
        return false
    }

    private mutating func follow(
        _ master: UInt32,
        reason: CmanTransitionReason,
        _ message: CmanTransitionStart,
        into effects: inout CmanEffects
    ) {
        if reason == .newNode { takeJoiner(from: message, into: &effects) }
        transition.reason = reason == .newNode ? .newNode : transition.joiner == nil ? .removeNode : transition.reason
        transition.patience = 0
        enterTransition(.client(master: master, view: ViewComparison()), into: &effects)
        var answer = CmanStartAck()
        answer.generation = currentGeneration
        send(.startAck(answer), to: .node(master), flags: rules.startAckExpectsReply ? .replyExpected : [], into: &effects)
        timers[.transition] = now + configuration.timers.transition
    }

    /// Notes the node that joins, as STARTTRANS or NOMINATE describe it.
    private mutating func takeJoiner(from message: CmanTransitionStart, into effects: inout CmanEffects) {
        if let index = table.index(ofName: message.nodeName), table[index].id == transition.joiner, !table[index].isReported {
            // Who masters the transition now does not count it as a member.
            table[index].state = .joining
        }
        removeJoiner(tellingItToWait: false, into: &effects)
        transition.joiner =
            addJoiner(
                name: message.nodeName,
                votes: message.votes,
                expectedVotes: message.expectedVotes,
                id: UInt32(bitPattern: message.nodeID),
                addresses: message.addresses
            ) ?? table.index(ofName: message.nodeName).map { table[$0].id }
        // Where it is reached should this node become master.
        transition.joinerEndpoint = message.addresses.first?.endpoint
    }

    mutating func receiveNominate(_ message: CmanTransitionStart, from sender: Sender, into effects: inout CmanEffects) {
        switch role {
        case .master: return
        case .member, .client: break
        default:
            // The original obeys in any state, even before it is a member.
            effects.report(.refused(.unexpected(message: "nominate", detail: "no member", from: sender.endpoint)))
            return
        }
        guard accepts("nominate", from: sender, into: &effects) else { return }
        guard let reason = CmanTransitionReason(rawValue: message.reason) else {
            effects.report(.refused(.unexpected(message: "nominate", detail: "reason \(message.reason)", from: sender.endpoint)))
            return
        }
        removeJoiner(tellingItToWait: true, into: &effects)
        var subject = id
        if reason == .newNode {
            takeJoiner(from: message, into: &effects)
            subject = transition.joiner ?? id
        }
        startTransition(reason, subject: subject, into: &effects)
    }

    mutating func receiveMasterView(_ list: CmanNodeList, from sender: Sender, into effects: inout CmanEffects) {
        guard case .client(let master, var view) = role else { return }
        if list.sequenceFlags & CmanNodeList.firstFlag != 0 { view = ViewComparison() }
        for entry in list.entries {
            guard matches(entry) else {
                view.differs = true
                break
            }
            if entry.state == CmanMember.State.member.rawValue { view.members += 1 }
        }
        role = .client(master: master, view: view)
        guard list.sequenceFlags & CmanNodeList.lastFlag != 0, sender.id != 0 else { return }
        var answer = CmanViewAck()
        answer.opinion = !view.differs && view.members == table.memberCount ? 1 : 0
        send(.viewAck(answer), to: .node(sender.id), into: &effects)
    }

    /// Whether a node of the master's view is known here in the same way; addresses and expected votes do not count.
    private func matches(_ entry: CmanNodeEntry) -> Bool {
        guard let index = table.index(ofName: entry.name) else { return false }
        let record = table[index]
        return record.votes == entry.votes && record.id == entry.nodeID
            && (record.state == .joining || record.state.rawValue == entry.state)
    }

    mutating func receiveEndTrans(_ message: CmanEndTrans, from sender: Sender, into effects: inout CmanEffects) {
        guard case .client(let master, _) = role else { return }
        if let master, master != sender.id {
            effects.report(.refused(.unexpected(message: "endtrans", detail: "not from the master", from: sender.endpoint)))
            return
        }
        timers[.transition] = nil
        if message.newNodeID == 0, id == 0, rules.joinsPersistently {
            // The others have agreed without this node; a member without an id would be none.
            joinAgain(into: &effects)
            return
        }
        if message.newNodeID != 0, id == 0 {
            guard message.newNodeID <= NodeTable.highestID, table.index(ofID: message.newNodeID) == nil else {
                effects.report(.refused(.unexpected(message: "endtrans", detail: "node id \(message.newNodeID)", from: sender.endpoint)))
                become(.left, reason: .inconsistent, into: &effects)
                return
            }
            table.setOwnID(message.newNodeID)
        }
        if message.newNodeID != 0 {
            if transition.joiner != message.newNodeID, let overheard = transition.overheard,
                UInt32(bitPattern: overheard.nodeID) == message.newNodeID
            {
                takeJoiner(from: overheard, into: &effects)
            }
            confirmJoiner()
        } else {
            removeJoiner(tellingItToWait: false, into: &effects)
        }
        currentGeneration = message.generation
        awaitCompletion(
            TransitionOutcome(
                isMaster: false,
                master: sender.id,
                quorum: message.quorum,
                totalVotes: message.totalVotes,
                barrier: completionBarrierName()
            ),
            into: &effects
        )
    }

    // MARK: Watchdog

    mutating func transitionTimeout(into effects: inout CmanEffects) {
        switch role {
        case .master(let phase): masterTimeout(phase, into: &effects)
        case .client(let master, _): clientTimeout(master: master, into: &effects)
        default: break
        }
    }

    private mutating func clientTimeout(master: UInt32?, into effects: inout CmanEffects) {
        guard let master else {
            // The master died between JOINCONF and ENDTRANS: nobody knows this node as a member.
            if rules.joinsPersistently { joinAgain(into: &effects) } else { become(.left, reason: .down, into: &effects) }
            return
        }
        timers[.transition] = now + configuration.timers.transition
        guard let index = table.index(ofID: master), table[index].state == .member else {
            masterIsDead(master, into: &effects)
            return
        }
        transition.patience += 1
        if rules.resolvesStuckTransitions, transition.patience > configuration.timers.transitionRestarts {
            // The master answers and has no transition with this node in it. A client has as much patience as a master has restarts.
            become(.left, reason: .inconsistent, into: &effects)
            return
        }
        if id == 0, rules.joinsPersistently, transition.patience > 1 {
            // The master is alive and has finished without this node: it waits for an id that will not come.
            joinAgain(into: &effects)
            return
        }
        if rules.resolvesStuckTransitions, transition.patience > 1 + seniors {
            takeOver(into: &effects)
        } else {
            sendMasterHello(to: master, into: &effects)
        }
    }

    /// Another member asks whether its master is alive, and means this node, which waits for a master itself.
    mutating func receiveMasterHello(from sender: Sender, into effects: inout CmanEffects) {
        guard rules.resolvesStuckTransitions, case .client = role, sender.id != 0, table.lowestMember() == id else { return }
        takeOver(into: &effects)
    }

    /// How many members have a lower id. Where those are originals that hang, the next one takes over, one timeout later each; the last
    /// of many does so before its own patience is at an end.
    private var seniors: Int {
        let lower = table.records.count { $0.state == .member && $0.id != 0 && $0.id < id }
        return min(lower, configuration.timers.transitionRestarts - 2)
    }

    private mutating func takeOver(into effects: inout CmanEffects) {
        transition.patience = 0
        // A master that gave way has forgotten its joiner, and RESTART does not tell of it again.
        removeJoiner(tellingItToWait: true, into: &effects)
        transition.reason = .check
        startTransition(.restart, subject: id, into: &effects)
    }

    /// The lowest member takes over.
    mutating func masterIsDead(_ master: UInt32, into effects: inout CmanEffects) {
        guard let elected = table.lowestMember() else {
            // This node has no id yet and the others are gone: nobody will ever tell it one.
            if rules.joinsPersistently { joinAgain(into: &effects) }
            return
        }
        if elected == id {
            if let index = table.index(ofID: master) { table[index].leaveReason = CmanLeaveReason.noResponse.rawValue }
            startTransition(.deadMaster, subject: master, into: &effects)
        } else {
            change(to: .client(master: elected, view: ViewComparison()), into: &effects)
        }
    }
}
