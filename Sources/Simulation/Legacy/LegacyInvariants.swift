import CmanNode
import EngineKit

/// Checks a history of a legacy cluster against what its programs may rely on (reference/cman-wire.md 5, 6, 9). It looks at what
/// processes saw and knows nothing of how they came to it.
public struct LegacyInvariants {
    private let history: LegacyHistory
    private var violations: [Violation] = []

    private init(_ history: LegacyHistory) {
        self.history = history
    }

    /// Everything in `history` that must not be.
    /// - Parameter expectsCompletion: whether the run ended quietly, so that nothing may wait any longer.
    public static func violations(of history: LegacyHistory, expectsCompletion: Bool) -> [Violation] {
        var checker = LegacyInvariants(history)
        checker.checkDeliveries()
        checker.checkAcknowledgements()
        checker.checkViews()
        if expectsCompletion { checker.checkCompletion() }
        return checker.violations
    }

    /// What must not be in deliveries: foreign or damaged messages, copies, and messages out of order.
    public static func deliveryViolations(of history: LegacyHistory) -> [Violation] {
        var checker = LegacyInvariants(history)
        checker.checkDeliveries()
        checker.checkViews()
        return checker.violations
    }

    private mutating func report(_ invariant: String, _ detail: String, exception: HistoricalException? = nil) {
        violations.append(Violation(invariant, detail, exception: exception))
    }

    private func nodeID(_ process: ProcessID) -> UInt32 { history.nodeIDs[process.host] }

    /// A process as reports name it.
    private func name(_ process: ProcessID) -> String {
        let profile = history.profiles[process.host]
        return profile == .ringbridge ? "\(process)" : "\(process) (\(profile.rawValue))"
    }

    // MARK: Messages

    /// What arrives was sent, to this node, and comes once and in the order of sending on each port.
    private mutating func checkDeliveries() {
        struct Stream: Hashable {
            var sender: ProcessID
            var port: UInt8
        }
        var sent: [MessageLabel: (port: UInt8, target: UInt32)] = [:]
        for process in history.processes {
            for record in history.records[process] ?? [] {
                if case .sent(let label, let port, let target, _) = record.fact { sent[label] = (port, target) }
            }
        }
        for process in history.processes {
            var last: [Stream: UInt32] = [:]
            var delivered: Set<MessageLabel> = []
            var lost: Set<UInt32> = []
            for record in history.records[process] ?? [] {
                switch record.fact {
                case .deliveredDamaged(let node):
                    report("only what was sent is delivered", "process \(name(process)) got a damaged message of node \(node)")
                case .delivered(let label, let port, let isUnicast):
                    guard let (sentPort, target) = sent[label], sentPort == port else {
                        report("only what was sent is delivered", "process \(name(process)) got \(label) on port \(port)")
                        continue
                    }
                    if target != 0 && target != nodeID(process) || isUnicast != (target != 0) {
                        report("a unicast is for its target only", "process \(name(process)) got \(label), which was for \(target)")
                    }
                    let isCopy = !delivered.insert(label).inserted
                    let stream = Stream(sender: label.process, port: port)
                    if let before = last[stream], before >= label.number {
                        report(
                            before == label.number ? "nothing is delivered twice" : "messages of a sender keep their order",
                            "process \(name(process)) got \(label) of \(name(label.process)) on port \(port) after number \(before) "
                                + "at \(record.time.seconds)",
                            exception: exception(for: label, isCopy: isCopy, isStranger: lost.contains(nodeID(label.process)), at: process)
                        )
                    }
                    last[stream] = label.number
                case .member(let node, let isUp):
                    if isUp { lost.remove(node) } else { lost.insert(node) }
                default: break
                }
            }
        }
    }

    /// Why an original may deliver a message again, or after a later one.
    private func exception(for label: MessageLabel, isCopy: Bool, isStranger: Bool, at receiver: ProcessID) -> HistoricalException? {
        if isStranger, history.isOriginal(receiver) { return .messageOfStranger }
        if isCopy { return history.isOriginal(receiver) ? .lateCopy : nil }
        return history.isOriginal(label.process) ? .staleAcknowledgement : nil
    }

    /// When a message is acknowledged, every member that it was for has it, unless that node died meanwhile.
    private mutating func checkAcknowledgements() {
        var arrivals: [MessageLabel: [ProcessID: Instant]] = [:]
        for process in history.processes {
            for record in history.records[process] ?? [] {
                guard case .delivered(let label, _, _) = record.fact, arrivals[label]?[process] == nil else { continue }
                arrivals[label, default: [:]][process] = record.time
            }
        }
        for process in history.processes {
            var open: [MessageLabel: (since: Instant, receivers: Set<UInt32>)] = [:]
            for record in history.records[process] ?? [] {
                switch record.fact {
                case .sent(let label, _, let target, let members):
                    open[label] = (record.time, target == 0 ? Set(members).subtracting([nodeID(process)]) : [target])
                case .member(let node, isUp: false):
                    for label in open.keys { open[label]?.receivers.remove(node) }
                case .acknowledged(let label, let members):
                    guard let (since, receivers) = open.removeValue(forKey: label) else { continue }
                    for node in receivers.intersection(members) {
                        guard let receiver = running(node, from: since, to: record.time) else { continue }
                        if arrivals[label]?[receiver].map({ $0 > record.time }) ?? true {
                            report(
                                "an acknowledgement means received",
                                "\(label) of \(name(process)), sent at \(since.seconds) and acknowledged at \(record.time.seconds), "
                                    + "never reached \(name(receiver))",
                                exception: history.isOriginal(process) ? .staleAcknowledgement : nil
                            )
                        }
                    }
                case .failed(let label, _): open[label] = nil
                default: break
                }
            }
        }
    }

    /// The process of `node` that lived all the time between two instants.
    private func running(_ node: UInt32, from start: Instant, to end: Instant) -> ProcessID? {
        history.processes.first { process in
            guard nodeID(process) == node, let first = history.records[process]?.first?.time else { return false }
            return first <= start && (history.ends[process].map { $0 > end } ?? true)
        }
    }

    /// What was accepted for sending comes to an end, and so does every barrier.
    private mutating func checkCompletion() {
        for process in history.processes where history.ends[process] == nil {
            var open: Set<MessageLabel> = []
            for record in history.records[process] ?? [] {
                switch record.fact {
                case .sent(let label, _, _, _): open.insert(label)
                case .acknowledged(let label, _), .failed(let label, _): open.remove(label)
                default: break
                }
            }
            if let first = open.min() {
                report("what is sent comes to an end", "process \(process) still waits for \(open.count) messages, the first is \(first)")
            }
        }
    }

    // MARK: Membership

    /// What a process holds to be true from one instant to another.
    private struct View {
        var process: ProcessID
        var node: UInt32
        var from: Instant
        var to: Instant
        var generation: UInt32
        var members: [UInt32]
        var quorum: CmanQuorum
        /// Nodes that the process was told are gone.
        var lost: Set<UInt32>

        func overlaps(_ other: View) -> Bool { from < other.to && other.from < to }
    }

    /// Members of one generation that know each other agree on it, and two quorate views always share a member.
    private mutating func checkViews() {
        let views = history.processes.flatMap(views(of:))
        for (index, view) in views.enumerated() {
            if !view.members.contains(view.node) {
                report(
                    "a member is in its own view",
                    "process \(name(view.process)): generation \(view.generation) \(view.members)",
                    exception: history.isOriginal(view.process) && view.members.contains(0) ? .memberWithoutID : nil
                )
            }
            for other in views[..<index] where view.overlaps(other) && view.process != other.process {
                if view.generation == other.generation, view.members.contains(other.node), other.members.contains(view.node),
                    view.members != other.members || view.quorum.quorum != other.quorum.quorum
                        || view.quorum.totalVotes != other.quorum.totalVotes
                {
                    report(
                        "members of one generation agree",
                        "generation \(view.generation): \(view.members) \(view.quorum) at process \(name(view.process)), "
                            + "\(other.members) \(other.quorum) at \(name(other.process))",
                        exception: disagreement(view, other) ?? disagreement(other, view)
                    )
                }
                if view.quorum.isQuorate, other.quorum.isQuorate, Set(view.members).isDisjoint(with: other.members) {
                    report(
                        "one quorate component at the most",
                        "\(view.members) at process \(name(view.process)) and \(other.members) at \(name(other.process)) "
                            + "from \(view.from.seconds)",
                        exception: isDecreased(view) || isDecreased(other) ? .decreasedQuorum : nil
                    )
                }
            }
        }
    }

    /// Why an original, who has `view`, may miss members of `other` and agree on everything else.
    private func disagreement(_ view: View, _ other: View) -> HistoricalException? {
        let members = Set(view.members.map { $0 == 0 ? view.node : $0 })
        let missing = Set(other.members).subtracting(members)
        guard history.isOriginal(view.process), members.isSubset(of: other.members),
            view.quorum.quorum == other.quorum.quorum, view.quorum.totalVotes == other.quorum.totalVotes
        else { return nil }
        if view.members.contains(0) { return .memberWithoutID }
        return missing.isSubset(of: view.lost) ? .nodeDownOfStranger : .forgottenJoiner
    }

    /// Whether the quorum of a view with an original in it, which may have been its master, is less than half of all there are.
    private func isDecreased(_ view: View) -> Bool {
        let originals = history.nodeIDs.indices.filter { history.profiles[$0] != .ringbridge }.map { history.nodeIDs[$0] }
        return Int(view.quorum.quorum) <= history.nodeIDs.count / 2 && !Set(originals).isDisjoint(with: view.members)
    }

    private func views(of process: ProcessID) -> [View] {
        let end = history.ends[process] ?? Instant(nanoseconds: .max)
        var views: [View] = []
        var lost: Set<UInt32> = []
        for record in history.records[process] ?? [] {
            switch record.fact {
            case .view(let generation, let members, let quorum):
                close(&views, at: record.time)
                views.append(
                    View(
                        process: process,
                        node: nodeID(process),
                        from: record.time,
                        to: end,
                        generation: generation,
                        members: members,
                        quorum: quorum,
                        lost: lost
                    )
                )
            case .left: close(&views, at: record.time)
            case .member(let node, isUp: false):
                lost.insert(node)
                close(&views, at: record.time)
            case .member(let node, isUp: true): lost.remove(node)
            default: break
            }
        }
        return views
    }

    private func close(_ views: inout [View], at time: Instant) {
        guard let last = views.indices.last else { return }
        views[last].to = min(views[last].to, time)
    }
}
