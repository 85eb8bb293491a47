import ClusterServices
import EngineKit
import Testing
import TotemNode
import TotemWire
import WireFormat

/// Members of openais 0.80 and corosync 1 in one ring, as they are while a cluster is upgraded.
@Suite struct MixedRings {
    private static func ring(_ sequence: UInt64, of representative: UInt32) -> TotemRingID {
        var address = TotemIPAddress()
        address.nodeID = representative
        return TotemRingID(representative: representative, sequence: sequence, representativeAddress: address)
    }

    private static func configuration(_ node: UInt32) -> ProcessorConfiguration {
        var configuration = ProcessorConfiguration(nodeID: node, nodes: [1, 2, 3])
        configuration.quorum = nil
        return configuration
    }

    private static func ensemble(_ generations: [TotemGeneration]) -> ServiceEnsemble {
        var ensemble = ServiceEnsemble(zip(generations, [1, 2, 3]).map { ($0, configuration($1)) })
        for node in [1, 2, 3] as [UInt32] { ensemble.enter(ring(4, of: node), members: [node]) }
        return ensemble
    }

    @Test(arguments: [[.openais080, .openais080, .corosync1], [.openais080, .corosync1, .corosync1]] as [[TotemGeneration]])
    func bothFinishTheSixRoundsTogether(_ generations: [TotemGeneration]) {
        var ensemble = Self.ensemble(generations)
        let before = ensemble.said.count
        ensemble.enter(Self.ring(8, of: 1), members: [1, 2, 3])
        for node in [1, 2, 3] as [UInt32] {
            #expect(ensemble.stacks[node]?.isSynchronised == true, "node \(node)")
            let kinds = ensemble.said[before...].filter { $0.sender == node }.compactMap(\.message.kind)
            #expect(kinds.filter { $0 == .syncBarrier }.count == 6)
            // Only those that said so are waited for in the second synchronisation.
            let isCorosync = generations[Int(node) - 1] == .corosync1
            #expect(kinds.filter { $0 == .syncv2ServiceBuild }.count == (isCorosync ? 1 : 0))
        }
    }

    @Test func withoutABarrierNobodyIsSynchronised() {
        var ensemble = Self.ensemble([.openais080, .openais080, .openais080])
        // Node 3 is in the ring and says nothing.
        for node in [1, 2] as [UInt32] {
            ensemble.perform(node) { stack, effects in
                let membership = TotemMembership.change(to: Self.ring(8, of: 1), [1, 2, 3], from: [node], transitional: [node])
                for configuration in membership { stack.receive(configuration, at: .zero, into: &effects) }
            }
        }
        ensemble.settle([1, 2])
        #expect(ensemble.stacks[1]?.isSynchronised == false)
        #expect(ensemble.said.suffix(2).allSatisfy { $0.message.kind == .syncBarrier })
        // It goes, and the next ring is synchronised.
        ensemble.enter(Self.ring(12, of: 1), members: [1, 2])
        #expect(ensemble.stacks[1]?.isSynchronised == true)
    }

    @Test func corosync1ChoosesTheListOfTheLargestRing() throws {
        let name = try #require(CPGName("g".utf8))
        var stacks = ServiceEnsemble([1, 2, 3].map { (TotemGeneration.corosync1, Self.configuration($0)) })
        for node in [1, 2, 3] as [UInt32] { stacks.enter(Self.ring(4, of: node), members: [node]) }
        stacks.enter(Self.ring(8, of: 1), members: [1, 2, 3])
        for node in [1, 2, 3] as [UInt32] { stacks.perform(node) { stack, _ in _ = stack.join(name, pid: 100 + node) } }
        stacks.settle([1, 2, 3])
        stacks.enter(Self.ring(12, of: 1), members: [1, 2])
        stacks.enter(Self.ring(12, of: 3), members: [3])
        #expect(stacks.stacks[1]?.processes(in: name).map(\.node) == [1, 2])
        #expect(stacks.stacks[3]?.processes(in: name).map(\.node) == [3])
        stacks.enter(Self.ring(16, of: 1), members: [1, 2, 3])
        for node in [1, 2, 3] as [UInt32] { #expect(stacks.stacks[node]?.processes(in: name).map(\.node) == [1, 2, 3], "node \(node)") }
        // Node 3 saw nodes 1 and 2 go although they never went; it is told that they come back.
        let reasons = (stacks.events[3] ?? []).suffix(6).compactMap { event -> [CPGReason]? in
            if case .group(let membership) = event { membership.joined.map(\.reason) + membership.left.map(\.reason) } else { nil }
        }
        #expect(reasons.flatMap { $0 } == [.nodeUp, .nodeUp])
    }
}
