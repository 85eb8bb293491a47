import CaptureSupport
import ClusterServices
import EngineKit
import Testing
import TotemNode
import TotemWire
import WireFormat

/// The first cman on Totem, of August 2005.
@Suite struct FirstCman {
    /// A daemon of a capture.
    struct Role: Sendable, CustomTestStringConvertible {
        var capture: String
        var node: UInt32
        /// Whether the capture begins in a ring of all three.
        var isInside = true

        var testDescription: String { "node \(node) of \(capture)" }

        func play() throws -> RecordedNode {
            let addresses = [1, 2, 3].map { FirstCman.address($0) }
            var configuration = ProcessorConfiguration(nodeID: FirstCman.address(node), nodes: addresses)
            configuration.quorum = nil
            configuration.firstCman = FirstCmanConfiguration(
                clusterName: "oacluster",
                nodeName: "oanode\(node)",
                nodeID: node,
                votes: 1,
                expectedVotes: 3
            )
            var player = RecordedNode(node: FirstCman.address(node), of: .totem2005, configuration: configuration)
            player.isFounder = node == 1
            try player.play("openais/cman0-06267550e-\(capture).pcap", first: isInside ? addresses : nil)
            return player
        }
    }

    private static func address(_ node: UInt32) -> UInt32 { 0x0A4D_0400 | node }

    private static let roles =
        [1, 2, 3].map { Role(capture: "join3", node: $0, isInside: false) }
        + ["ports", "votes"].flatMap { capture in [1, 2, 3].map { Role(capture: capture, node: $0) } }
        + [1, 3].map { Role(capture: "leave", node: $0) }

    @Test(arguments: roles) func whatTheDaemonSaysIsTheSame(_ role: Role) throws {
        let player = try role.play()
        let sent = player.sent.map(\.withoutGarbage)
        let recorded = player.recorded.map(\.withoutGarbage)
        #expect(sent.count == recorded.count)
        for (index, (ours, theirs)) in zip(sent, recorded).enumerated() where ours != theirs {
            Issue.record("message \(index): ours \(ours), theirs \(theirs)")
            return
        }
    }

    @Test func everyNodeIsTakenInByTheOneWithTheLowestID() throws {
        for node in [1, 2, 3] as [UInt32] {
            let player = try Role(capture: "join3", node: node, isInside: false).play()
            #expect(player.cmanMembers == [1, 2, 3], "node \(node)")
            #expect(player.cmanQuorum?.isQuorate == true)
            #expect(player.cmanQuorum?.quorum == 2)
        }
    }

    @Test func aDeadNodeIsNoMember() throws {
        let player = try Role(capture: "death", node: 1).play()
        #expect(player.cmanMembers == [1, 2])
        #expect(player.cmanQuorum?.isQuorate == true)
        #expect(player.cmanQuorum?.quorum == 2)
    }

    @Test func aLiarIsRefused() throws {
        let player = try Role(capture: "votes", node: 1).play()
        var stack = player.services
        let before = stack.cmanQuorum
        var message = CmanOnTotemMessage(.leave, of: .totem2005)
        message.header = CmanOnTotemHeader(source: 2, sourcePort: 0, target: 0, targetPort: 0)
        let said = SaidMessage(group: .cman, bytes: try message.bytes(), generation: .totem2005)
        var effects = ProcessorEffects()
        stack.take(said, from: Self.address(3), into: &effects)
        #expect(stack.cmanQuorum == before)
        #expect(stack.cmanMembers == [1, 2, 3])
        guard case .event(.refused(let refusal))? = effects.effects.first else {
            Issue.record("nothing was refused")
            return
        }
        #expect(refusal == .wrongSource(claimed: 2, from: Self.address(3)))
    }
}
