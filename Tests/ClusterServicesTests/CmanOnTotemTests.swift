import ClusterServices
import EngineKit
import Testing
import TotemNode
import TotemWire
import WireFormat

/// cman on Totem among several members of ours.
@Suite struct CmanOnTotem {
    private static func configurations(
        _ nodes: [UInt32],
        _ release: CmanOnTotemConfiguration.Release,
        change: (inout CmanOnTotemConfiguration, UInt32) -> Void
    ) -> [ProcessorConfiguration] {
        nodes.map { node in
            var configuration = ProcessorConfiguration(nodeID: node, nodes: nodes)
            configuration.quorum = nil
            let votes = Dictionary(uniqueKeysWithValues: nodes.map { ($0, UInt32(1)) })
            var settings = CmanOnTotemConfiguration(release, clusterName: "alpha", votes: votes, joinTime: UInt64(1000 + node))
            change(&settings, node)
            configuration.cman = settings
            return configuration
        }
    }

    private static func ring(_ sequence: UInt64, of representative: UInt32 = 1) -> TotemRingID {
        var address = TotemIPAddress()
        address.nodeID = representative
        return TotemRingID(representative: representative, sequence: sequence, representativeAddress: address)
    }

    private static func cluster(
        _ nodes: [UInt32],
        _ release: CmanOnTotemConfiguration.Release = .cman2,
        change: (inout CmanOnTotemConfiguration, UInt32) -> Void = { _, _ in }
    ) -> ServiceEnsemble {
        let generation: TotemGeneration = release == .cman2 ? .openais080 : .corosync1
        var ensemble = ServiceEnsemble(configurations(nodes, release, change: change), of: generation)
        for node in nodes { ensemble.enter(ring(4, of: node), members: [node]) }
        ensemble.enter(ring(8), members: nodes)
        return ensemble
    }

    private static func disallowed(_ ensemble: ServiceEnsemble, _ node: UInt32) -> [UInt32] {
        (ensemble.events[node] ?? []).compactMap { if case .cman(.disallowed(let other)) = $0 { other } else { nil } }
    }

    @Test func everyMemberIsOneByItsTransition() {
        let ensemble = Self.cluster([1, 2, 3])
        for node in [1, 2, 3] as [UInt32] {
            #expect(ensemble.stacks[node]?.cmanMembers == [1, 2, 3])
            #expect(ensemble.stacks[node]?.cmanQuorum?.isQuorate == true)
            #expect(ensemble.stacks[node]?.cmanQuorum?.quorum == 2)
            #expect(ensemble.stacks[node]?.isSynchronised == true)
        }
    }

    @Test(arguments: [CmanOnTotemConfiguration.Release.cman2, .cman3])
    func quorumFallsOnlyWhenNodesAreRemoved(_ release: CmanOnTotemConfiguration.Release) {
        for reason in [0, 3] as [UInt16] {
            var ensemble = Self.cluster([1, 2, 3, 4, 5], release)
            #expect(ensemble.stacks[1]?.cmanQuorum?.quorum == 3)
            for node in [5, 4] as [UInt32] { ensemble.perform(node) { stack, _ in stack.cmanLeave(reason: reason) } }
            ensemble.settle([1, 2, 3, 4, 5])
            // Their votes no longer count, and quorum is calculated when the ring is without them.
            #expect(ensemble.stacks[1]?.cmanMembers == [1, 2, 3])
            #expect(ensemble.stacks[1]?.cmanQuorum?.quorum == 3)
            ensemble.enter(Self.ring(12), members: [1, 2, 3])
            #expect(ensemble.stacks[1]?.cmanQuorum?.isQuorate == true)
            // With cman2 what members say on the new ring brings the old number back (ais-behaviour.md 7.5).
            let isLowered = release == .cman3 && reason == 3
            #expect(ensemble.stacks[1]?.cmanQuorum?.quorum == (isLowered ? 2 : 3))
            #expect(ensemble.stacks[1]?.cmanQuorum?.expectedVotes == (isLowered ? 3 : 5))
        }
    }

    @Test func aPartitionThatHealsIsDisallowedAndKilled() {
        var ensemble = Self.cluster([1, 2, 3])
        ensemble.enter(Self.ring(12), members: [1, 2])
        ensemble.enter(Self.ring(12, of: 3), members: [3])
        #expect(ensemble.stacks[1]?.cmanQuorum?.isQuorate == true)
        #expect(ensemble.stacks[3]?.cmanQuorum?.isQuorate == false)
        ensemble.enter(Self.ring(16), members: [1, 2, 3])
        #expect(Self.disallowed(ensemble, 1).contains(3))
        let killers = (ensemble.events[3] ?? []).compactMap { if case .killed(let by) = $0 { by } else { nil } }
        #expect(killers.contains(1))
        #expect(ensemble.stacks[1]?.cmanMembers.contains(3) == false)
    }

    @Test func aNodeOfAnotherClusterOrConfigurationIsNoMember() {
        let changes: [(inout CmanOnTotemConfiguration) -> Void] = [
            { $0.clusterName = "beta" }, { $0.clusterID = 7 }, { $0.configVersion = 2 },
        ]
        for change in changes {
            let ensemble = Self.cluster([1, 2, 3]) { if $1 == 3 { change(&$0) } }
            #expect(ensemble.stacks[1]?.cmanMembers == [1, 2])
            #expect((ensemble.events[1] ?? []).contains { if case .refused(.mismatch(_, from: 3)) = $0 { true } else { false } })
        }
    }

    @Test func aNewerConfigurationSuspendsTheOlderNodes() {
        var ensemble = Self.cluster([1, 2, 3]) { if $1 == 3 { $0.configVersion = 2 } }
        #expect(ensemble.stacks[1]?.cmanQuorum?.isQuorate == false)
        for node in [1, 2] as [UInt32] {
            ensemble.perform(node) { stack, effects in stack.update(configVersion: 2, announcing: false, into: &effects) }
        }
        ensemble.enter(Self.ring(12), members: [1, 2, 3])
        #expect(ensemble.stacks[1]?.cmanMembers == [1, 2, 3])
        #expect(ensemble.stacks[1]?.cmanQuorum?.isQuorate == true)
    }

    @Test func portsAreAskedForOnce() {
        var ensemble = Self.cluster([1, 2])
        ensemble.perform(2) { stack, _ in _ = stack.open(port: 11) }
        ensemble.settle([1, 2])
        var answers: [CmanOnTotemListening] = []
        for port in [11, 12] as [UInt8] {
            ensemble.perform(1) { stack, _ in answers.append(stack.isListening(2, port: port)) }
            ensemble.settle([1, 2])
        }
        ensemble.perform(1) { stack, _ in answers.append(stack.isListening(2, port: 11)) }
        ensemble.perform(1) { stack, _ in answers.append(stack.isListening(9, port: 11)) }
        #expect(answers == [.asked, .no, .yes, .notMember])
        // A node that was away is asked again.
        ensemble.enter(Self.ring(12), members: [1])
        ensemble.enter(Self.ring(12, of: 2), members: [2])
        ensemble.perform(1) { stack, _ in answers.append(stack.isListening(2, port: 11)) }
        #expect(answers.last == .notMember)
    }

    @Test func aMessageForOneNodeIsTakenByThatOneOnly() {
        var ensemble = Self.cluster([1, 2, 3])
        for node in [1, 2, 3] as [UInt32] { ensemble.perform(node) { stack, _ in _ = stack.open(port: 11) } }
        for target in [0, 2] as [UInt32] {
            ensemble.perform(1) { stack, _ in
                [UInt8]("hello".utf8).withUnsafeBytes { stack.send($0, to: target, port: 11, from: 50) }
            }
        }
        ensemble.settle([1, 2, 3])
        for (node, expected) in [(1, [0]), (2, [0, 2]), (3, [0])] as [(UInt32, [UInt32])] {
            let targets = (ensemble.events[node] ?? []).compactMap { event -> UInt32? in
                if case .cman(.data(1, 50, let target, 11, _)) = event { target } else { nil }
            }
            #expect(targets == expected)
        }
    }

    @Test func aLiarAndAStrangerAreRefused() throws {
        var ensemble = Self.cluster([1, 2])
        func message(_ source: Int32, _ body: CmanOnTotemMessage.Body) throws -> SaidMessage {
            var message = CmanOnTotemMessage(.ack, of: .openais080)
            message.header = CmanOnTotemHeader(source: source, sourcePort: 0, target: 0, targetPort: 0)
            message.body = body
            return SaidMessage(group: .cman, bytes: try message.bytes(), generation: .openais080)
        }
        let before = ensemble.stacks[1]?.cmanQuorum
        let leave = CmanOnTotemMessage.Body.leave(CmanOnTotemLeave(reason: 3))
        ensemble.deliver(try message(2, leave), from: 3, to: [1])
        ensemble.deliver(try message(-1, leave), from: 2, to: [1])
        ensemble.deliver(try message(9, .transition(CmanOnTotemTransition(of: .openais080))), from: 9, to: [1])
        var short = try message(2, .reconfigure(CmanOnTotemReconfigure(.expectedVotes, value: 1, node: 1)))
        short.bytes.removeLast(5)
        ensemble.deliver(short, from: 2, to: [1])
        let refusals = (ensemble.events[1] ?? []).compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }
        #expect(refusals.count == 4)
        #expect(refusals.prefix(2) == [.wrongSource(claimed: 2, from: 3), .wrongSource(claimed: -1, from: 2)])
        #expect(refusals.dropFirst(2).first == .mismatch(.clusterName, from: 9))
        #expect(ensemble.stacks[1]?.cmanQuorum == before)
    }
}
