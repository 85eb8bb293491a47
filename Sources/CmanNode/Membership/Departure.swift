import CmanWire
import EngineKit
import WireFormat

/// Leaving, dying, being killed (reference/cman-wire.md 5.7, 5.8, 5.11).
extension CmanNode {
    /// Leaves the cluster; `removed` lets quorum go down. The profile `ringbridge` first waits until a transition is over and its messages
    /// are acknowledged, for as long as a transition may take: nothing is lost, and the others need not find out by timeouts.
    public mutating func leave(removed: Bool, at now: Instant, into effects: inout CmanEffects) {
        leave(reason: removed ? .removed : .down, at: now, into: &effects)
    }

    /// Leaves like `leave(removed:)` and gives `reason`: a stand-in tells the others at once how the node that it stands for went. Whoever
    /// takes a LEAVE passes its reason on in NODEDOWN (reference/cman-wire.md 4.3, 5.7).
    public mutating func leave(reason: CmanLeaveReason, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        pendingLeave = reason
        guard canLeave else {
            timers[.leave] = now + configuration.timers.transition
            return
        }
        leaveNow(into: &effects)
    }

    /// Whether nothing is under way that a leave command would wait for.
    var canLeave: Bool { rules.leaveUnderWay == .atOnce || !role.isInTransition && outstanding == nil }

    mutating func leaveNow(into effects: inout CmanEffects) {
        guard let reason = pendingLeave else { return }
        pendingLeave = nil
        become(.left, reason: reason, into: &effects)
    }

    /// Ends the membership, or the attempt to get one.
    mutating func become(_ final: MembershipRole, reason: CmanLeaveReason, sayingLeave: Bool = true, into effects: inout CmanEffects) {
        switch role {
        case .idle, .left, .rejected: return
        default: break
        }
        let isOwnWish = reason == .down || reason == .removed
        if sayingLeave, id != 0, isOwnWish || rules.saysLeaveWhenKilled { sendLeave(reason, into: &effects) }
        timers.removeAll()
        pendingLeave = nil
        discardOutgoing(into: &effects)
        abortServices(into: &effects)
        pendingDeaths.removeAll()
        while deferred.removeFirst() != nil {}
        table[0].state = .dead
        table.forEach { $0.isReported = false }
        change(to: final, into: &effects)
        effects.report(.left(reason))
    }

    /// LEAVE goes to one node, which becomes master: told to all, everybody would want to be.
    private mutating func sendLeave(_ reason: CmanLeaveReason, into effects: inout CmanEffects) {
        var target: UInt32?
        if case .client(let master?, _) = role { target = master }
        if target == nil {
            let records = table.positions(newestFirst: rules.listsNewestFirst).map { table[$0] }
            target = records.first { $0.state == .member && !$0.isSelf }?.id
            // The original's loop ends at the last node of its list when it finds no member, and LEAVE goes there.
            if target == nil, rules.saysLeaveToAnybody, let last = records.last, !last.isSelf { target = last.id }
        }
        guard let target else { return }
        var message = CmanLeave()
        message.reason = reason.rawValue
        send(.leave(message), to: .node(target), flags: .noAck, sourcePort: rules.leaveSourcePort, into: &effects)
    }

    // MARK: Others

    mutating func receiveLeave(_ message: CmanLeave, from sender: Sender, into effects: inout CmanEffects) {
        guard role.takesPart, accepts("leave", from: sender, into: &effects), let index = table.index(ofID: sender.id), sender.id != 0
        else {
            return
        }
        table[index].leaveReason = message.reason
        transition.allowsDecrease =
            message.reason == CmanLeaveReason.removed.rawValue
            && (!rules.guardsDecrease || calculateQuorum(allowDecrease: false).isQuorate)
        nodeDied(sender.id, into: &effects)
    }

    /// Makes `node` leave: tells it, and the others that it is dead.
    public mutating func kill(node: UInt32, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        guard role.takesPart, node != id, let index = table.index(ofID: node), table[index].state == .member else { return }
        send(.kill, to: .node(node), into: &effects)
        table[index].leaveReason = CmanLeaveReason.killed.rawValue
        nodeDied(node, into: &effects)
        settle(into: &effects)
    }

    mutating func receiveKill(from sender: Sender, into effects: inout CmanEffects) {
        guard role.takesPart else { return }
        guard let index = table.index(ofID: sender.id), sender.id != 0, table[index].state == .member else {
            effects.report(.refused(.stranger(message: "kill", from: sender.endpoint)))
            return
        }
        become(.left, reason: .killed, into: &effects)
    }

    mutating func receiveNodeDown(_ message: CmanNodeDown, from sender: Sender, into effects: inout CmanEffects) {
        guard role.takesPart, accepts("nodedown", from: sender, isOpen: true, into: &effects) else { return }
        if message.nodeID == id, id != 0 {
            become(
                .left,
                reason: CmanLeaveReason(rawValue: message.reason & 0x0F) ?? .dead,
                sayingLeave: !rules.refusesStrangers,
                into: &effects
            )
            return
        }
        if transition.joiner == message.nodeID { removeJoiner(tellingItToWait: false, into: &effects) }
        guard let index = table.index(ofID: message.nodeID), table[index].state != .dead else { return }
        table[index].leaveReason = message.reason
        markDead(index, into: &effects)
        // The original waits until its watchdog runs out.
        if rules.actsOnNodeDown, case .client(let master?, _) = role, master == message.nodeID, table.lowestMember() == id {
            masterIsDead(master, into: &effects)
        }
    }

    /// A node is dead, by this node's own observation: tells the others and sees to a transition.
    mutating func nodeDied(_ node: UInt32, into effects: inout CmanEffects) {
        guard let index = table.index(ofID: node), table[index].state != .dead else { return }
        if case .completing(let outcome) = role {
            if !pendingDeaths.contains(node) { pendingDeaths.append(node) }
            if rules.abandonsBarrier == .always { abandonBarrier(outcome, into: &effects) }
            return
        }
        let reason = table[index].leaveReason
        markDead(index, into: &effects)
        var message = CmanNodeDown()
        message.nodeID = node
        message.reason = reason
        send(.nodeDown(message), to: .everyone, into: &effects)
        switch role {
        case .member:
            startTransition(.removeNode, subject: node, into: &effects)
        case .client(let master?, _) where master == node:
            timers[.transition] = now + configuration.timers.transition
            masterIsDead(master, into: &effects)
        case .master:
            timers[.transition] = nil
            if rules.forgetsDeadNodes, transition.joiner == node {
                transition.joiner = nil
                transition.joinerEndpoint = nil
                transition.reason = .removeNode
            }
            startTransition(.anotherRemoveNode, subject: node, into: &effects)
        default: break
        }
    }

    private mutating func markDead(_ index: Int, into effects: inout CmanEffects) {
        if rules.guardsDecrease, table[index].leaveReason & 0x0F != CmanLeaveReason.removed.rawValue { transition.allowsDecrease = false }
        table[index].state = .dead
        table[index].held = nil
        if table[index].isReported {
            table[index].isReported = false
            effects.report(.memberDown(table[index].member, CmanLeaveReason(rawValue: table[index].leaveReason & 0x0F) ?? .dead))
        }
        forgiveAcknowledgement(of: index, into: &effects)
        forgetProbes(of: table[index].id, into: &effects)
    }

    /// Reports who is new since the last transition.
    mutating func reportNewMembers(into effects: inout CmanEffects) {
        for index in table.records.indices where table[index].state == .member && !table[index].isReported {
            table[index].isReported = true
            effects.report(table[index].isSelf ? .joined(id: id) : .memberUp(table[index].member))
        }
    }
}
