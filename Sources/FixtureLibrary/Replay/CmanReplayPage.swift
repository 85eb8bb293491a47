/// The tables of docs/replay-cman.md.
public enum CmanReplayPage {
    /// The row of one life: what the replay with the daemon's own rules gives, then those with the rules of the kernel module (captures
    /// whose name ends in `-k`) and with ours.
    public static func row(_ replay: CmanReplay, _ life: CmanReplay.Life) -> String {
        var cells = [String(replay.recording.name.prefix { $0 != "." }), life.description, recorded(replay, life)]
        if case .notReplayable? = CmanReplayCatalogue.note(capture: replay.recording.name, life: life.description) {
            cells += ["", ""]
        } else {
            cells.append(replay.recording.isKernelLike ? words(replay.run(life, as: .kernel)) : "")
            cells.append(words(replay.run(life, as: .ringbridge)))
        }
        return "| \(cells.joined(separator: " | ")) |"
    }

    /// The row of one rule.
    public static func row(_ deviation: CmanDeviation) -> String {
        "| `\(deviation.rawValue)` | \(deviation.reason) |"
    }

    private static func recorded(_ replay: CmanReplay, _ life: CmanReplay.Life) -> String {
        let note = CmanReplayCatalogue.note(capture: replay.recording.name, life: life.description)
        if case .notReplayable(let reason)? = note { return "not replayable: \(reason)" }
        switch (replay.run(life), note) {
        case (.equal(let messages, let acknowledgements), nil): return "equal: \(messages) messages, \(acknowledgements) acknowledgements"
        case (.equal, _): return "is equal now; take it out of the catalogue"
        case (.differs(let difference), .differs(let reason)?):
            return "differs in frame \(difference.frame.map(String.init) ?? "past the last"): \(reason)"
        case (.differs(let difference), _): return "unexplained: \(difference)"
        }
    }

    private static func words(_ outcome: CmanProfileOutcome) -> String {
        var words: [String] = []
        for cause in outcome.causes {
            let names = cause.deviations.map { "`\($0.rawValue)`" }.joined(separator: " with ")
            let place = cause.leavesRecording ? cause.frame.map { " from frame \($0) on" } ?? " from a message of its own on" : ""
            words.append("\(names) \(cause.count)\(place)")
        }
        if outcome.known > 0 { words.append("\(outcome.known) as the replay of the daemon differs") }
        words += outcome.unexplained.map { "unexplained: \($0)" }
        return words.isEmpty ? "equal" : words.joined(separator: ", ")
    }
}
