import EngineKit
import TotemWire

/// Votes and quorum as cman computes them (commands.c:279-327, 1631-1675@cman2).
extension CmanOnTotemService {
    /// Votes of the members and of the quorum device.
    private var presentVotes: UInt32 {
        nodes.values.reduce(deviceVotes) { $1.state == .member ? $0 &+ $1.votes : $0 }
    }

    /// Quorum as it stands now.
    package var current: CmanOnTotemQuorum {
        let members = nodes.filter { $0.value.state == .member }
        return CmanOnTotemQuorum(
            quorum: quorum,
            totalVotes: presentVotes,
            expectedVotes: members.values.map(\.expectedVotes).max() ?? 0,
            isQuorate: isQuorate,
            votes: members.mapValues(\.votes)
        )
    }

    /// The votes that are needed; `expectedVotes` 0 takes the highest of the members.
    private func calculate(allowDecrease: Bool, expectedVotes: UInt32) -> UInt32 {
        let members = nodes.values.filter { $0.state == .member }
        let expected = expectedVotes > 0 ? expectedVotes : members.map(\.expectedVotes).max() ?? 0
        var needed = max((expected &+ 2) / 2, (presentVotes &+ 2) / 2)
        if !allowDecrease { needed = max(needed, quorum) }
        return configuration.twoNode && members.count <= 2 ? 1 : needed
    }

    /// Calculates quorum anew. Nodes that are disallowed are killed when it is regained (commands.c:165@cman2).
    mutating func recalculate(
        allowDecrease: Bool,
        byCurrentNodes: Bool = false,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        let count = nodes.values.reduce(0) { $1.state == .member || $1.state == .leaving ? $0 + 1 : $0 }
        let expected: UInt32 = byCurrentNodes ? UInt32(count) : 0
        quorum = calculate(allowDecrease: allowDecrease, expectedVotes: expected)
        // cman2 does not keep what it calculated with (ais-behaviour.md 7.5).
        if expected > 0, configuration.release == .cman3 { capExpectedVotes { _ in expected } }
        let wasQuorate = isQuorate
        isQuorate = quorum <= presentVotes && !isOutdated
        if isQuorate, !wasQuorate {
            for node in nodes.keys.sorted() where nodes[node]?.state == .disallowed { kill(node, reason: .rejoin, into: &outbox) }
        }
        let quorum = current
        guard quorum != lastReport else { return }
        lastReport = quorum
        effects.report(.cman(.quorum(quorum)))
    }

    private mutating func capExpectedVotes(_ body: (UInt32) -> UInt32) {
        for (id, node) in nodes where node.state == .member { nodes[id]?.expectedVotes = body(node.expectedVotes) }
    }

    /// Takes a change that an administrator made on node `sender`.
    mutating func receive(
        _ order: CmanOnTotemReconfigure,
        from sender: UInt32,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        guard let node = UInt32(exactly: order.nodeID), nodes[node] != nil else { return }
        switch CmanOnTotemReconfigure.Parameter(rawValue: order.param) {
        case .expectedVotes:
            nodes[node]?.expectedVotes = order.value
            capExpectedVotes { min($0, order.value) }
            recalculate(allowDecrease: true, into: &outbox, &effects)
        case .nodeVotes:
            nodes[node]?.votes = order.value
            recalculate(allowDecrease: true, into: &outbox, &effects)
        case .configVersion:
            if order.value != configuration.configVersion { effects.report(.cman(.newerConfiguration(order.value, of: sender))) }
        case .ccs, nil:
            break
        }
    }

    // MARK: Commands

    /// Asks every member to expect `votes`; false when the daemon would refuse: quorum would be lost, or not be a majority.
    package mutating func reconfigure(expectedVotes votes: UInt32, into outbox: inout Outbox) -> Bool {
        let needed = calculate(allowDecrease: true, expectedVotes: votes)
        guard !seesDisallowed, needed >= presentVotes / 2, needed <= presentVotes else { return false }
        capExpectedVotes { min($0, votes) }
        say(.reconfigure(CmanOnTotemReconfigure(.expectedVotes, value: votes, node: Int32(clamping: id))), into: &outbox)
        return true
    }

    /// Asks every member to count `votes` for `node`; false when the daemon would refuse: the node is unknown, or quorum would be lost.
    package mutating func reconfigure(votes: UInt32, of node: UInt32, into outbox: inout Outbox, _ effects: inout ProcessorEffects) -> Bool
    {
        guard let old = nodes[node]?.votes else { return false }
        nodes[node]?.votes = votes
        let needed = calculate(allowDecrease: true, expectedVotes: 0)
        guard needed >= presentVotes / 2, needed <= presentVotes else {
            nodes[node]?.votes = old
            return false
        }
        recalculate(allowDecrease: true, into: &outbox, &effects)
        say(.reconfigure(CmanOnTotemReconfigure(.nodeVotes, value: votes, node: Int32(clamping: node))), into: &outbox)
        return true
    }

    /// The configuration file has been read again and has `version`; with `announcing` the others are asked to read theirs.
    package mutating func update(
        configVersion version: UInt32,
        announcing: Bool,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        configuration.configVersion = version
        isOutdated = false
        if announcing {
            say(.reconfigure(CmanOnTotemReconfigure(.configVersion, value: version, node: Int32(clamping: id))), into: &outbox)
        }
        recalculate(allowDecrease: false, into: &outbox, &effects)
    }

    /// The quorum device of this node has `votes`, or is gone when they are 0.
    package mutating func setQuorumDevice(votes: UInt32, into outbox: inout Outbox, _ effects: inout ProcessorEffects) {
        deviceVotes = votes
        recalculate(allowDecrease: false, into: &outbox, &effects)
    }
}
