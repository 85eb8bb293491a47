import CaptureSupport
import ClusterServices
import Testing
import TotemNode

/// What the clients of the recorded daemons wrote down.
private struct ClientLog {
    var node: UInt32
    var name: String
    var pid: UInt32
    /// Changes and messages of each group, in order.
    var lines: [String: [String]]

    static func logs(of name: String) throws -> [ClientLog] {
        var logs: [ClientLog] = []
        var isInside = false
        for line in try CaptureSupport.text(of: "corosync/\(name).truth.txt").split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("## ") {
                isInside = line.hasPrefix("## CLIENT LOG")
                guard isInside else { continue }
                let parts = words[3].split(separator: ".")
                logs.append(ClientLog(node: UInt32(parts[0]) ?? 0, name: String(parts[1]), pid: 0, lines: [:]))
            } else if isInside, words.count > 2 {
                let last = logs.count - 1
                if words[1] == "START" { logs[last].pid = UInt32(words[2].dropFirst(4)) ?? 0 }
                guard words[1] == "CONFCHG" || words[1] == "DELIVER" else { continue }
                let group = String(words[2].dropFirst("group=".count))
                let text = words[1] == "DELIVER" ? words[3...6].joined(separator: " ") : words[3...].joined(separator: " ")
                logs[last].lines[group, default: []].append(text)
            }
        }
        return logs
    }
}

private func fnv1a(_ bytes: [UInt8]) -> UInt32 {
    bytes.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
}

extension RecordedNode {
    /// What a client of this node with process id `pid` writes down about `group`.
    fileprivate func log(of pid: UInt32, in group: String) -> [String] {
        var lines: [String] = []
        var isMember = false
        let client = CPGProcess(node: node, pid: pid)
        for (event, payload) in events {
            switch event {
            case .group(let membership) where membership.group == group:
                if membership.joined.contains(where: { $0.process == client }) { isMember = true }
                guard isMember else { continue }
                let members = membership.members.map { "\($0.node)/\($0.pid)," }.joined()
                func text(_ changes: [CPGMembership.Change]) -> String {
                    changes.map { "\($0.process.node)/\($0.process.pid)/r\($0.reason.rawValue)," }.joined()
                }
                let ownLeave = membership.left.first { $0.process == client }
                if ownLeave?.reason != .processDown {
                    lines.append("members=\(members) left=\(text(membership.left)) joined=\(text(membership.joined))")
                }
                if ownLeave != nil { isMember = false }
            case .message(group, let sender, _) where isMember:
                var digest = String(fnv1a(payload), radix: 16)
                digest = String(repeating: "0", count: 8 - digest.count) + digest
                lines.append("from=\(sender.node) pid=\(sender.pid) len=\(payload.count) fnv=\(digest)")
            default:
                continue
            }
        }
        return lines
    }
}

/// Our services report what the recorded daemons told their clients: members, reasons, messages, order.
@Suite struct RecordedClients {
    @Test(arguments: [
        "3.1.7-udpu-cpg", "3.1.7-udp-cpg", "3.1.7-udpu-large", "3.1.7-udpu-stop", "3.1.7-udp-stop", "3.1.7-udpu-kill", "3.1.7-udp-kill",
        "3.1.7-udpu6-kill", "3.1.7-udp-partition", "3.1.7-udp-recovery", "3.1.7-udpu-loss", "3.1.7-udp-loss",
    ])
    func everyClientIsToldTheSame(_ name: String) throws {
        var compared = 0
        for log in try ClientLog.logs(of: name) {
            var player = RecordedNode(node: log.node, configuration: ProcessorConfiguration(nodeID: log.node, nodes: [1, 2, 3]))
            try player.play("corosync/\(name).pcap", first: [1, 2, 3])
            for (group, lines) in log.lines {
                // The daemon of node 3 is killed with its client; the log ends there.
                let isKilled = name.hasSuffix("kill") && log.node == 3
                let ours = player.log(of: log.pid, in: group)
                #expect((isKilled ? Array(ours.prefix(lines.count)) : ours) == lines, "client \(log.node).\(log.name) in group \(group)")
                compared += lines.count
            }
        }
        #expect(compared > 3)
    }
}
