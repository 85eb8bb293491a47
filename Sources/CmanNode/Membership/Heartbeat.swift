import CmanWire
import EngineKit
import WireFormat

/// HELLO, sent and examined (reference/cman-wire.md 4.4, 5.1, 5.11).
extension CmanNode {
    mutating func startHellos() {
        helloDue = now + configuration.timers.hello
        timers[.hello] = helloDue
    }

    mutating func helloIsDue(into effects: inout CmanEffects) {
        if rules.excusesOwnPauses { excuseSilence(during: now - helloDue) }
        startHellos()
        guard role.takesPart else {
            timers[.hello] = nil
            return
        }
        if !isSilent, id != 0 || rules.greetsWithoutID { sendHello(into: &effects) }
        checkQuorumDevice(into: &effects)
        guard role.isMember else { return }
        findSilentNode(into: &effects)
        if rules.asksSilentNodes, role.isMember { askSilentNodes(into: &effects) }
    }

    /// Silence of the others counts only while this node runs: one that was stopped has heard nobody, and would kill them all.
    private mutating func excuseSilence(during pause: Interval) {
        let now = now
        table.forEach { $0.lastHello = min(now, $0.lastHello + pause) }
    }

    /// Good manners: while a node joins, a HELLO could only carry a member count that is wrong a moment later. Not for longer than
    /// a transition may take, for silence means death.
    private var isSilent: Bool {
        rules.isSilentWhileJoining && role.isInTransition && transition.reason == .newNode
            && now - transition.began < configuration.timers.transition
    }

    private func hello(flags: UInt8) -> CmanHello {
        var hello = CmanHello()
        hello.members = UInt16(truncatingIfNeeded: table.memberCount)
        hello.flags = flags | (quorumNow.isQuorate ? CmanHello.quorateFlag : 0)
        hello.generation = currentGeneration
        return hello
    }

    mutating func sendHello(into effects: inout CmanEffects) {
        send(.hello(hello(flags: 0)), to: .everyone, flags: [.noAck, .allInterfaces], into: &effects)
    }

    /// Asks the master of a transition whether it is alive: its acknowledgement, or the lack of one, is the answer.
    mutating func sendMasterHello(to master: UInt32, into effects: inout CmanEffects) {
        send(.hello(hello(flags: CmanHello.masterFlag)), to: .node(master), into: &effects)
    }

    /// Looks for a node that was silent for too long; one at a time, because its death begins a transition.
    private mutating func findSilentNode(into effects: inout CmanEffects) {
        guard let index = table.positions(newestFirst: rules.listsNewestFirst).first(where: isDeadlySilent) else { return }
        let node = table[index].id
        table[index].leaveReason = CmanLeaveReason.dead.rawValue
        transition.allowsDecrease = false
        send(.kill, to: .node(node), flags: .noAck, into: &effects)
        nodeDied(node, into: &effects)
    }

    /// Asks nodes whose HELLOs were perhaps only lost, early enough for an answer: the same HELLO, to be acknowledged.
    private mutating func askSilentNodes(into effects: inout CmanEffects) {
        let timers = configuration.timers
        let patience = timers.deadNode - timers.retransmit * Int64(2 * (timers.maxRetries + 1))
        for index in table.records.indices {
            let record = table[index]
            guard record.state == .member, !record.isSelf, !record.isAsked, hasPassed(patience, since: record.lastHello) else { continue }
            // One that finds no room in the queue is asked again with the next HELLO of this node.
            table[index].isAsked = send(.hello(hello(flags: 0)), to: .node(record.id), isQuestion: true, into: &effects)
        }
    }

    /// A node that was asked has acknowledged, or has not: then its silence decides, as it would have without the question.
    mutating func questionEnded(_ target: MessageTarget, isAnswered: Bool) {
        guard case .node(let id) = target, let index = table.index(ofID: id) else { return }
        table[index].isAsked = false
        if isAnswered { table[index].lastHello = now }
    }

    private func isDeadlySilent(_ index: Int) -> Bool {
        let record = table[index]
        return !record.isSelf && record.state != .dead && hasPassed(configuration.timers.deadNode, since: record.lastHello)
    }

    mutating func receiveHello(_ hello: CmanHello, from sender: Sender, into effects: inout CmanEffects) {
        switch role {
        case .starting, .newCluster, .joining, .joinWait:
            helloBeforeMembership(hello, from: sender, into: &effects)
        case .member:
            examine(hello, from: sender, into: &effects)
        case .client where hello.flags & CmanHello.masterFlag != 0:
            receiveMasterHello(from: sender, into: &effects)
        default: break
        }
    }

    private mutating func examine(_ hello: CmanHello, from sender: Sender, into effects: inout CmanEffects) {
        guard let index = table.index(ofID: sender.id), sender.id != 0, table[index].state != .dead else {
            // A member without an id is the joiner that was just let in; to answer id 0 would hit everybody (bugs B1, B8).
            if sender.node != nil, rules.answerToIDZero != .broadcast { return }
            if quorumNow.isQuorate, let target = answerTarget(sender) { send(.kill, to: target, flags: .noAck, into: &effects) }
            return
        }
        let isRecent = !hasPassed(configuration.timers.generationGrace, since: transitionEnded)
        let isStale = hello.generation != currentGeneration
        if isStale, !isRecent {
            startTransition(.check, subject: sender.id, into: &effects)
            return
        }
        if hello.members != UInt16(truncatingIfNeeded: table.memberCount), !(rules.excusesStaleHellos && isRecent && isStale) {
            startTransition(.check, subject: sender.id, into: &effects)
            return
        }
        table[index].lastHello = now
        table[index].isAsked = false
    }
}
