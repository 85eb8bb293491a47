import CaptureSupport
import ClusterServices
import Testing
import TotemNode

/// Our services say what the recorded daemons said, byte for byte.
@Suite struct RecordedSynchronisation {
    private func play(_ name: String, _ node: UInt32, first: [UInt32]?) throws -> RecordedNode {
        var player = RecordedNode(node: node, configuration: ProcessorConfiguration(nodeID: node, nodes: [1, 2, 3]))
        try player.play("corosync/\(name).pcap", first: first)
        return player
    }

    private static let formations = ["3.1.7-udpu-form", "3.1.7-udp-form", "3.1.7-udpu6-form"]

    @Test(arguments: formations, [1, 2, 3] as [UInt32])
    func everyByteOfAFormationIsTheSame(_ name: String, _ node: UInt32) throws {
        let player = try play(name, node, first: nil)
        #expect(player.recorded.count >= 19)
        #expect(player.sent == player.recorded)
        #expect(player.quorum?.isQuorate == true)
        #expect(player.quorum?.quorum == 2)
        #expect(player.quorum?.votes == [1: 1, 2: 1, 3: 1])
    }

    @Test(
        arguments: ["3.1.7-udpu-stop", "3.1.7-udp-stop", "3.1.7-udpu-kill", "3.1.7-udp-kill", "3.1.7-udpu6-kill", "3.1.7-udp-partition"],
        [1, 2] as [UInt32]
    )
    func whatFollowsALossIsTheSame(_ name: String, _ node: UInt32) throws {
        let player = try play(name, node, first: [1, 2, 3])
        #expect(player.recorded.count >= 9)
        #expect(player.sent.map(\.withoutStaleEntries) == player.recorded.map(\.withoutStaleEntries))
    }
}
