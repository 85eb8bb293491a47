import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

/// Clusters of unlike nodes, and clusters in which packets are lost.
@Suite struct Robustness {
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func nodesOfAllKindsLiveTogether(_ seed: UInt64) throws {
        let profiles: [CmanConfiguration.Profile] = [.kernel, .ringbridge, .daemon, .ringbridge, .kernel]
        let network = TestNetwork(5, seed: seed) { index, configuration in
            configuration.profile = profiles[index]
            if index > 0 { configuration.timers.joinWait = .seconds(100) }
        }
        try #require(network.formCluster(), "seed \(seed): \(network.description)")
        for index in 0..<5 { _ = try network.send("from \(index)", from: index) }
        network.run(.seconds(10))
        #expect(network.received.map(\.count) == [4, 4, 4, 4, 4], "seed \(seed)")
        // A native member leaves, a proxy comes in its place, as in an upgrade.
        network.with(4) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        #expect(network.run(until: { $0.agree([0, 1, 2, 3]) }, atMost: .seconds(60)), "seed \(seed): \(network.description)")
        network.isUp[2] = false
        #expect(network.run(until: { $0.agree([0, 1, 3]) }, atMost: .seconds(90)), "seed \(seed): \(network.description)")
        network.join(4)
        #expect(network.run(until: { $0.agree([0, 1, 3, 4]) }, atMost: .seconds(90)), "seed \(seed): \(network.description)")
    }

    @Test(arguments: Array(1...16) as [UInt64]) func nodesJoinThoughPacketsAreLost(_ seed: UInt64) throws {
        let network = TestNetwork(4, seed: seed)
        var random = RandomSource(seed: seed)
        network.isLost = { _, _, _ in random.next() % 100 < 5 }
        #expect(network.formCluster(), "seed \(seed): \(network.description)")
    }

    /// Whatever happened while packets were lost: afterwards nobody hangs, and those who are members agree.
    @Test(arguments: Array(1...16) as [UInt64]) func faultsEndInAgreement(_ seed: UInt64) throws {
        let network = TestNetwork(6, seed: seed)
        try #require(network.formCluster(), "seed \(seed): \(network.description)")
        var random = RandomSource(seed: seed)
        var loss: UInt64 = 10
        network.isLost = { _, _, _ in random.next() % 100 < loss }
        for _ in 0..<20 {
            let index = Int(random.next() % 6)
            switch random.next() % 4 {
            case 0: network.with(index) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
            case 1: network.join(index)
            case 2: _ = try? network.send("x", from: index)
            default: break
            }
            network.run(.milliseconds(Int64(random.next() % 10_000)))
        }
        loss = 0
        let settled = network.run(
            until: { network in
                let members = network.nodes.indices.filter { network.nodes[$0].state == .member }
                return network.nodes.allSatisfy { !$0.isInTransition } && network.agreeByGeneration(members)
            },
            atMost: .seconds(300)
        )
        #expect(settled, "seed \(seed): \(network.description)")
    }

    @Test func aLeaveDuringATransitionWaitsForItsEnd() throws {
        let network = TestNetwork(4)
        try #require(network.formCluster())
        network.with(3) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        try #require(network.run(until: { $0.nodes[1].isInTransition }, atMost: .seconds(5)))
        network.with(1) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        #expect(network.nodes[1].state != .left)
        #expect(network.run(until: { $0.agree([0, 2]) && $0.nodes[1].state == .left }, atMost: .seconds(10)), "\(network.description)")
    }

    /// Good manners: no HELLO between STARTTRANS(NEWNODE) and the end of its barrier, and never one without an id.
    @Test func nobodyGreetsWhileANodeJoins() throws {
        let network = TestNetwork(5, seed: 3) { _, configuration in configuration.timers.hello = .milliseconds(20) }
        try #require(network.formCluster(), "\(network.description)")
        var joining: Set<Int> = []
        for entry in network.log {
            switch entry.packet.body {
            case .startTrans(let message):
                if message.reason == CmanTransitionReason.newNode.rawValue {
                    joining.insert(entry.node)
                } else {
                    joining.remove(entry.node)
                }
            case .barrier(let message) where message.phase == CmanBarrierPhase.complete.rawValue: joining.remove(entry.node)
            case .hello(let hello):
                #expect(entry.packet.header.sourceID != 0)
                if hello.flags & CmanHello.masterFlag == 0 { #expect(!joining.contains(entry.node), "at \(entry.time)") }
            default: break
            }
        }
    }
}
