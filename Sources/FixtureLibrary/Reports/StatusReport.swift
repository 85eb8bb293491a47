/// Reads what every node of a legacy cluster reported: the `.status.txt` files of `captures/cman`.
///
/// They hold the output of `cman_tool status` and `cman_tool nodes` of each node at the moments named, and of programs that received
/// messages.
public struct StatusReport: Sendable {
    private let time: ReportTime
    private var report = DaemonReport()
    private var snapshot: Snapshot?
    private var receiver: Reception?

    /// What one node reported at one moment.
    private struct Snapshot {
        var at: Double
        var name: Substring
        var generation: UInt64?
        var state: Substring = ""
        var isBlocked: Bool?
        var members: [UInt32] = []
        var ids: [Substring: UInt32] = [:]
    }

    /// The report in `text`; `origin` is the time of the capture's first packet in nanoseconds since 1970.
    public static func read(_ text: String, origin: Int64) -> DaemonReport {
        var reader = StatusReport(time: ReportTime(origin: origin))
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { reader.take(line) }
        reader.finish()
        return reader.report
    }

    private init(time: ReportTime) {
        self.time = time
    }

    private mutating func take(_ line: Substring) {
        if line.hasPrefix("##### ") {
            finish()
            beginReceiver(line.dropFirst(6))
        } else if line.hasPrefix("=== ") {
            finish()
            let words = line.split(separator: " ")
            guard words.count == 3, let at = time.ofDay(words[2]) else { return }
            snapshot = Snapshot(at: at, name: words[1])
        } else if receiver != nil {
            takeReceived(line)
        } else if snapshot != nil {
            takeStatus(line)
        }
    }

    private mutating func takeStatus(_ line: Substring) {
        if let colon = line.firstIndex(of: ":"), line.first != " " {
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon] {
            case "Cluster Generation": snapshot?.generation = UInt64(value)
            case "Membership state": snapshot?.state = value
            case "Quorum": snapshot?.isBlocked = value.contains("Blocked")
            case "Node name": snapshot?.name = value.prefix { $0 != " " }
            default: break
            }
            return
        }
        // `   3   M    0   2026-11-22 09:58:00  node3`
        let words = line.split(separator: " ")
        guard words.count >= 4, let id = UInt32(words[0]), let name = words.last else { return }
        if words[1] == "M" { snapshot?.members.append(id) }
        snapshot?.ids[name] = id
    }

    /// `##### node2 receiver`.
    private mutating func beginReceiver(_ title: Substring) {
        let words = title.split(separator: " ")
        guard words.count >= 2, let first = words.first, first.hasPrefix("node"), let node = UInt32(first.dropFirst(4)) else { return }
        receiver = Reception(receiver: String(title), node: node, service: .port, hash: .byteSum)
    }

    /// `41204.894 DATA from node 1 srcport 101 len 7: hello-2 (sum 627)`, `41203.891 listening on port 100`.
    private mutating func takeReceived(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count > 1 else { return }
        if words[1] == "listening", let port = words.last { receiver?.places.append(String(port)) }
        guard words[1] == "DATA", words.count > 8, let node = UInt32(words[4]), let port = UInt32(words[6]),
            let length = Int(words[8].dropLast()), length >= 0, let sum = words.last.flatMap({ UInt32($0.dropLast()) })
        else { return }
        let place = receiver?.places.first ?? ""
        receiver?.messages.append(DeliveredMessage(sender: node, process: port, place: place, length: length, hash: sum))
    }

    private mutating func finish() {
        if var receiver {
            if receiver.places.count > 1 {
                for index in receiver.messages.indices { receiver.messages[index].place = DeliveredMessage.anyPlace }
            }
            report.receptions.append(receiver)
        }
        receiver = nil
        if let snapshot, snapshot.state == "Cluster-Member", let node = snapshot.ids[snapshot.name] {
            report.views.append(
                MembershipView(
                    at: snapshot.at,
                    node: node,
                    members: snapshot.members.sorted(),
                    generation: snapshot.generation,
                    isQuorate: snapshot.isBlocked.map { !$0 }
                )
            )
        }
        snapshot = nil
    }
}
