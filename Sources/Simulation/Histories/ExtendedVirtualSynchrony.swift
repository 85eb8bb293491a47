import EngineKit
import TotemNode

/// Checks a history against extended virtual synchrony (Moser, Amir, Melliar-Smith, Agarwal: Extended Virtual Synchrony, 1994), with
/// agreed delivery. It looks at what processes saw and knows nothing of how a ring works.
public struct ExtendedVirtualSynchrony {
    /// What a process saw between two regular configurations.
    private struct Segment {
        var ring: TotemRingID
        var members: [UInt32]
        /// When the regular configuration came.
        var installed: Instant
        /// Delivered in the regular configuration.
        var regular: [MessageLabel] = []
        /// Delivered in the transitional configuration behind it.
        var transitional: [MessageLabel] = []
        /// The transitional configuration behind it, once it came.
        var transition: TotemMembership?
        /// The regular configuration that followed, once it came.
        var next: TotemRingID?
    }

    private let history: RingHistory
    private var segments: [ProcessID: [Segment]] = [:]
    private var violations: [Violation] = []

    private init(_ history: RingHistory) {
        self.history = history
    }

    /// Everything in `history` that extended virtual synchrony forbids.
    /// - Parameter expectsSelfDelivery: whether the run ended quietly, so that living processes must have got their own messages.
    public static func violations(of history: RingHistory, expectsSelfDelivery: Bool) -> [Violation] {
        var checker = ExtendedVirtualSynchrony(history)
        for process in history.processes { checker.split(process) }
        checker.checkConfigurationsAreUnique()
        checker.checkRingSequencesGrow()
        checker.checkMessagesAreWhatWasSent(expectsSelfDelivery: expectsSelfDelivery)
        checker.checkConfigurationOfDelivery()
        checker.checkSenderOrder()
        checker.checkVirtualSynchrony()
        checker.checkTotalOrder()
        return checker.violations
    }

    private mutating func report(_ invariant: String, _ detail: String) {
        violations.append(Violation(invariant, detail))
    }

    private func nodeID(_ process: ProcessID) -> UInt32 { history.nodeIDs[process.host] }

    // MARK: Configurations

    /// Cuts what a process saw at its regular configurations, and checks each configuration by itself.
    private mutating func split(_ process: ProcessID) {
        var done: [Segment] = []
        var current: Segment?
        var pending: TotemMembership?
        for record in history.records[process] ?? [] {
            switch record.fact {
            case .sent, .state: break
            case .deliveredDamaged(let node):
                report("only what was sent is delivered", "process \(process) got a damaged message of node \(node)")
            case .delivered(let label):
                guard current != nil else {
                    report("nothing is delivered before the first configuration", "process \(process) got \(label)")
                    continue
                }
                if pending == nil { current?.regular.append(label) } else { current?.transitional.append(label) }
            case .configuration(let configuration) where configuration.isTransitional:
                if pending != nil { report("configurations alternate", "process \(process) got two transitional ones in a row") }
                checkTransitional(configuration, after: current, of: process)
                pending = configuration
                current?.transition = configuration
            case .configuration(let configuration):
                checkRegular(configuration, after: current, transitional: pending, of: process)
                pending = nil
                if var last = current {
                    last.next = configuration.ring
                    done.append(last)
                }
                current = Segment(ring: configuration.ring, members: configuration.members, installed: record.time)
            }
        }
        if let current { done.append(current) }
        segments[process] = done
    }

    private mutating func checkTransitional(_ transitional: TotemMembership, after segment: Segment?, of process: ProcessID) {
        let members = Set(transitional.members)
        guard let segment else {
            if !members.isEmpty && members != [nodeID(process)] {
                report("the first transitional configuration has no other members", "process \(process): \(transitional.members)")
            }
            return
        }
        if !members.isSubset(of: segment.members) {
            report(
                "a transitional configuration is a subset of the one before",
                "process \(process): \(transitional.members) after \(segment.ring) \(segment.members)"
            )
        }
        if !members.contains(nodeID(process)) {
            report("a process is in its own configurations", "process \(process): transitional \(transitional.members)")
        }
        if Set(transitional.left) != Set(segment.members).subtracting(members) {
            report("joined and left tell the difference", "process \(process): left \(transitional.left) at \(transitional.ring)")
        }
    }

    private mutating func checkRegular(
        _ regular: TotemMembership,
        after segment: Segment?,
        transitional: TotemMembership?,
        of process: ProcessID
    ) {
        let members = Set(regular.members)
        let ordered = history.ringOrder.filter { members.contains($0) }
        if regular.members != ordered { report("members are told in order", "process \(process): \(regular.members)") }
        if !members.contains(nodeID(process)) {
            report("a process is in its own configurations", "process \(process): regular \(regular.ring) \(regular.members)")
        }
        if regular.members.first != regular.ring.representative {
            report("the first member is the representative", "process \(process): \(regular.ring) of \(regular.members)")
        }
        guard let transitional else {
            report("configurations alternate", "process \(process) got \(regular.ring) without a transitional one")
            return
        }
        if transitional.ring != regular.ring {
            report("configurations alternate", "process \(process): transitional to \(transitional.ring), then regular \(regular.ring)")
        }
        if !members.isSuperset(of: transitional.members) {
            report(
                "a transitional configuration is a subset of the one behind",
                "process \(process): \(transitional.members) before \(regular.ring) \(regular.members)"
            )
        }
        if Set(regular.joined) != members.subtracting(transitional.members) {
            report("joined and left tell the difference", "process \(process): joined \(regular.joined) at \(regular.ring)")
        }
    }

    private mutating func checkConfigurationsAreUnique() {
        var known: [TotemRingID: (members: [UInt32], process: ProcessID)] = [:]
        for process in history.processes {
            for segment in segments[process] ?? [] {
                if let (members, other) = known[segment.ring], members != segment.members {
                    report(
                        "a configuration's id is unique",
                        "\(segment.ring) is \(segment.members) at process \(process) and \(members) at \(other)"
                    )
                }
                known[segment.ring] = (segment.members, process)
            }
        }
    }

    private mutating func checkRingSequencesGrow() {
        var highest: [Int: UInt64] = [:]
        for process in history.processes {
            for segment in segments[process] ?? [] {
                if let before = highest[process.host], before >= segment.ring.sequence {
                    report("ring sequences grow", "process \(process) installed \(segment.ring) after \(before)")
                }
                highest[process.host] = segment.ring.sequence
            }
        }
    }

    // MARK: Messages

    private mutating func checkMessagesAreWhatWasSent(expectsSelfDelivery: Bool) {
        var sent: [MessageLabel: Instant] = [:]
        for process in history.processes {
            for record in history.records[process] ?? [] {
                if case .sent(let label) = record.fact { sent[label] = record.time }
            }
        }
        for process in history.processes {
            var seen: Set<MessageLabel> = []
            for record in history.records[process] ?? [] {
                guard case .delivered(let label) = record.fact else { continue }
                if !seen.insert(label).inserted { report("nothing is delivered twice", "process \(process) got \(label) again") }
                if sent[label].map({ $0 > record.time }) ?? true {
                    report("only what was sent is delivered", "process \(process) got \(label)")
                }
            }
            guard expectsSelfDelivery, !history.ended.contains(process) else { continue }
            for label in sent.keys where label.process == process && !seen.contains(label) {
                report("self delivery", "process \(process) never got its own \(label)")
            }
        }
    }

    /// A message belongs to one regular configuration, and its sender to that configuration.
    private mutating func checkConfigurationOfDelivery() {
        var home: [MessageLabel: (ring: TotemRingID, process: ProcessID)] = [:]
        for process in history.processes {
            for segment in segments[process] ?? [] {
                for label in segment.regular + segment.transitional {
                    if let (ring, other) = home[label], ring != segment.ring {
                        report(
                            "a message is delivered in one configuration",
                            "\(label) in \(segment.ring) at process \(process), in \(ring) at \(other)"
                        )
                    }
                    home[label] = (segment.ring, process)
                    if !segment.members.contains(history.nodeIDs[Int(label.host)]) {
                        report("senders are members", "process \(process) got \(label) in \(segment.ring) \(segment.members)")
                    }
                }
            }
        }
    }

    /// Messages of one sender come in the order of sending and, within one configuration, without a gap.
    private mutating func checkSenderOrder() {
        for process in history.processes {
            var last: [ProcessID: UInt32] = [:]
            for segment in segments[process] ?? [] {
                var lastHere: [ProcessID: UInt32] = [:]
                for label in segment.regular + segment.transitional {
                    if let before = last[label.process], before >= label.number {
                        report("messages of a sender keep their order", "process \(process) got \(label) after number \(before)")
                    }
                    if let before = lastHere[label.process], before + 1 < label.number {
                        report(
                            "messages of a sender have no gap in a configuration",
                            "process \(process) got \(label) after number \(before) in \(segment.ring)"
                        )
                    }
                    last[label.process] = label.number
                    lastHere[label.process] = label.number
                }
            }
        }
    }

    /// Processes that move together from one regular configuration to the next deliver the same messages before the transitional
    /// configuration and in it, and agree on who moves together.
    ///
    /// A message in several packets whose first ones were sent in an earlier ring is lost on those who were not there
    /// (throw_away_mode, totempg.c), in the daemons too. So processes are compared by what was sent while they were together.
    private mutating func checkVirtualSynchrony() {
        struct Move: Hashable {
            var from: TotemRingID
            var to: TotemRingID
        }
        var moves: [Move: [(process: ProcessID, index: Int)]] = [:]
        var cameFrom: [TotemRingID: [UInt32: TotemRingID]] = [:]
        var sent: [MessageLabel: Instant] = [:]
        for process in history.processes {
            for record in history.records[process] ?? [] {
                if case .sent(let label) = record.fact { sent[label] = record.time }
            }
            for (index, segment) in (segments[process] ?? []).enumerated() {
                guard let next = segment.next else { continue }
                moves[Move(from: segment.ring, to: next), default: []].append((process, index))
                cameFrom[next, default: [:]][nodeID(process)] = segment.ring
            }
        }
        for (move, group) in moves.sorted(by: { ($0.key.to.sequence, $0.key.from.sequence) < ($1.key.to.sequence, $1.key.from.sequence) }) {
            for (process, index) in group {
                for member in segments[process]?[index].transition?.members ?? [] {
                    if let other = cameFrom[move.to]?[member], other != move.from {
                        report(
                            "a transitional configuration holds those that move together",
                            "process \(process) has node \(member) with it from \(move.from) to \(move.to), which came from \(other)"
                        )
                    }
                }
            }
            guard let first = group.first else { continue }
            for other in group.dropFirst() { compare(first, other, movingTo: move.to, sent: sent) }
        }
    }

    private mutating func compare(
        _ first: (process: ProcessID, index: Int),
        _ other: (process: ProcessID, index: Int),
        movingTo ring: TotemRingID,
        sent: [MessageLabel: Instant]
    ) {
        guard let reference = segments[first.process]?[first.index], let segment = segments[other.process]?[other.index] else { return }
        if segment.transition?.members != reference.transition?.members {
            report(
                "those that move together agree on who does",
                "to \(ring): \(segment.transition?.members ?? []) at process \(other.process), "
                    + "\(reference.transition?.members ?? []) at \(first.process)"
            )
        }
        let since = togetherSince(first, other)
        func isComparable(_ label: MessageLabel) -> Bool { sent[label].map { $0 >= since } ?? true }
        for (part, mine, theirs) in [
            ("before", segment.regular, reference.regular), ("in", segment.transitional, reference.transitional),
        ] where mine.filter(isComparable) != theirs.filter(isComparable) {
            let difference = Set(mine).symmetricDifference(theirs).filter(isComparable).sorted().prefix(5)
            report(
                "those that move together deliver the same messages",
                "\(part) the transition from \(segment.ring) to \(ring): process \(other.process) has \(mine.count), "
                    + "\(first.process) has \(theirs.count); differing \(Array(difference))"
            )
        }
    }

    /// Since when two processes have been on the same rings, up to the segments given.
    private func togetherSince(_ first: (process: ProcessID, index: Int), _ other: (process: ProcessID, index: Int)) -> Instant {
        guard let these = segments[first.process], let those = segments[other.process] else { return .zero }
        var (here, there) = (first.index, other.index)
        while here > 0, there > 0, these[here - 1].ring == those[there - 1].ring {
            here -= 1
            there -= 1
        }
        return max(these[here].installed, those[there].installed)
    }

    /// There is one order of all messages that every process agrees with: following each process from one message to the next
    /// never leads back to where it began.
    private mutating func checkTotalOrder() {
        var numbers: [MessageLabel: Int] = [:]
        var labels: [MessageLabel] = []
        var followers: [[Int]] = []
        var predecessors: [Int] = []
        for process in history.processes {
            var previous: Int?
            for segment in segments[process] ?? [] {
                for label in segment.regular + segment.transitional {
                    let number = numbers[label, default: labels.count]
                    if number == labels.count {
                        numbers[label] = number
                        labels.append(label)
                        followers.append([])
                        predecessors.append(0)
                    }
                    if let previous, previous != number {
                        followers[previous].append(number)
                        predecessors[number] += 1
                    }
                    previous = number
                }
            }
        }
        var ready = labels.indices.filter { predecessors[$0] == 0 }
        var ordered = 0
        while let number = ready.popLast() {
            ordered += 1
            for follower in followers[number] {
                predecessors[follower] -= 1
                if predecessors[follower] == 0 { ready.append(follower) }
            }
        }
        guard ordered < labels.count else { return }
        let stuck = labels.indices.filter { predecessors[$0] > 0 }.map { labels[$0] }.sorted().prefix(8)
        report("one total order", "\(labels.count - ordered) messages are in no common order, among them \(Array(stuck))")
    }
}
