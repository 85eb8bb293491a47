import EngineKit

/// The lives of the daemons of a capture, as its truth file tells: what was started, killed and stopped, and when.
public enum TotemLives {
    /// Reads the `ACTIONS` of a truth file, whose lines read `<seconds> start co1`, `<seconds> kill -9 corosync co3`,
    /// `<seconds> SIGTERM corosync co3 (leave)`, `<seconds> restart co3`; node `coI` has id I.
    public static func lives(nodes: [UInt32], truth: String) -> [TotemReplay.Life] {
        var begins: [UInt32: Instant] = [:]

        var finished: [TotemReplay.Life] = []
        var dead: Set<UInt32> = []
        for (time, words) in actions(truth) {
            guard let node = words.lazy.compactMap({ nodeID($0) }).first else { continue }
            switch words.first {
            case "start", "restart":
                begins[node] = time

                dead.remove(node)
            case "kill" where words.contains("corosync"), "SIGTERM":
                // A stopping daemon still sends; its LEAVE is the last of it.
                let end = words.first == "SIGTERM" ? time + .seconds(1) : time
                finished.append(TotemReplay.Life(node: node, begin: begins[node], end: end))
                dead.insert(node)
            default:
                break
            }
        }
        let present = nodes.filter { !dead.contains($0) }.map { TotemReplay.Life(node: $0, begin: begins[$0], end: nil) }
        return (finished + present).sorted { ($0.node, $0.begin ?? .zero) < ($1.node, $1.begin ?? .zero) }
    }

    private static func nodeID(_ word: Substring) -> UInt32? {
        word.hasPrefix("co") ? UInt32(word.dropFirst(2)) : nil
    }

    private static func actions(_ truth: String) -> [(Instant, [Substring])] {
        var isInside = false
        var actions: [(Instant, [Substring])] = []
        for line in truth.split(separator: "\n") {
            if line.hasPrefix("## ") { isInside = line.hasPrefix("## ACTIONS") }
            let words = line.split(separator: " ")
            guard isInside, words.count > 1, let time = instant(words[0]) else { continue }
            actions.append((time, Array(words.dropFirst())))
        }
        return actions
    }

    /// Seconds with a fraction of six digits.
    private static func instant(_ word: Substring) -> Instant? {
        let parts = word.split(separator: ".")
        guard parts.count == 2, let seconds = Int64(parts[0]), let micros = Int64(parts[1]), parts[1].count == 6 else { return nil }
        return Instant(nanoseconds: seconds * 1_000_000_000 + micros * 1000)
    }
}
