import EngineKit

/// The lives of the daemons of a capture, as its truth file tells: what was started, killed and stopped, and what was dropped on the
/// way to them.
///
/// The lines of `ACTIONS` read `<seconds> start co1`, `... restart co3`, `... kill -9 corosync co3`, `... SIGTERM corosync co3 (leave)`,
/// `... co3 exited`, `... partition {1,2} / {3}`, `... heal` and the like; node `coI` has id I.
public struct TotemLives: Sendable {
    private var begins: [UInt32: Instant] = [:]
    private var ended: [TotemReplay.Life] = []
    private var dead: Set<UInt32> = []
    private var drops: [TotemDrop] = []
    private var obstacles: [UInt32: String] = [:]
    private var versions: [UInt32: UInt64] = [:]
    private let nodes: [UInt32]

    /// The lives of `nodes` by the truth file `truth`.
    public static func lives(nodes: [UInt32], truth: String) -> [TotemReplay.Life] {
        var lives = TotemLives(nodes: nodes)
        for (time, action) in actions(truth) { lives.take(action, at: time) }
        let present = nodes.filter { !lives.dead.contains($0) }.map { TotemReplay.Life(node: $0, begin: lives.begins[$0], end: nil) }
        return (lives.ended + present).map { life in
            var life = life
            life.drops = lives.drops
            life.configurationVersion = lives.versions[life.node]
            life.obstacle = lives.obstacles[life.node]
            return life
        }.sorted { ($0.node, $0.begin ?? .zero) < ($1.node, $1.begin ?? .zero) }
    }

    private init(nodes: [UInt32]) {
        self.nodes = nodes
    }

    private mutating func take(_ action: Substring, at time: Instant) {
        let words = action.split(separator: " ")
        if words.starts(with: ["start", "mintotem", "as", "node"]), words.count > 4, let node = UInt32(words[4].prefix { $0.isNumber }) {
            obstacles[node] = "it is not a corosync daemon"
            return
        }
        for clause in action.split(separator: ";") where clause.contains("config_version") { takeVersion(clause) }
        if action.contains("dropped at the switch"), let length = words.lazy.compactMap({ Int($0) }).first {
            guard let node = words.lazy.compactMap({ Self.nodeID($0) }).first else { return }
            drops.append(TotemDrop(rule: .longerThan(length, to: node), begin: time, end: time))
        } else if let node = Self.node(behind: "corosync", in: words) {
            switch words.first {
            case "kill": end(node, at: time)
            // A daemon that stops still sends; its LEAVE is the last of it.
            case "SIGTERM": end(node, at: time + .seconds(1))
            case "SIGSTOP": obstacles[node] = "it was stopped by a signal, and what its sockets still held afterwards is not recorded"
            default: break
            }
        } else if let node = Self.node(behind: "start", in: words) ?? Self.node(behind: "restart", in: words) {
            begins[node] = time
            dead.remove(node)
        } else if words.last == "exited", let node = words.first.flatMap({ Self.nodeID($0) }) {
            end(node, at: time)
        } else {
            takeNetwork(words, at: time)
        }
    }

    /// `co1,co2 config_version 3`.
    private mutating func takeVersion(_ clause: Substring) {
        let words = clause.split { $0 == " " || $0 == "," }
        guard let version = words.lazy.compactMap({ UInt64($0) }).first else { return }
        for node in words.compactMap({ Self.nodeID($0) }) { versions[node] = version }
    }

    /// The node that stands behind `word`.
    private static func node(behind word: Substring, in words: [Substring]) -> UInt32? {
        guard let position = words.firstIndex(of: word), position + 1 < words.count else { return nil }
        return nodeID(words[position + 1])
    }

    private mutating func takeNetwork(_ words: [Substring], at time: Instant) {
        switch words.first {
        case "partition":
            let side = words[1].dropFirst().dropLast().split(separator: ",").compactMap { UInt32($0) }
            drops.append(TotemDrop(rule: .partition(Set(side)), begin: time, end: time))
        case "heal", "rule":
            if let last = drops.indices.last { drops[last].end = time }
        default:
            guard words.contains("loss"), words.contains("random") else { return }
            for node in nodes { obstacles[node] = "packets were dropped at random behind the capture point" }
        }
    }

    private mutating func end(_ node: UInt32, at time: Instant) {
        ended.append(TotemReplay.Life(node: node, begin: begins[node], end: time))
        dead.insert(node)
    }

    private static func nodeID(_ word: Substring) -> UInt32? {
        word.hasPrefix("co") ? UInt32(word.dropFirst(2)) : nil
    }

    private static func actions(_ truth: String) -> [(Instant, Substring)] {
        var isInside = false
        var actions: [(Instant, Substring)] = []
        for line in truth.split(separator: "\n") {
            if line.hasPrefix("## ") { isInside = line.hasPrefix("## ACTIONS") }
            guard isInside, let space = line.firstIndex(of: " "), let time = instant(line[..<space]) else { continue }
            actions.append((time, line[line.index(after: space)...]))
        }
        return actions
    }

    /// Seconds with a fraction of six or nine digits.
    private static func instant(_ word: Substring) -> Instant? {
        let parts = word.split(separator: ".")
        guard parts.count == 2, let seconds = Int64(parts[0]), let fraction = Int64(parts[1]) else { return nil }
        let scale: Int64 = parts[1].count == 9 ? 1 : 1000
        return Instant(nanoseconds: seconds * 1_000_000_000 + fraction * scale)
    }
}
