import CaptureSupport
import ClusterServices
import Testing
import TotemNode
import TotemWire
import WireFormat

/// Our services say what recorded daemons of openais 0.80, corosync 1 and corosync 2 said: the same messages in the same order, with the
/// same fields. Captures that lack some of a daemon's packets are left out.
@Suite struct OlderSynchronisation {
    /// A daemon of a capture.
    struct Role: Sendable, CustomTestStringConvertible {
        var capture: String
        var node: UInt32
        /// Members of the ring in which the capture begins; nil when the daemon starts within it.
        var first: [UInt32]?
        var nodes: [UInt32] = [1, 2, 3]
        var hasQuorum = true
        var compatibility = ProcessorConfiguration.Compatibility.whitetank
        var configurationVersion: UInt64?

        var testDescription: String { "node \(node) of \(capture)" }

        /// The capture's name with its folder.
        var name: String { capture.hasPrefix("wt") || capture.hasPrefix("cman") ? "openais/\(capture).pcap" : "corosync/\(capture).pcap" }

        func play() throws -> RecordedNode {
            let recording = try #require(TotemRecording.all.first { $0.name == name })
            var configuration = ProcessorConfiguration(nodeID: node, nodes: nodes)
            configuration.compatibility = compatibility
            configuration.configurationVersion = configurationVersion
            if !hasQuorum { configuration.quorum = nil }
            // What a daemon says of its host is known from what it said.
            let join = try Self.nodeJoin(of: node, in: recording)
            if let join {
                configuration.totem.addresses[node] = IPAddress(String(decoding: join.name.content, as: UTF8.self)).map { [$0] }
                configuration.bootTime = join.bootTimestamp
            }
            var player = RecordedNode(node: node, of: recording.generation, configuration: configuration)
            if let view = join?.initialViewNumber, view > 0 { player.firstSequence = view * 4 }
            try player.play(name, first: first)
            return player
        }

        private static func nodeJoin(of node: UInt32, in recording: TotemRecording) throws -> CLMNodeJoin? {
            for record in try recording.messages() where record.sender == node {
                if case .clmNodeJoin(let join)? = try record.read()?.body { return join }
            }
            return nil
        }
    }

    private static func roles(_ captures: [String], _ nodes: [UInt32], first: [UInt32]? = nil) -> [Role] {
        captures.flatMap { capture in nodes.map { Role(capture: capture, node: $0, first: first) } }
    }

    private func compare(_ role: Role, atLeast count: Int) throws {
        let player = try role.play()
        // What cman says is compared by itself.
        let sent = player.sent.filter { $0.group != .cman }.map(\.withoutGarbage)
        let recorded = player.recorded.filter { $0.group != .cman }.map(\.withoutGarbage)
        #expect(recorded.count >= count)
        #expect(sent.count == recorded.count)
        for (index, (ours, theirs)) in zip(sent, recorded).enumerated() where ours != theirs {
            Issue.record("message \(index): ours \(ours), theirs \(theirs)")
            return
        }
    }

    // MARK: Corosync 2

    private static let corosync2 =
        roles(["needle2.4-udp-form", "needle2.4-udpu-form", "needle2.4-udpu6-form", "needle2.4-udpu-rrpactive-form"], [1, 2, 3])
        + roles(["needle2.4-udp-kill", "needle2.4-udpu-kill", "needle2.4-udp-stop", "needle2.4-udpu-stop"], [1, 2], first: [1, 2, 3])
        + roles(["needle2.4-udp-partition", "needle2.4-udpu-partition", "needle2.4-udpu-pause"], [1, 2, 3], first: [1, 2, 3])
        + [Role(capture: "needle2.4-udpu-confver", node: 2, first: [1, 2], configurationVersion: 3)]

    @Test(arguments: corosync2) func corosync2SaysTheSame(_ role: Role) throws { try compare(role, atLeast: 6) }

    // MARK: Corosync 1

    private static let corosync1 =
        roles(["flatiron1.4-udp-form", "flatiron1.4-udpu-form", "flatiron1.4-udp-sober-form", "flatiron1.4-udp-nss-form"], [1, 2, 3])
        + roles(["flatiron1.4-udp-kill", "flatiron1.4-udp-stop", "flatiron1.4-udpu-stop"], [1, 2], first: [1, 2, 3])
        + roles(["flatiron1.4-udp-partition", "flatiron1.4-udpu-partition", "flatiron1.4-udpu-pause"], [1, 2, 3], first: [1, 2, 3])

    @Test(arguments: corosync1) func corosync1SaysTheSame(_ role: Role) throws { try compare(role, atLeast: 6) }

    @Test(arguments: [1, 2, 3] as [UInt32]) func corosync1WithoutCompatibilitySaysTheSame(_ node: UInt32) throws {
        try compare(Role(capture: "flatiron1.4-udp-compatnone-form", node: node, compatibility: .none), atLeast: 6)
    }

    // MARK: openais 0.80

    private static let openaisNodes: [UInt32] = [0x0104_4D0A, 0x0204_4D0A, 0x0304_4D0A]

    private static func openais(_ captures: [String], _ nodes: [UInt32], first: [UInt32]? = nil) -> [Role] {
        captures.flatMap { capture in
            nodes.map { Role(capture: capture, node: $0, first: first, nodes: openaisNodes, hasQuorum: false) }
        }
    }

    private static let openaisFormations = openais(
        ["wt-f5586a7-form3", "wt-f5586a7-form3-simul", "wt-f5586a7-secauth-form3"],
        openaisNodes
    )

    private static let openaisChanges =
        openais(["wt-f5586a7-stop"], Array(openaisNodes.dropFirst(2)), first: openaisNodes)
        + openais(["wt-f5586a7-partition"], Array(openaisNodes.prefix(2)), first: openaisNodes)

    @Test(arguments: openaisFormations + openaisChanges) func openaisSaysTheSame(_ role: Role) throws { try compare(role, atLeast: 6) }

    // MARK: Below cman

    private static func cman(_ captures: [String], _ nodes: [UInt32], first: [UInt32]? = nil) -> [Role] {
        captures.flatMap { capture in nodes.map { Role(capture: capture, node: $0, first: first, hasQuorum: false) } }
    }

    private static let belowCman =
        cman(["cman2-02a34df25-secauth-join3", "cman3-da8bc8bc-join3"], [1, 2, 3])
        + cman(["cman3-da8bc8bc-death", "cman3-da8bc8bc-kill"], [1, 2], first: [1, 2, 3])

    @Test(arguments: belowCman) func theServicesBelowCmanSayTheSame(_ role: Role) throws { try compare(role, atLeast: 6) }
}
