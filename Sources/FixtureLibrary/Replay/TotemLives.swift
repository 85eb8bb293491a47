import EngineKit
import WireFormat

/// The lives of the daemons of a capture, as its truth file tells: what was started, killed and stopped, and what was dropped on the
/// way to them.
///
/// The lines of `ACTIONS` read `<seconds> start co1`, `... restart co3`, `... kill -9 corosync co3`, `... SIGTERM corosync co3 (leave)`,
/// `... co3 exited`, `... partition {1,2} / {3}`, `... heal` and the like; node `coI` has id I.
public struct TotemLives: Sendable {
    private var begins: [UInt32: Instant] = [:]
    private var ended: [TotemLife] = []
    private var dead: Set<UInt32> = []
    private var drops: [TotemDrop] = []
    private var obstacles: [UInt32: String] = [:]
    private var versions: [UInt32: UInt64] = [:]
    private let nodes: [UInt32]
    /// What the node that a truth file calls by this number is called on the wire.
    private let numbers: [UInt32: UInt32]

    /// The lives of the daemons of `recording` by the truth file `truth`.
    static func lives<Dialect>(of recording: TotemRecording<Dialect>, truth: String) -> [TotemLife] {
        // Node I has the address that ends in I, whatever its id is.
        var numbers: [UInt32: UInt32] = [:]
        for (node, address) in recording.addresses {
            let last = address.ipv4Number ?? UInt32(truncatingIfNeeded: address.ipv6Numbers?.low ?? 0)
            numbers[last & 0xFF] = node
        }
        var lives = TotemLives(nodes: recording.nodes, numbers: numbers)
        if truth.contains("# actions (local clock") {
            let log = OpenaisActions(truth: truth, first: recording.firstTime)
            for (time, action) in log.actions { lives.takeOpenais(action, at: time) }
        } else {
            for (time, action) in actions(truth) { lives.take(action, at: time) }
        }
        return lives.result(recording.nodes)
    }

    private func result(_ nodes: [UInt32]) -> [TotemLife] {
        let lives = self
        let present = nodes.filter { !lives.dead.contains($0) }.map { TotemLife(node: $0, begin: lives.begins[$0], end: nil) }
        return (lives.ended + present).map { life in
            var life = life
            life.drops = lives.drops
            life.configurationVersion = lives.versions[life.node]
            life.obstacle = lives.obstacles[life.node]
            return life
        }.sorted { ($0.node, $0.begin ?? .zero) < ($1.node, $1.begin ?? .zero) }
    }

    private init(nodes: [UInt32], numbers: [UInt32: UInt32]) {
        self.nodes = nodes
        self.numbers = numbers
    }

    /// The node on the wire that the truth file calls number `number`.
    private func wire(_ number: UInt32) -> UInt32 { numbers[number] ?? number }

    private mutating func take(_ action: Substring, at time: Instant) {
        let words = action.split(separator: " ")
        if words.starts(with: ["start", "mintotem", "as", "node"]), words.count > 4,
            let node = UInt32(words[4].prefix { $0.isNumber }).map(wire)
        {
            obstacles[node] = "it is not a corosync daemon"
            return
        }
        for clause in action.split(separator: ";") where clause.contains("config_version") { takeVersion(clause) }
        if action.contains("dropped at the switch"), let length = words.lazy.compactMap({ Int($0) }).first {
            guard let node = words.compactMap({ nodeID($0) }).first else { return }
            drops.append(TotemDrop(rule: .longerThan(length, to: node), begin: time, end: time))
        } else if let node = node(behind: "corosync", in: words) {
            switch words.first {
            case "kill": end(node, at: time)
            // A daemon that stops still sends; its LEAVE is the last of it.
            case "SIGTERM": end(node, at: time + .seconds(1))
            case "SIGSTOP": obstacles[node] = "it was stopped by a signal, and what its sockets still held afterwards is not recorded"
            default: break
            }
        } else if let node = node(behind: "start", in: words) ?? node(behind: "restart", in: words) {
            begins[node] = time
            dead.remove(node)
        } else if words.last == "exited", let node = words.first.flatMap({ nodeID($0) }) {
            end(node, at: time)
        } else {
            takeNetwork(words, at: time)
        }
    }

    /// `co1,co2 config_version 3`.
    private mutating func takeVersion(_ clause: Substring) {
        let words = clause.split { $0 == " " || $0 == "," }
        guard let version = words.lazy.compactMap({ UInt64($0) }).first else { return }
        for node in words.compactMap({ nodeID($0) }) { versions[node] = version }
    }

    /// The node that stands behind `word`.
    private func node(behind word: Substring, in words: [Substring]) -> UInt32? {
        guard let position = words.firstIndex(of: word), position + 1 < words.count else { return nil }
        return nodeID(words[position + 1])
    }

    private mutating func takeNetwork(_ words: [Substring], at time: Instant) {
        switch words.first {
        case "partition":
            let side = words[1].dropFirst().dropLast().split(separator: ",").compactMap { UInt32($0).map(wire) }
            drops.append(TotemDrop(rule: .partition(Set(side)), begin: time, end: time))
        case "heal", "rule":
            if let last = drops.indices.last { drops[last].end = time }
        default:
            guard words.contains("loss"), words.contains("random") else { return }
            for node in nodes { obstacles[node] = "packets were dropped at random behind the capture point" }
        }
    }

    /// The actions of the openais recordings: `start node 1`, `node 3: cman_tool join`, `kill -9 aisexec on node 3`, `partition {2}`.
    private mutating func takeOpenais(_ action: OpenaisActions.Action, at time: Instant) {
        switch action {
        case .start(let numbers):
            for node in numbers.map(wire) {
                begins[node] = time
                dead.remove(node)
            }
        case .kill(let number): end(wire(number), at: time)
        // A daemon that is told to stop still sends.
        case .stop(let number): end(wire(number), at: time + .seconds(2))
        case .partition(let numbers): drops.append(TotemDrop(rule: .partition(Set(numbers.map(wire))), begin: time, end: time))
        case .heal: if let last = drops.indices.last { drops[last].end = time }
        case .loss: for node in nodes { obstacles[node] = "packets were dropped at random behind the capture point" }
        case .stranger(let number): obstacles[wire(number)] = "it is not a daemon"
        }
    }

    private mutating func end(_ node: UInt32, at time: Instant) {
        ended.append(TotemLife(node: node, begin: begins[node], end: time))
        dead.insert(node)
    }

    private func nodeID(_ word: Substring) -> UInt32? {
        word.hasPrefix("co") ? UInt32(word.dropFirst(2)).map(wire) : nil
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
