/// What an operator is told on top of the facts: what needs attention, and the next safe step of the upgrade.
enum UpgradeAdvice {
    /// What needs attention, worst first; empty when all is well.
    static func problems(_ status: StatusDocument) -> [String] {
        var problems: [String] = []
        for id in status.doubleIdentities {
            problems.append("\(name(id, status)) runs cman and corosync at the same time: stop one of them")
        }
        for (side, other) in [(status.legacy, status.corosync), (status.corosync, status.legacy)] {
            for proxy in side.proxies {
                if let holder = proxy.addressHolder {
                    problems.append("the \(side.name) address of \(proxy.name) is taken: \(holder)")
                } else if proxy.failures > 0 {
                    let reason = proxy.lastLoss.map { ": \($0)" } ?? ""
                    problems.append("the \(side.name) proxy of \(proxy.name) failed \(proxy.failures) times in a row\(reason)")
                }
            }
            let hasMembers = !side.natives.isEmpty || side.proxies.contains { $0.phase == "member" }
            if let quorum = side.quorum, hasMembers, !quorum.isQuorate {
                problems.append("the \(side.name) side is not quorate: \(quorum.votes) votes, \(quorum.needed) needed")
            }
            // A side without proxies orders nothing, and need not while nobody speaks the other protocol.
            if !side.natives.isEmpty, !other.natives.isEmpty, !side.isOperational {
                problems.append("the \(side.name) side cannot order messages at the moment")
            }
        }
        if !status.isConverged { problems.append("the two sides do not list the same members yet") }
        return problems
    }

    /// What may be done next without risk.
    static func nextStep(_ status: StatusDocument) -> String {
        if status.isStopping { return "none: the bridge is stopping" }
        if let problem = status.problems.first { return "wait, or mend this first: \(problem)" }
        let legacy = Set(status.legacy.natives.map(\.id))
        let corosync = Set(status.corosync.natives.map(\.id))
        if legacy.isEmpty, corosync.isEmpty { return "wait: no node of the cluster is up yet" }
        if let down = status.nodes.first(where: { !legacy.contains($0.id) && !corosync.contains($0.id) }) {
            return
                "\(down.name) is down: give its host the address \(down.totemAddress) and start corosync there, or start cman again with \(down.legacyAddress)"
        }
        if legacy.isEmpty { return "every node speaks corosync: stop the bridge" }
        // The lowest id is the one that other members look to when a master dies, so it goes last.
        for node in status.nodes.reversed() where legacy.contains(node.id) && canSpare(node, status) {
            return
                "stop cman on \(node.name), remove the address \(node.legacyAddress) there, add and announce \(node.totemAddress), and start corosync"
        }
        return "none: without any further node the cluster would lose quorum; raise votes or start another node first"
    }

    /// Whether both sides stay quorate without the node.
    private static func canSpare(_ node: StatusDocument.Node, _ status: StatusDocument) -> Bool {
        [status.legacy.quorum, status.corosync.quorum].allSatisfy { quorum in
            guard let quorum else { return true }
            return UInt64(quorum.votes) >= UInt64(quorum.needed) + UInt64(node.votes)
        }
    }

    private static func name(_ id: UInt32, _ status: StatusDocument) -> String {
        status.nodes.first { $0.id == id }?.name ?? "node \(id)"
    }
}
