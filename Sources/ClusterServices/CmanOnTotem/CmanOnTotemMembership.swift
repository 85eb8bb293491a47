import EngineKit
import TotemWire
import WireFormat

/// Who is a member, and who must not be (commands.c:1478-1527, 1701-1798, 1942-2026@cman2).
extension CmanOnTotemService {
    /// Why a node's TRANSITION does not make it a member.
    private func mismatch(_ transition: CmanOnTotemTransition) -> CmanOnTotemMismatch? {
        let name = transition.clusterName
        let used = (0..<16).prefix { name.bytes[$0] != 0 }.map { name.bytes[$0] }
        guard used == Array(configuration.clusterName.utf8.prefix(15)) else { return .clusterName }
        guard transition.clusterID == configuration.clusterID else { return .clusterID }
        guard transition.majorVersion == 6 else { return .version(transition.majorVersion) }
        guard transition.configVersion == configuration.configVersion else { return .configVersion(transition.configVersion) }
        return nil
    }

    /// Takes what node `sender` says of itself.
    mutating func receive(
        _ transition: CmanOnTotemTransition,
        from sender: UInt32,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        if let mismatch = mismatch(transition) {
            if case .configVersion(let version) = mismatch, version > configuration.configVersion {
                isOutdated = true
                recalculate(allowDecrease: false, into: &outbox, &effects)
                effects.report(.cman(.newerConfiguration(version, of: sender)))
            }
            effects.report(.refused(.mismatch(mismatch, from: sender)))
            return
        }
        var flags = CmanOnTotemNodeFlags(rawValue: transition.flags)
        guard !flags.contains(.seesDisallowed) || seesDisallowed else {
            effects.report(.seesDisallowed(sender))
            return
        }
        flags.remove(.seesDisallowed)
        guard admit(sender, into: &effects) else { return }
        guard !hasOwnState(transition, flags, sender) else {
            disallow(sender, into: &outbox, &effects)
            return
        }
        guard let node = nodes[sender] else { return }
        nodes[sender]?.joinTime = transition.joinTime
        nodes[sender]?.expectedVotes = UInt32(clamping: transition.expectedVotes)
        if transition.hasVotes, configuration.release == .cman3 { nodes[sender]?.votes = UInt32(clamping: transition.votesOrHighNodeID) }
        let returns = node.state == .dead || configuration.release == .cman3 && node.state == .leaving
        if returns {
            nodes[sender]?.state = .member
            effects.report(.cman(.memberUp(sender)))
        }
        // While any node is disallowed nobody can make sense of the others (commands.c:1770@cman2).
        if seesDisallowed, sender != id, nodes[sender]?.state != .disallowed {
            nodes[sender]?.state = .disallowed
            effects.report(.cman(.disallowed(sender)))
        }
        nodes[sender]?.flags = flags
        recalculate(allowDecrease: false, into: &outbox, &effects)
        exchangeFenceStatus(transition, with: sender, into: &outbox)
    }

    /// Whether `sender` can be a member. cman2 asserts that it is in cluster.conf; cman3 adds a node with one vote.
    private mutating func admit(_ sender: UInt32, into effects: inout ProcessorEffects) -> Bool {
        guard nodes[sender] == nil else { return true }
        guard configuration.release == .cman3, nodes.count < Self.nodeLimit else {
            effects.report(.refused(.unknownMember(sender)))
            return false
        }
        nodes[sender] = CmanOnTotemNode(votes: 1, expectedVotes: configuration.expectedVotes)
        return true
    }

    /// Whether a node comes back that has been down here and still has the state from before.
    private func hasOwnState(_ transition: CmanOnTotemTransition, _ flags: CmanOnTotemNodeFlags, _ sender: UInt32) -> Bool {
        guard configuration.disallows, let node = nodes[sender] else { return false }
        let wasDown = node.flags.contains(.beenDown)
        let isFirstOfOther = configuration.release == .cman3 && transition.firstTransition != 0 && sender != id
        if flags.contains(.dirty), wasDown || isFirstOfOther { return true }
        // Nodes before 6.1 do not say whether they have state; a restart shows in the time of joining.
        let isJudgedByTime = configuration.release == .cman2 || transition.minorVersion == 0
        return isJudgedByTime && wasDown && node.joinTime == transition.joinTime
    }

    private mutating func disallow(_ node: UInt32, into outbox: inout Outbox, _ effects: inout ProcessorEffects) {
        guard nodes[node]?.state != .disallowed else { return }
        nodes[node]?.state = .disallowed
        if isQuorate { kill(node, reason: .rejoin, into: &outbox) }
        effects.report(.cman(.disallowed(node)))
    }

    /// Orders node `node` to exit.
    func kill(_ node: UInt32, reason: CmanOnTotemKill.Reason, into outbox: inout Outbox) {
        say(.killNode(CmanOnTotemKill(node: Int32(clamping: node), reason: reason, of: generation)), to: node, into: &outbox)
    }

    /// Takes the word of node `sender` that it leaves.
    mutating func receive(_ leave: CmanOnTotemLeave, from sender: UInt32, into effects: inout ProcessorEffects) {
        guard sender != id else {
            effects.report(.cman(.left))
            return
        }
        guard let node = nodes[sender] else { return }
        nodes[sender]?.leaveReason = leave.reason
        guard node.state == .member || node.state == .disallowed else { return }
        nodes[sender]?.state = .leaving
        effects.report(.cman(.leaving(sender, reason: leave.reason)))
    }

    /// This node leaves for `reason`: 0 it goes down, 3 it is removed and quorum may fall.
    func leave(reason: UInt16, into outbox: inout Outbox) {
        say(.leave(CmanOnTotemLeave(reason: reason)), into: &outbox)
    }

    /// An administrator wants `node` gone; false when it is no member.
    mutating func kill(_ node: UInt32, into outbox: inout Outbox) -> Bool {
        guard nodes[node]?.state == .member || nodes[node]?.state == .disallowed else { return false }
        nodes[node]?.leaveReason = 1
        nodes[node]?.state = .leaving
        kill(node, reason: .cmanTool, into: &outbox)
        return true
    }

    /// Whether this node has state that would not survive meeting that of other nodes.
    mutating func setDirty(_ isDirty: Bool) {
        if isDirty { nodes[id]?.flags.insert(.dirty) } else { nodes[id]?.flags.remove(.dirty) }
    }

    /// The ring is without `node`.
    mutating func remove(_ node: UInt32, into effects: inout ProcessorEffects, _ outbox: inout Outbox) {
        guard let known = nodes[node] else { return }
        if !known.flags.contains(.fencedWhileUp) { nodes[node]?.flags.remove(.fenced) }
        nodes[node]?.flags.remove(.fencedWhileUp)
        nodes[node]?.flags.insert(.beenDown)
        nodes[node]?.state = .dead
        nodes[node]?.leaveReason = 0
        guard known.state == .member || known.state == .leaving else { return }
        // What its programs listen to is asked for again.
        nodes[node]?.ports = CmanOnTotemPortStatus()
        effects.report(.cman(.memberDown(node, reason: known.leaveReason)))
        let isRemoved = known.state == .leaving && known.leaveReason & 0xF == 3
        recalculate(allowDecrease: isRemoved, byCurrentNodes: isRemoved, into: &outbox, &effects)
    }

    // MARK: Fencing

    /// A node that has started again does not know that it was fenced; who knows tells it (commands.c:1785@cman2).
    private mutating func exchangeFenceStatus(_ transition: CmanOnTotemTransition, with sender: UInt32, into outbox: inout Outbox) {
        guard let node = nodes[sender], !node.fenceAgent.isEmpty else { return }
        if !transition.fenceAgent.isEmpty, transition.fenceAgent != node.fenceAgent {
            nodes[sender]?.fenceAgent = transition.fenceAgent
            nodes[sender]?.fenceTime = transition.fenceTime
        }
        guard node.fenceTime != 0, transition.fenceTime == 0, transition.fenceAgent.isEmpty else { return }
        var status = CmanOnTotemFenceStatus()
        status.nodeID = Int32(clamping: sender)
        status.seconds = node.fenceTime
        status.agent = node.fenceAgent
        say(.fenceStatus(status), to: sender, into: &outbox)
    }

    /// Takes the word of node `sender` that a node was fenced.
    mutating func receive(_ status: CmanOnTotemFenceStatus, from sender: UInt32, into effects: inout ProcessorEffects) {
        guard let fenced = UInt32(exactly: status.nodeID), let node = nodes[fenced] else { return }
        nodes[fenced]?.fenceTime = status.seconds
        nodes[fenced]?.fenceAgent = status.agent
        guard status.fenced != 0 else { return }
        nodes[fenced]?.flags.insert(.fenced)
        if node.state == .member { nodes[fenced]?.flags.insert(.fencedWhileUp) }
        effects.report(.cman(.fenced(fenced)))
    }
}
