import Bridging
import ClusterServices
import CmanNode
import EngineKit
import Sides
import TotemNode

/// The end of a run: the operator's part, and what a healthy bridged cluster looks like.
extension BridgedCluster {
    /// How long a restarted node stays away: longer than it takes the others to notice.
    private static let reboot = Interval.seconds(45)

    /// Ends every fault: the network is whole, paused machines go on, and machines that crashed start again.
    func repair() {
        network.apply(.heal)
        for host in 0..<network.hostCount { network.apply(.resume(host: host)) }
        for machine in 0...count { start(machine) }
    }

    private func members(of host: EngineHost<LegacyPart>) -> [UInt32] {
        host.engine?.members.filter { $0.state == .member }.map(\.id) ?? []
    }

    /// Restarts native legacy members that are not in the legacy cluster that goes on: no merge exists there.
    func fence() {
        let settled = legacyHosts.filter { $0.engine?.state == .member }
        let survivors = settled.max { left, right in rank(left) < rank(right) }.map { Set(members(of: $0)) } ?? []
        for (machine, host) in legacyHosts.enumerated() where host.engine != nil {
            let belongs = host.engine?.state == .member && Set(members(of: host)) == survivors && survivors.contains(nodeIDs[machine])
            guard !belongs else { continue }
            crash(machine)
            scheduleStart(of: machine, at: network.now + Self.reboot)
        }
    }

    private func rank(_ host: EngineHost<LegacyPart>) -> Int {
        members(of: host).count + (host.engine?.quorum.isQuorate == true ? count : 0)
    }

    /// What keeps the two sides from being one cluster of all nodes.
    func convergenceViolations() -> [Violation] {
        if let host = network.stalledHost { return [Violation("time goes on", "host \(host) is woken for ever at \(network.now.seconds)")] }
        var violations: [Violation] = []
        let expected = Array(nodeIDs.prefix(count))
        let votes = UInt32(count)
        for host in legacyHosts {
            guard let engine = host.engine else { continue }
            guard engine.state == .member, members(of: host) == expected, engine.quorum.totalVotes == votes, engine.quorum.isQuorate else {
                violations.append(
                    Violation(
                        "both sides have all members",
                        "legacy node \(nodeIDs[host.number]) is \(engine.state) with \(members(of: host)), \(engine.quorum)"
                    )
                )
                continue
            }
        }
        for host in totemHosts {
            guard let engine = host.engine else { continue }
            guard engine.isSynchronised, engine.members == expected, engine.quorum?.totalVotes == votes, engine.quorum?.isQuorate == true
            else {
                violations.append(
                    Violation(
                        "both sides have all members",
                        "processor \(nodeIDs[host.number]) is \(engine.state) with \(engine.members), "
                            + "\(engine.quorum.map { "\($0.totalVotes) votes, quorum \($0.quorum)" } ?? "no quorum")"
                    )
                )
                continue
            }
        }
        if let status = bridge?.status(at: network.now), !status.isConverged || !status.doubleIdentities.isEmpty {
            violations.append(Violation("the bridge knows that all is well", "doubles \(status.doubleIdentities)"))
        }
        return violations
    }
}
