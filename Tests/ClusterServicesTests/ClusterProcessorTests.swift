import ClusterServices
import EngineKit
import Testing
import TotemNode

@Suite struct ClusterProcessors {
    @Test(arguments: 1...4 as ClosedRange<UInt32>) func someNodesFormACluster(_ count: UInt32) {
        var network = ClusterNetwork(nodes: Array(1...count), seed: UInt64(count))
        for id in 1...count { network.start(id) }
        let formed = network.run(.seconds(30)) { network in
            (1...count).allSatisfy { network[$0]?.isSynchronised == true && network[$0]?.members.count == Int(count) }
        }
        #expect(formed)
        for id in 1...count {
            let quorum = network[id]?.quorum
            #expect(quorum?.isQuorate == true)
            #expect(quorum?.totalVotes == count)
            #expect(quorum?.expectedVotes == count)
            #expect(quorum?.quorum == count / 2 + 1)
            #expect(quorum?.votes == Dictionary(uniqueKeysWithValues: (1...count).map { ($0, 1) }))
        }
        #expect(network.refusals == [])
    }

    @Test func eventsOfARingComeInTheDaemonsOrder() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 1)
        network.start(1)
        #expect(network.run(.seconds(30)) { $0.isCluster(1) })
        network.join("g", 1)
        network.run(.seconds(1))
        network.start(2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        let names = (network.events[2] ?? []).drop { event in
            if case .membership(let membership) = event { membership.members.count < 2 || membership.isTransitional } else { true }
        }.compactMap { event -> String? in
            switch event {
            case .membership: "membership"
            case .group: "group"
            case .quorum: "quorum"
            case .synchronised: "synchronised"
            default: nil
            }
        }
        #expect(names == ["membership", "group", "quorum", "synchronised"])
    }

    @Test func aSendBeforeSynchronisationWaits() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 2)
        network.start(1, 2)
        network.join("g", 1)
        #expect(network.send("early", to: "g", from: 1) == nil)
        #expect(network[1]?.isSynchronised == false)
        #expect(network.run(.seconds(30)) { $0.deliveries[1]?.count == 1 })
        let names = (network.events[1] ?? []).compactMap { event -> String? in
            switch event {
            case .synchronised: "synchronised"
            case .group: "group"
            case .message: "message"
            default: nil
            }
        }
        #expect(names == ["synchronised", "group", "message"])
    }

    @Test func whatWaitsIsBounded() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 3) { $0.pendingLimit = 10_000 }
        network.start(1)
        let payload = [UInt8](repeating: 7, count: 4000)
        #expect(network.send(payload, to: "g", from: 1) == nil)
        #expect(network.send(payload, to: "g", from: 1) == nil)
        #expect(network.send(payload, to: "g", from: 1) == .queueFull)
        #expect(network.send([UInt8](repeating: 0, count: (1 << 20) + 1), to: "g", from: 1) == .tooLarge((1 << 20) + 1))
    }

    @Test func aStoppingNodeSaysGoodbye() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 4)
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.join("g", 1)
        network.join("g", 3)
        #expect(network.run(.seconds(5)) { $0[1]?.processes(in: "g").count == 2 })
        let start = network.now
        network.perform(3) { $0.leave(at: $1, into: &$2) }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) && $0[3]?.state == .left })
        // Without waiting for the loss of the token.
        #expect(network.now - start < .milliseconds(1000))
        let left = network.changes(of: "g", at: 1).flatMap(\.left)
        #expect(left == [.init(process: CPGProcess(node: 3, pid: 100), reason: .processDown)])
    }

    @Test func aStoppingNodeSendsWhatWaits() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 7)
        network.start(1, 2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        network.join("g", 1)
        network.join("g", 2)
        network.run(.seconds(1))
        // Many times what the token takes along in one visit.
        for number in 0..<100 { network.send("\(number) " + String(repeating: "x", count: 3000), to: "g", from: 1) }
        network.perform(1) { $0.leave(at: $1, into: &$2) }
        #expect(network.send("too late", to: "g", from: 1) == .notRunning)
        #expect(network.run(.seconds(30)) { $0.isCluster(2) })
        #expect(network.deliveries[2]?.count == 100)
    }

    @Test func aKilledNodeIsTold() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 5)
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.perform(1) { try? $0.kill(node: 2, reason: "test", at: $1, into: &$2) }
        network.run(.seconds(1))
        func killers(_ id: UInt32) -> [UInt32] {
            (network.events[id] ?? []).compactMap { if case .killed(let by) = $0 { by } else { nil } }
        }
        #expect(killers(2) == [1])
        #expect(killers(1) == [])
        #expect(killers(3) == [])
    }

    @Test func anotherRingEndsTheSynchronisation() {
        for seed in 0..<8 as Range<UInt64> {
            var network = ClusterNetwork(nodes: [1, 2, 3, 4], seed: seed)
            network.start(1, 2)
            #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) }, "seed \(seed)")
            network.join("g", 1)
            network.start(3, 4)
            // Somewhere in the synchronisation of the larger ring one of its members dies.
            #expect(network.run(.seconds(30)) { $0[1]?.members.count ?? 0 > 2 }, "seed \(seed)")
            network.run(.microseconds(Int64(seed) * 150))
            network.crash(4)
            #expect(network.run(.seconds(60)) { $0.isCluster(1, 2, 3) }, "seed \(seed)")
            network.run(.milliseconds(500))
            #expect(network[3]?.processes(in: "g") == [CPGProcess(node: 1, pid: 100)], "seed \(seed)")
        }
    }

    @Test func anOlderConfigurationIsNoticedAtTheFirstSynchronisation() {
        var network = ClusterNetwork(nodes: [1, 2], seed: 6) { $0.configurationVersion = $0.totem.nodeID == 1 ? 3 : 2 }
        network.start(1, 2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        func versions(_ id: UInt32) -> [[UInt64]] {
            (network.events[id] ?? []).compactMap {
                if case .outdatedConfiguration(let own, let newest) = $0 { [own, newest] } else { nil }
            }
        }
        #expect(versions(1) == [])
        #expect(versions(2) == [[2, 3]])
    }
}
