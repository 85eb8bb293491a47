import CmanNode
import EngineKit

/// The end of a run: the operator's part, and what a healthy cluster looks like.
extension LegacyCluster {
    /// How long a restarted host stays away: longer than it takes the others to notice.
    private static let reboot = Interval.seconds(45)

    /// When the second host starts, should no cluster be left at all: once the first has formed one.
    private static let firstAlone = Interval.seconds(45)

    /// Restarts every host that is not in the cluster that goes on: the quorate one, or the largest.
    func fence() {
        let settled = hosts.filter(isSettled)
        let cluster = settled.max { left, right in
            rank(left) != rank(right) ? rank(left) < rank(right) : left.number > right.number
        }
        let survivors = cluster.map { Set(members(of: $0)) } ?? []
        let generation = cluster?.engine?.generation
        var start = network.now + Self.reboot
        var isFirst = cluster == nil
        for host in hosts {
            let belongs =
                isSettled(host) && survivors.contains(history.nodeIDs[host.number]) && Set(members(of: host)) == survivors
                && host.engine?.generation == generation
            guard !belongs else { continue }
            end(host)
            guard !stayDown.contains(host.number) else { continue }
            scheduleStart(of: host.number, at: start)
            if isFirst { start = start + Self.firstAlone }
            isFirst = false
        }
    }

    private func rank(_ host: EngineHost<LegacyCluster>) -> Int {
        members(of: host).count + (host.engine?.quorum.isQuorate == true ? hosts.count : 0)
    }

    /// Generation of each host.
    var generations: [UInt32?] { hosts.map { $0.engine?.generation } }

    /// Whether programs may send on all ports.
    var isQuorate: Bool { hosts.allSatisfy { $0.engine.map { $0.quorum.isQuorate } ?? true } }

    /// What keeps the nodes that run from being one cluster.
    /// - Parameter trustsQuorum: whether the quorum that an ENDTRANS told can be trusted; members take it as it comes.
    func convergenceViolations(trustsQuorum: Bool = true) -> [Violation] {
        if let host = network.stalledHost { return [Violation("time goes on", "host \(host) is woken for ever at \(network.now.seconds)")] }
        let running = hosts.filter { $0.engine != nil }
        let expected = running.map { history.nodeIDs[$0.number] }
        return running.compactMap { host in
            guard let engine = host.engine else { return nil }
            if engine.state == .member, members(of: host) == expected, engine.generation == running.first?.engine?.generation,
                !trustsQuorum
                    || engine.quorum.quorum == running.first?.engine?.quorum.quorum && engine.quorum.totalVotes == UInt32(running.count)
            {
                return nil
            }
            return Violation(
                "one cluster of all",
                "host \(host.number) (\(history.profiles[host.number].rawValue)) is \(engine.state) in generation \(engine.generation) \(members(of: host)) of \(expected), "
                    + "\(engine.quorum.totalVotes) votes",
                exception: disputedElection
            )
        }
    }

    /// A kernel and a daemon are both in a transition that does not end, after both were masters at once.
    var disputedElection: HistoricalException? {
        let stuck = Set(hosts.filter { $0.engine?.isInTransition == true }.map { history.profiles[$0.number] })
        return stuck.isSuperset(of: [.kernel, .daemon]) && history.mastersMeet(.kernel, .daemon) ? .disputedElection : nil
    }

    /// Members that were given up in a run in which nobody died.
    var deathViolations: [Violation] {
        history.processes.flatMap { process in
            (history.records[process] ?? []).compactMap { record in
                guard case .member(let id, isUp: false) = record.fact else { return nil }
                return Violation("nobody is taken for dead", "process \(process) lost \(id) at \(record.time.seconds)")
            }
        }
    }

    /// What kept barrier `name` from completing everywhere.
    func barrierViolations(_ name: String) -> [Violation] {
        hosts.compactMap { host in
            guard host.engine != nil else { return nil }
            let process = ProcessID(host: host.number, incarnation: host.incarnation)
            let result = history.records[process]?.last { if case .barrier(name, _) = $0.fact { true } else { false } }?.fact
            guard result != .barrier(name, .completed) else { return nil }
            return Violation("barriers complete", "process \(process): \(result.map { "\($0)" } ?? "no end") of barrier \(name)")
        }
    }
}
