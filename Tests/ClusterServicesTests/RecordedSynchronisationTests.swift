import CaptureSupport
import ClusterServices
import Testing
import TotemNode

/// Our services say what the recorded daemons said, byte for byte.
@Suite struct RecordedSynchronisation {
    /// A daemon of a capture.
    struct Role: Sendable, CustomTestStringConvertible {
        var capture: String
        var node: UInt32
        /// Members of the ring in which the capture begins; nil when the daemon starts within it.
        var first: [UInt32]? = [1, 2, 3]
        var configurationVersion: UInt64?

        var testDescription: String { "node \(node) of \(capture)" }

        func play() throws -> RecordedNode {
            var configuration = ProcessorConfiguration(nodeID: node, nodes: [1, 2, 3])
            configuration.configurationVersion = configurationVersion
            var player = RecordedNode(node: node, configuration: configuration)
            try player.play("corosync/\(capture).pcap", first: first)
            return player
        }
    }

    private static func roles(_ captures: [String], _ nodes: [UInt32], first: [UInt32]? = [1, 2, 3]) -> [Role] {
        captures.flatMap { capture in nodes.map { Role(capture: capture, node: $0, first: first) } }
    }

    @Test(arguments: roles(["3.1.7-udpu-form", "3.1.7-udp-form", "3.1.7-udpu6-form"], [1, 2, 3], first: nil))
    func everyByteOfAFormationIsTheSame(_ role: Role) throws {
        let player = try role.play()
        #expect(player.recorded.count >= 19)
        #expect(player.sent == player.recorded)
        #expect(player.quorum?.isQuorate == true)
        #expect(player.quorum?.quorum == 2)
        #expect(player.quorum?.votes == [1: 1, 2: 1, 3: 1])
    }

    private static let changes =
        roles(["3.1.7-udpu-stop", "3.1.7-udp-stop", "3.1.7-udpu-kill", "3.1.7-udp-kill", "3.1.7-udpu6-kill"], [1, 2])
        + roles(["3.1.7-udp-partition", "3.1.7-udpu-pause", "3.1.7-udp-pause"], [1, 2, 3])
        + roles(["3.1.7-udp-recovery"], [2, 3])
        // With a foreign processor that never sends what it should; node 1 has a process from before the capture.
        + roles(["3.1.7-udpu-foreign-none", "3.1.7-udpu-foreign-build", "3.1.7-udpu-foreign-sync"], [2], first: [1, 2])
        + [Role(capture: "3.1.7-udpu-confver", node: 2, first: [1, 2], configurationVersion: 3)]

    @Test(arguments: changes) func whatFollowsAChangeOfTheRingIsTheSame(_ role: Role) throws {
        let player = try role.play()
        #expect(player.recorded.count >= 9)
        #expect(player.sent.map(\.withoutGarbage) == player.recorded.map(\.withoutGarbage))
    }

    @Test func theDaemonWithTheOlderConfigurationNoticesIt() throws {
        let player = try Role(capture: "3.1.7-udpu-confver", node: 3, first: nil, configurationVersion: 2).play()
        let versions = player.events.compactMap { event, _ in
            if case .outdatedConfiguration(let own, let newest) = event { [own, newest] } else { nil }
        }
        // The log: "Received config version (3) is different than my config version (2)! Exiting".
        #expect(versions == [[2, 3]])
        // The daemon is silent from then on.
        #expect(player.recorded.count > 10)
        #expect(player.sent.starts(with: player.recorded))
    }
}
