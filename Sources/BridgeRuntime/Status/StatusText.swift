/// A status for people to read.
enum StatusText {
    static func render(_ status: StatusDocument) -> String {
        var lines: [String] = []
        let health = status.isStopping ? "stopping" : status.problems.isEmpty ? "healthy" : "needs attention"
        lines.append("cluster \(status.cluster): \(health)")
        lines.append("")
        lines.append(row(["node", "id", "votes", "speaks", "bridge stands in on", "legacy address", "Totem address"]))
        for node in status.nodes { lines.append(row(columns(node, status))) }
        lines.append("")
        for side in [status.legacy, status.corosync] { lines += describe(side) }
        let sockets = status.sockets
        if sockets.sendFailures + sockets.truncated > 0 {
            lines.append("datagrams: \(sockets.sendFailures) that the system would not send, \(sockets.truncated) too long to be read")
        }
        for problem in status.problems { lines.append("problem: \(problem)") }
        lines.append("next step: \(status.nextStep)")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func columns(_ node: StatusDocument.Node, _ status: StatusDocument) -> [String] {
        let speaks = [status.legacy, status.corosync].filter { $0.natives.contains { $0.id == node.id } }.map(\.name)
        let proxies = [status.legacy, status.corosync].compactMap { side -> String? in
            guard let proxy = side.proxies.first(where: { $0.id == node.id }) else { return nil }
            return proxy.phase == "member" ? side.name : "\(side.name) (\(proxy.phase))"
        }
        return [
            node.name, "\(node.id)", "\(node.votes)", speaks.isEmpty ? "down" : speaks.joined(separator: "+"),
            proxies.isEmpty ? "-" : proxies.joined(separator: ", "), node.legacyAddress, node.totemAddress,
        ]
    }

    private static func describe(_ side: StatusDocument.Side) -> [String] {
        var lines: [String] = []
        let quorum =
            side.quorum.map { "\($0.isQuorate ? "quorate" : "NOT quorate"), \($0.votes) of \($0.expected) votes, \($0.needed) needed" }
            ?? "quorum unknown"
        lines.append("\(side.name): \(quorum)\(side.isOperational ? "" : ", cannot order messages now")")
        let counters = side.counters
        lines.append(
            "  messages of its nodes: \(counters.carried) carried across, \(counters.withoutRecipient) for nobody there, \(counters.withoutListener) to ports nobody there listens on, \(counters.acknowledgedEarly) acknowledged early"
        )
        if !counters.refused.isEmpty {
            let reasons = counters.refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            lines.append("  refused: \(reasons.joined(separator: ", "))")
        }
        if counters.refusedPackets > 0 { lines.append("  packets refused: \(counters.refusedPackets)") }
        for queue in side.queues {
            lines.append("  \(queue.messages) messages of node \(queue.sender) wait for it, the oldest for \(queue.oldestMilliseconds) ms")
        }
        if !side.listeners.isEmpty {
            let ports = side.listeners.map { "node \($0.node): \($0.ports.map(String.init).joined(separator: " "))" }
            lines.append("  ports listened on: \(ports.joined(separator: ", "))")
        }
        return lines
    }

    private static let widths = [20, 6, 6, 16, 22, 18]

    private static func row(_ columns: [String]) -> String {
        var line = ""
        for (index, column) in columns.enumerated() {
            let width = index < widths.count ? widths[index] : 0
            line += column + String(repeating: " ", count: max(index + 1 < columns.count ? 1 : 0, width - column.count))
        }
        return line
    }
}
