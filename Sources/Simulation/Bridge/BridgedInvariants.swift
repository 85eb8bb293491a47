import CmanNode
import EngineKit
import TotemNode

/// What the history of a bridged cluster must fulfil.
extension BridgedCluster {
    /// What extended virtual synchrony says about clients of one group, who may join after the ring has formed.
    private static let clientInvariants: Set<String> = [
        "one total order", "nothing is delivered twice", "messages of a sender keep their order", "only what was sent is delivered",
        "a configuration's id is unique", "ring sequences grow", "configurations alternate", "a process is in its own configurations",
        "a transitional configuration is a subset of the one before", "a transitional configuration is a subset of the one behind",
        "those that move together agree on who does",
    ]

    /// Broken promises about messages.
    /// - Parameter expectsDelivery: whether everything that could arrive must have.
    func messageViolations(expectsDelivery: Bool) -> [Violation] {
        var violations = LegacyInvariants.deliveryViolations(of: history)
        violations += ExtendedVirtualSynchrony.violations(of: ringHistory, expectsSelfDelivery: false).filter {
            Self.clientInvariants.contains($0.invariant)
        }
        if expectsDelivery { violations += lossViolations() }
        return violations
    }

    /// Messages between processes that have been members together, without a break, since before it was sent, and have not arrived.
    private func lossViolations() -> [Violation] {
        let living = history.processes.filter { $0.host < 2 * count && history.ends[$0] == nil }
        var togetherSince: [ProcessID: [UInt32: Instant]] = [:]
        var delivered: [ProcessID: Set<MessageLabel>] = [:]
        for process in living {
            var since: [UInt32: Instant] = [:]
            for record in history.records[process] ?? [] {
                switch record.fact {
                case .member(let node, isUp: true): since[node] = record.time
                case .member(let node, isUp: false): since[node] = nil
                case .delivered(let label, _, _): delivered[process, default: []].insert(label)
                default: break
                }
            }
            togetherSince[process] = since
        }
        var violations: [Violation] = []
        for sender in living {
            let failed = Set(
                (history.records[sender] ?? []).compactMap { if case .failed(let label, _) = $0.fact { label } else { nil } }
            )
            for record in history.records[sender] ?? [] {
                guard case .sent(let label, _, let target, _) = record.fact, !failed.contains(label) else { continue }
                for receiver in living where receiver != sender && (target == 0 || target == nodeIDs[receiver.host]) {
                    guard let there = togetherSince[sender]?[nodeIDs[receiver.host]], there < record.time,
                        let back = togetherSince[receiver]?[nodeIDs[sender.host]], back < record.time,
                        delivered[receiver]?.contains(label) != true
                    else { continue }
                    violations.append(
                        Violation("nothing is lost", "\(label), sent at \(record.time.seconds), never reached \(receiver)")
                    )
                }
            }
        }
        return violations
    }

    /// Nobody loses its membership but those that something happened to.
    func membershipViolations() -> [Violation] {
        history.processes.filter { $0.host < 2 * count }.flatMap { process in
            (history.records[process] ?? []).compactMap { record -> Violation? in
                guard case .member(let node, isUp: false) = record.fact, !disturbed.contains(node),
                    !disturbed.contains(nodeIDs[process.host])
                else { return nil }
                return Violation(
                    "nobody else loses its membership",
                    "process \(process) lost node \(node) at \(record.time.seconds), which nothing had happened to"
                )
            }
        }
    }
}
