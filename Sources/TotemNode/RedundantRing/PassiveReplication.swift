import EngineKit
import TotemWire

/// Passive replication (totemrrp.c:564-900@wt, 855-1360@fl, 855-1370@ne).
extension RedundantRing {
    /// The next network in turn that is not faulty; when all are, tokens still go round them (totemrrp.c:1185-1204@ne).
    mutating func nextTokenInterface() -> Int {
        lastTokenInterface = interface(after: lastTokenInterface) ?? (lastTokenInterface + 1) % networks.count
        return lastTokenInterface
    }

    /// The same for multicasts, which go over the first network when all are faulty (totemrrp.c:1098-1119@ne).
    mutating func nextMulticastInterface() -> Int {
        lastMulticastInterface = interface(after: lastMulticastInterface) ?? 0
        return lastMulticastInterface
    }

    private func interface(after last: Int) -> Int? {
        for step in 1...networks.count {
            let candidate = (last + step) % networks.count
            if !networks[candidate].isFaulty { return candidate }
        }
        return nil
    }

    /// Senders take turns, so a network over which much less came than over another one is faulty (passive_monitor totemrrp.c:971@ne;
    /// 654-683, 755-783@wt).
    ///
    /// The daemons keep the counters from rolling over (PASSIVE_RECV_COUNT_THRESHOLD); with 64 bits they never do.
    mutating func findFaults(at now: Instant, into effects: inout Output) {
        guard configuration.mode == .passive else { return }
        findFaults(ofTokens: true, threshold: configuration.problemCountThreshold, at: now, into: &effects)
        findFaults(ofTokens: false, threshold: configuration.multicastProblemCountThreshold, at: now, into: &effects)
    }

    private mutating func findFaults(ofTokens isToken: Bool, threshold: Int, at now: Instant, into effects: inout Output) {
        var most: UInt64 = 0
        for network in networks { most = max(most, network.count(ofTokens: isToken)) }
        for interface in networks.indices where !networks[interface].isFaulty {
            if most - networks[interface].count(ofTokens: isToken) > UInt64(max(0, threshold)) {
                markFaulty(interface, at: now, into: &effects)
            }
        }
    }
}
