import CaptureSupport
import ClusterServices
import Testing
import TotemNode
import TotemWire

/// cman on Totem says and reports what the recorded daemons of RHEL 5 and RHEL 6 said and told their clients.
@Suite struct RecordedCman {
    /// A daemon of a capture.
    struct Role: Sendable, CustomTestStringConvertible {
        var capture: String
        var node: UInt32
        /// Members of the ring in which the capture begins; nil when the daemon starts within it.
        var first: [UInt32]?
        var votes: [UInt32: UInt32] = [1: 1, 2: 1, 3: 1]
        var expectedVotes: UInt32 = 3
        var twoNode = false
        /// Barriers for all members that a program had registered before the others waited at them.
        var barriers: [String] = []
        /// Whether a program said that this node has state.
        var isDirty = false
        /// Votes of the quorum device that runs on this node.
        var deviceVotes: UInt32 = 0
        /// Ports that were opened before the capture, or with a packet that it lacks.
        var ports: [UInt8] = []
        /// Whether the daemon exits in the capture; what it would say afterwards is said by ours.
        var exits = false

        var testDescription: String { "node \(node) of \(capture)" }

        func play() throws -> RecordedNode {
            let recording = try #require(TotemRecording.all.first { $0.name == "openais/\(capture).pcap" })
            var configuration = ProcessorConfiguration(nodeID: node, nodes: votes.keys.sorted())
            configuration.quorum = nil
            var settings = CmanOnTotemConfiguration(
                recording.generation == .corosync1 ? .cman3 : .cman2,
                clusterName: "oacluster",
                votes: votes,
                joinTime: try joinTime(in: recording)
            )
            settings.expectedVotes = expectedVotes
            settings.twoNode = twoNode
            configuration.cman = settings
            var player = RecordedNode(node: node, of: recording.generation, configuration: configuration)
            try player.play(recording.name, first: first) { stack, effects in
                for port in ports { _ = stack.open(port: port) }
                for barrier in barriers { _ = stack.register(barrier: barrier, nodes: 0) }
                stack.setDirty(isDirty)
                stack.setQuorumDevice(votes: deviceVotes, into: &effects)
            }
            return player
        }

        /// When the daemon joined, as it says itself.
        private func joinTime(in recording: TotemRecording) throws -> UInt64 {
            for record in try recording.messages() where record.sender == node && record.group == Array("CMAN".utf8) {
                if case .cman(let message)? = try record.read()?.body, case .transition(let transition) = message.body {
                    return transition.joinTime
                }
            }
            return 1
        }
    }

    private static func roles(_ captures: [String], _ nodes: [UInt32], first: [UInt32]? = nil) -> [Role] {
        captures.flatMap { capture in nodes.map { Role(capture: capture, node: $0, first: first) } }
    }

    private static let all: [UInt32] = [1, 2, 3]
    private static let everyone =
        roles(["cman2-02a34df25-join3", "cman2-02a34df25-secauth-join3", "cman2-02a34df25-secauth-keyfile"], all)
        + roles(["cman3-da8bc8bc-join3"], all)
        + roles(["cman2-02a34df25-ports", "cman3-da8bc8bc-ports"], all, first: all)
        + all.map { Role(capture: "cman2-02a34df25-messages", node: $0, first: all, ports: $0 == 1 ? [100] : []) }
        + roles(["cman2-02a34df25-leave", "cman2-02a34df25-leave-remove", "cman3-da8bc8bc-leave"], [1, 3], first: all)
        + roles(["cman2-02a34df25-death", "cman3-da8bc8bc-kill"], [1, 2], first: all)
        // Node 1 expects 2 votes there, for something that happened before.
        + roles(["cman3-da8bc8bc-death"], [2], first: all)
        + roles(["cman3-da8bc8bc-barrier", "cman3-da8bc8bc-votes"], all, first: all)
        + [1, 2].map { Role(capture: "cman2-02a34df25-two-node", node: $0, votes: [1: 1, 2: 1], expectedVotes: 1, twoNode: true) }
        + all.map { Role(capture: "cman2-02a34df25-barrier", node: $0, first: all, barriers: $0 < 3 ? ["bar0"] : []) }
        + [1, 2].map {
            Role(
                capture: "cman2-02a34df25-dirty-qdisk",
                node: $0,
                first: all,
                expectedVotes: 4,
                isDirty: $0 == 1,
                deviceVotes: $0 == 1 ? 1 : 0,
                exits: $0 == 1
            )
        }

    @Test(arguments: everyone) func whatTheDaemonSaysIsTheSame(_ role: Role) throws {
        let player = try role.play()
        let sent = player.sent.filter { $0.group == .cman }.map(\.withoutGarbage)
        let recorded = player.recorded.filter { $0.group == .cman }.map(\.withoutGarbage)
        #expect(role.exits ? sent.count > recorded.count : sent.count == recorded.count)
        let isSeen = player.events.contains { if case .seesDisallowed = $0.event { true } else { false } }
        #expect(isSeen == role.exits)
        for (index, (ours, theirs)) in zip(sent, recorded).enumerated() where ours != theirs {
            Issue.record("message \(index): ours \(ours), theirs \(theirs)")
            return
        }
    }

    /// What a client that listened to `port` wrote down: sender, its port, length and hash of each message.
    private static func log(of node: UInt32, port: UInt8, in capture: String) throws -> [String] {
        var client: [String] = []
        var isListening = false
        var lines: [String] = []
        func finish() {
            if isListening { lines = client }
            client = []
            isListening = false
        }
        var isOfNode = false
        for line in try CaptureSupport.text(of: "openais/\(capture).truth.txt").split(separator: "\n") {
            if line.hasPrefix("# ") {
                finish()
                isOfNode = line.hasPrefix("# client output on node \(node) ")
            } else if isOfNode, line.contains("CMD bind \(port) ") {
                isListening = true
            } else if isOfNode {
                let words = line.split(separator: " ")
                if words.count > 10, words[1] == "DATA" { client.append(words[3...10].joined(separator: " ")) }
            }
        }
        finish()
        return lines
    }

    @Test(arguments: all) func programsAreToldTheSameMessages(_ node: UInt32) throws {
        let capture = "cman2-02a34df25-messages"
        let player = try Role(capture: capture, node: node, first: Self.all, ports: node == 1 ? [100] : []).play()
        let told = player.events.compactMap { event, payload -> String? in
            guard case .cman(.data(let sender, let sourcePort, _, 100, _)) = event else { return nil }
            let sum = String(payload.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }, radix: 16)
            let padded = String(repeating: "0", count: 8 - sum.count) + sum
            return "node \(sender) port \(sourcePort) len \(payload.count) sum \(padded)"
        }
        let log = try Self.log(of: node, port: 100, in: capture)
        #expect(log.count > 30)
        // The capture lacks a few of the packets that the daemons had.
        #expect(told.count > log.count * 9 / 10)
        var rest = log[...]
        for line in told {
            guard let place = rest.firstIndex(of: line) else {
                Issue.record("\(line) was told in another place, or not at all")
                return
            }
            rest = rest[(place + 1)...]
        }
    }

    @Test func votesFollowTheAdministrator() throws {
        let player = try Role(capture: "cman3-da8bc8bc-votes", node: 3, first: Self.all).play()
        let quorums = player.events.compactMap { event, _ in
            if case .cman(.quorum(let quorum)) = event { [quorum.expectedVotes, quorum.totalVotes, quorum.quorum] } else { nil }
        }
        // `cman_tool status` after each command: expected votes 5 and 3, votes of node 2 3 and 1.
        #expect(quorums == [[5, 3, 3], [3, 3, 2], [3, 5, 3], [3, 3, 2]])
    }
}
