import EngineKit
import TotemNode
import TotemWire

/// The timers that daemons wrote into their logs when they started:
/// `Token Timeout (1000 ms) retransmit timeout (238 ms)`, `token hold (180 ms) ...`, `join (50 ms) ... consensus (800 ms) merge (200 ms)`.
enum TotemLogTimers {
    /// The timers of the daemons of `generation` whose logs stand in `truth`; where they say nothing, those of its recordings.
    static func timers(of generation: TotemGeneration, in truth: String) -> TotemTimers {
        guard let (token, retransmit) = numbers(behind: "Token Timeout (", " retransmit timeout (", in: truth) else {
            return unlogged(generation, underCman: truth.contains("cman"))
        }
        var timers = TotemTimers(token: token)
        timers.tokenRetransmit = retransmit
        if let (hold, _) = numbers(behind: "token hold (", nil, in: truth) { timers.hold = hold }
        if let (join, consensus) = numbers(behind: "] join (", "consensus (", in: truth) {
            timers.join = join
            timers.consensus = consensus
        }
        return timers
    }

    /// corosync 3 was recorded with `token: 1000` and three nodes, cman 3 with token 3000 and what its JOINs show, the first cman with
    /// what its library had.
    private static func unlogged(_ generation: TotemGeneration, underCman: Bool) -> TotemTimers {
        switch generation {
        case .totem2005, .openais080, .corosync2: return TotemTimers(generation, nodes: 3)
        case .corosync1 where !underCman: return TotemTimers(generation, nodes: 3)
        case .corosync1:
            var timers = TotemTimers(token: .milliseconds(3000))
            timers.join = TotemTimers.cman.join
            timers.consensus = .milliseconds(5000)
            return timers
        case .corosync3: return TotemTimers(token: .milliseconds(1650))
        }
    }

    /// The milliseconds behind the first `word`, and behind `other` in the same line.
    private static func numbers(behind word: String, _ other: String?, in text: String) -> (Interval, Interval)? {
        guard let line = text.split(separator: "\n").first(where: { $0.contains(word) }) else { return nil }
        guard let first = number(behind: word, in: line) else { return nil }
        return (first, other.flatMap { number(behind: $0, in: line) } ?? .zero)
    }

    private static func number(behind word: String, in line: Substring) -> Interval? {
        var rest = line
        while let start = rest.firstIndex(where: { $0 == word.first }) {
            rest = rest[start...]
            if rest.hasPrefix(word) {
                return Int64(rest.dropFirst(word.count).prefix { $0.isNumber }).map { .milliseconds($0) }
            }
            rest = rest.dropFirst()
        }
        return nil
    }
}
