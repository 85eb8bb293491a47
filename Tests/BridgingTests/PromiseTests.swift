import Bridging
import EngineKit
import Testing

/// The promises of design section 4 under random behaviour of both sides.
@Suite struct PromiseTests {
    @Test(arguments: 1...60) func promisesHold(seed: Int) {
        var cluster = ScriptedCluster(seed: UInt64(seed))
        cluster.run(faultsUntil: Instant(nanoseconds: 120_000_000_000), until: Instant(nanoseconds: 400_000_000_000))
        let status = cluster.bridge.status(at: cluster.now)
        #expect(cluster.violations.isEmpty, "seed \(seed)")
        for side in SideID.allCases {
            // FIFO and no duplicate: the running numbers of each sender only go up.
            var last: [UInt32: Int] = [:]
            for message in cluster.delivered[side] {
                let number = Int(message.payload[0]) << 8 | Int(message.payload[1])
                #expect(number > last[message.source] ?? 0, "seed \(seed): sender \(message.source) on \(side)")
                last[message.source] = number
                // Exactly to its target.
                #expect(message.target == UInt32(message.payload[2]), "seed \(seed)")
            }
            // Nothing is lost in silence: what came in was carried or refused.
            let refused = status.counters.refused[side].values.reduce(0, +)
            let counters = status.counters
            #expect(counters.carried[side] + refused + counters.withoutRecipient[side] == cluster.accepted[side], "seed \(seed), \(side)")
            #expect(status.sides[side].queues.isEmpty, "seed \(seed), \(side)")
            // Refusals have a cause: a proxy or a node that went.
            let causes: Set<Refusal> = [.proxyLost, .senderGone, .noSuchTarget]
            #expect(Set(status.counters.refused[side].keys).isSubset(of: causes), "seed \(seed), \(side)")
        }
        #expect(cluster.longestWait <= .milliseconds(2500), "seed \(seed)")
        // Proxies cannot form the first side: without a native member there it stays empty.
        #expect(status.isConverged || status.sides.first.natives.isEmpty, "seed \(seed)")
    }

    /// The random runs are worth something only if the interesting things happen in them.
    @Test func theRandomRunsReachTheirCases() {
        var early: UInt64 = 0
        var lost: UInt64 = 0
        var carried: UInt64 = 0
        for seed: UInt64 in 1...20 {
            var cluster = ScriptedCluster(seed: seed)
            cluster.run(faultsUntil: Instant(nanoseconds: 120_000_000_000), until: Instant(nanoseconds: 400_000_000_000))
            let counters = cluster.bridge.status(at: cluster.now).counters
            early += counters.acknowledgedEarly.first
            lost += counters.proxiesLost.first + counters.proxiesLost.second
            carried += counters.carried.first + counters.carried.second
        }
        #expect(early > 10)
        #expect(lost > 20)
        #expect(carried > 20_000)
    }
}
