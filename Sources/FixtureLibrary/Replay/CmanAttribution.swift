import CmanWire
import EngineKit
import WireFormat

/// Why a replay with the rules of another profile differs from the recording.
public struct CmanProfileOutcome: Sendable {
    /// One reason.
    public struct Cause: Sendable, Hashable {
        /// The rules; more than one when the differences go away only with all of them.
        public var deviations: [CmanDeviation]
        /// Differences in messages that only this makes.
        public var count: Int
        /// The frame of the capture in which the first one is; nil when the daemon sent nothing there.
        public var frame: Int?
        /// Whether the recording may be left from there on: the peers answer the daemon.
        public var leavesRecording: Bool
    }

    /// The reasons, in the order in which they show.
    public var causes: [Cause] = []
    /// Differences without such a reason in a life whose replay as the daemon differs too, because of what `CmanReplayCatalogue` says.
    public var known = 0
    /// Differences without a reason, in words.
    public var unexplained: [String] = []
}

extension CmanReplay {
    /// Replays `life` with the rules of `profile` and finds the reason of everything in which it differs from the recording: the rule
    /// without which the difference is gone.
    public func run(_ life: Life, as profile: Profile) -> CmanProfileOutcome {
        var outcome = CmanProfileOutcome()
        var withheld: Set<CmanDeviation> = []
        var remaining = play(life, profile, withheld)
        // What the daemon's own replay does not copy is not copied here either.
        let isKnown = CmanReplayCatalogue.note(capture: recording.name, life: life.description) != nil
        let differing = CmanDeviation.allCases.filter { profile.has($0, in: recording) }
        while let first = remaining.first {
            let open = differing.filter { !withheld.contains($0) }
            let found = cause(of: first, in: life, profile, withheld, open)
            guard let found else {
                if isKnown {
                    outcome.known += 1
                } else {
                    outcome.unexplained.append(words(first.value))
                }
                remaining.remove([first.key])
                continue
            }
            let gone = remaining.filter { !found.rest.contains($0.key) }
            let leaves = found.deviations.contains { $0.leavesRecording }
            if !leaves {
                for other in gone where !found.deviations.contains(where: { $0.isShown(by: other.value) || $0.isFollowed(by: other.value) })
                {
                    if isKnown { outcome.known += 1 } else { outcome.unexplained.append(words(other.value)) }
                }
            }
            outcome.causes.append(
                CmanProfileOutcome.Cause(
                    deviations: found.deviations,
                    count: gone.count,
                    frame: first.value.recorded?.frame,
                    leavesRecording: leaves
                )
            )
            withheld.formUnion(found.deviations)
            remaining.keep(found.rest)
        }
        return outcome
    }

    /// The rule without which a difference is gone, or the fewest that have to be withheld together.
    private func cause(
        of difference: (key: Differences.Key, value: Discrepancy),
        in life: Life,
        _ profile: Profile,
        _ withheld: Set<CmanDeviation>,
        _ open: [CmanDeviation]
    ) -> (deviations: [CmanDeviation], rest: Differences)? {
        let candidates = open.filter { $0.isShown(by: difference.value) }
        for deviation in candidates {
            let rest = play(life, profile, withheld.union([deviation]))
            if !rest.contains(difference.key) { return ([deviation], rest) }
        }
        guard !candidates.isEmpty else { return nil }
        var needed = open
        var rest = play(life, profile, withheld.union(needed))
        guard !rest.contains(difference.key) else { return nil }
        for deviation in open {
            let fewer = needed.filter { $0 != deviation }
            let other = play(life, profile, withheld.union(fewer))
            guard !other.contains(difference.key) else { continue }
            needed = fewer
            rest = other
        }
        return needed.contains(where: candidates.contains) ? (needed, rest) : nil
    }

    private func play(_ life: Life, _ profile: Profile, _ withheld: Set<CmanDeviation>) -> Differences {
        var player = CmanReplayPlayer(recording: recording, life: life, profile: profile, withholding: withheld)
        player.play()
        return Differences(discrepancies(of: player))
    }

    private func words(_ discrepancy: Discrepancy) -> String {
        let place = discrepancy.recorded.map { "frame \($0.frame)" } ?? "at \(discrepancy.time.nanoseconds)"
        let name = discrepancy.packet?.body.name.description ?? "unreadable"
        switch discrepancy.kind {
        case .field(let field): return "\(place), \(name): \(field.field) is \(field.recorded), replayed \(field.replayed)"
        case .time(let distance): return "\(place), \(name): \(distance) later"
        case .missing: return "\(place), \(name): not sent"
        case .additional:
            let number = discrepancy.packet.map { " (of \($0.header.acknowledgement))" } ?? ""
            return "\(place), \(name)\(name == "ack" ? number : ""): sent, not by the daemon"
        case .copies(let recorded, let replayed): return "\(place), \(name): \(recorded) copies, replayed \(replayed)"
        }
    }
}

/// The differences of one replay, in order of time, with names by which they are found in another replay of the same recording.
struct Differences: Sendable {
    struct Key: Hashable, Sendable {
        /// The recorded frame, or 0.
        var frame = 0
        /// What differs.
        var place = ""
        /// Counts equal messages that only the engine sent.
        var occurrence = 0
    }

    private var elements: [(key: Key, value: CmanReplay.Discrepancy)] = []
    private var keys: Set<Key> = []

    init(_ discrepancies: [CmanReplay.Discrepancy]) {
        for discrepancy in discrepancies {
            var key = Key()
            key.frame = discrepancy.recorded?.frame ?? 0
            switch discrepancy.kind {
            case .field(let field): key.place = field.field
            case .time: key.place = "time"
            case .missing: key.place = "missing"
            case .copies: key.place = "copies"
            case .additional:
                let bytes = discrepancy.replayed?.bytes ?? []
                if let packet = discrepancy.packet, case .ack = packet.body {
                    key.place = "ack \(packet.header.acknowledgement) \(discrepancy.replayed?.destination?.description ?? "")"
                } else {
                    // Port, command and what it says.
                    key.place = "\(bytes.prefix(1)) \(bytes.dropFirst(CmanHeader.size).prefix(12))"
                }
                while keys.contains(key) { key.occurrence += 1 }
            }
            keys.insert(key)
            elements.append((key, discrepancy))
        }
    }

    var first: (key: Key, value: CmanReplay.Discrepancy)? { elements.first }

    func contains(_ key: Key) -> Bool { keys.contains(key) }

    func filter(_ isIncluded: ((key: Key, value: CmanReplay.Discrepancy)) -> Bool) -> [(key: Key, value: CmanReplay.Discrepancy)] {
        elements.filter(isIncluded)
    }

    /// Keeps what `other` has too, as it is there.
    mutating func keep(_ other: Differences) {
        let kept = keys
        elements = other.elements.filter { kept.contains($0.key) }
        keys = Set(elements.map(\.key))
    }

    mutating func remove(_ keys: Set<Key>) {
        elements.removeAll { keys.contains($0.key) }
        self.keys.subtract(keys)
    }
}
