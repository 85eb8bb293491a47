import Bridging
import ClusterServices
import CmanNode
import EngineKit
import Sides
import Testing

/// What administrators do on one side reaches the other.
@Suite struct AdministrationTests {
    private func agreed() -> Lab {
        var lab = MembershipTests.upgrading()
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        lab.run(for: .seconds(15))
        return lab
    }

    @Test func aKillReachesTheNodeItself() {
        var lab = agreed()
        lab.kill(3, fromLegacy: 1)
        #expect(lab.run(atMost: .seconds(30)) { $0.totem[3] == nil && $0.agree(on: [1, 2, 4]) }, "\(lab.description)")
        lab.kill(2, fromTotem: 4)
        #expect(lab.run(atMost: .seconds(30)) { $0.legacy[2]?.ended == true }, "\(lab.description)")
        lab.crash(2)
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 4]) || $0.totemMembers(4) == [1, 4] }, "\(lab.description)")
    }

    /// Members that have lost sight of a proxy clean up; that is no reason to kill the node behind it.
    @Test func aProxyThatWasGivenUpComesBack() {
        var lab = agreed()
        lab.loss = 100
        lab.run(for: .seconds(3))
        lab.loss = 0
        lab.run(for: .seconds(90))
        #expect(lab.totem[3] != nil && lab.totem[4] != nil)
        #expect(lab.agree(on: [1, 2, 3, 4]), "\(lab.description)")
    }

    @Test func votesCross() {
        var lab = agreed()
        lab.setVotes(2, expected: 5, onLegacy: 1)
        lab.run(for: .seconds(5))
        let quorum = lab.totem[3]?.processor.quorum
        #expect(quorum?.votes[1] == 2)
        #expect(quorum?.totalVotes == 5)
        #expect(quorum?.expectedVotes == 5)
        // A legacy cluster only ever lowers expected votes (reference/cman-wire.md 5.11).
        lab.setVotes(3, expected: 7, onTotem: 4)
        lab.run(for: .seconds(5))
        #expect(lab.legacy[2]?.node.members.map(\.votes) == [2, 1, 1, 3], "\(lab.description)")
        #expect(lab.legacy[2]?.node.quorum.totalVotes == 7)
        #expect(lab.bridge?.status(at: lab.now).counters.refused == PerSide(both: [:]))
    }

    @Test func theNativeNodeWins() {
        var lab = agreed()
        // Node 3 runs on the ring, and somebody starts it on the legacy side too.
        lab.startLegacy(3)
        lab.loseAddress(of: 3, on: .cman)
        #expect(!lab.held.first.contains(3))
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        #expect(lab.bridge?.status(at: lab.now).doubleIdentities == [3])
        #expect(lab.alarms.contains { if case .doubleIdentity(node: 3, _) = $0 { true } else { false } })
        #expect(lab.bridge?.status(at: lab.now).sides.second.proxies.map(\.node) == [1, 2])
    }

    @Test func rawPortsCarryPayloadsAsTheyAre() {
        var lab = Lab(nodes: [1, 2, 3, 4])
        lab.configuration.ports = PortMap(entries: [Lab.port: .init(group: "clvmd", mapping: .raw)], mapsOtherPorts: false)
        lab.startBridge()
        for id in [1, 2] as [UInt32] { lab.startLegacy(id) }
        lab.run(for: .seconds(60))
        for id in [3, 4] as [UInt32] {
            lab.startTotem(id, joins: false)
            lab.joinGroup(id, "clvmd")
        }
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        lab.run(for: .seconds(15))
        lab.sendGroup(3, "clvmd", [7, 0, 0, 0])
        lab.sendFromLegacy(1, to: 3, numbers: 5...5)
        lab.sendFromLegacy(1, numbers: 6...6)
        lab.run(for: .seconds(5))
        #expect(lab.received(by: 1, from: 3).map(\.number) == [7])
        #expect(lab.received(by: 2, from: 3).map(\.number) == [7])
        let counters = lab.bridge?.status(at: lab.now).counters
        #expect(counters?.refused.first == [.unicastOnRawPort: 1])
        #expect(counters?.carried == PerSide(first: 1, second: 1))
        #expect(lab.legacy[1]?.underWay == 0, "what is refused is acknowledged")
        #expect(lab.legacy[1]?.lost.isEmpty == true)
    }

    @Test func barriersAreRefusedAndCounted() {
        var lab = agreed()
        lab.enterBarrier("mine", onLegacy: 1)
        lab.joinGroup(3, "cman.barrier")
        lab.run(for: .seconds(5))
        #expect((lab.bridge?.status(at: lab.now).counters.refused.first[.barrier] ?? 0) > 0)
        #expect(lab.bridge?.status(at: lab.now).counters.refused.second == [.barrier: 1])
        #expect(lab.legacy[1]?.lost.isEmpty == true)
    }
}
