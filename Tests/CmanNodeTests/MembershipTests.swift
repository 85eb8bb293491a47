import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

@Suite struct Membership {
    @Test func aNodeFormsAClusterAfterListeningAndAnnouncing() {
        let network = TestNetwork(1)
        network.join(0)
        network.run(.milliseconds(31_999))
        #expect(network.nodes[0].state == .newCluster)
        network.run(.milliseconds(2))
        #expect(network.nodes[0].state == .member)
        #expect(network.nodes[0].id == 1)
        #expect(network.nodes[0].generation == 1)
        #expect(network.log.map(\.packet.body.name.description) == Array(repeating: "newcluster", count: 5) + ["hello"])
    }

    @Test func aNodeThatMayNotFormWaitsForever() {
        let network = TestNetwork(1) { _, configuration in configuration.mayFormCluster = false }
        network.join(0)
        network.run(.seconds(1000))
        #expect(network.nodes[0].state == .starting)
        #expect(network.log.isEmpty)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func twoFoundersFormOneCluster(_ seed: UInt64) {
        let network = TestNetwork(2, seed: seed) { _, configuration in configuration.mayFormCluster = true }
        network.join(0)
        network.join(1)
        #expect(network.run(until: { $0.agree([0, 1]) }, atMost: .seconds(120)), "seed \(seed): \(network.description)")
    }

    @Test(arguments: CmanConfiguration.Profile.allCases, [2, 3, 5, 8])
    func nodesJoin(_ profile: CmanConfiguration.Profile, _ count: Int) {
        let network = TestNetwork(count, seed: 7, profile: profile) { index, configuration in
            configuration.wantedNodeID = UInt32(index + 1)
            if profile == .daemon { configuration.timers.joinWait = .seconds(200) }
            if profile == .daemon, index == 0 { configuration.timers.joinWait = .seconds(5) }
        }
        network.join(0)
        #expect(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        // One after the other, as an administrator does; all at once is `allAtOnce`.
        for index in 1..<count {
            network.join(index)
            #expect(network.run(until: { $0.agree(Array(0...index)) }, atMost: .seconds(60)), "\(network.description)")
        }
        #expect(network.nodes.map(\.id) == (1...count).map { UInt32($0) })
        #expect(network.nodes[0].quorum.quorum == UInt32(count / 2 + 1))
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func allJoinAtOnce(_ seed: UInt64) throws {
        let network = TestNetwork(5, seed: seed)
        try #require(network.formCluster(), "seed \(seed): \(network.description)")
    }

    @Test func aLeaverIsForgottenAtOnceAndQuorumStaysUnlessItWasRemoved() throws {
        let network = TestNetwork(3)
        try #require(network.formCluster(), "\(network.description)")
        network.with(2) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        #expect(network.run(until: { $0.agree([0, 1]) }, atMost: .seconds(10)), "\(network.description)")
        #expect(network.nodes[0].quorum == CmanQuorum(quorum: 2, totalVotes: 2, expectedVotes: 3))
        network.with(1) { node, now, effects in node.leave(removed: true, at: now, into: &effects) }
        #expect(network.run(until: { $0.agree([0]) }, atMost: .seconds(10)), "\(network.description)")
        #expect(network.nodes[0].quorum.quorum == 1)
    }

    /// Expected votes, a node's own votes, and the version of the configuration, which then decides who may join.
    @Test func aReconfigurationReachesEverybody() throws {
        let network = TestNetwork(4) { index, configuration in if index == 3 { configuration.configVersion = 7 } }
        network.join(0)
        try #require(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        for index in [1, 2] { network.join(index) }
        try #require(network.run(until: { $0.agree([0, 1, 2]) }, atMost: .seconds(100)), "\(network.description)")
        let change = { (network: TestNetwork, index: Int, parameter: CmanParameter, value: UInt32) -> Bool in
            let isTaken = network.with(index) { node, now, effects in node.reconfigure(parameter, value: value, at: now, into: &effects) }
            network.run(.milliseconds(100))
            return isTaken
        }
        #expect(change(network, 1, .nodeVotes, 3))
        #expect(network.nodes.prefix(3).allSatisfy { $0.quorum.totalVotes == 5 && $0.quorum.quorum == 3 })
        #expect(change(network, 2, .expectedVotes, 3))
        #expect(network.nodes.prefix(3).allSatisfy { $0.quorum.expectedVotes == 3 && $0.quorum.quorum == 3 })
        // A quorum above the votes that are there.
        #expect(!change(network, 2, .expectedVotes, 40))
        #expect(change(network, 0, .configVersion, 7))
        network.join(3)
        #expect(network.run(until: { $0.agree([0, 1, 2, 3]) }, atMost: .seconds(60)), "\(network.description)")
    }

    /// Votes of a device that one node sees: counted there at once, everywhere after a transition that it masters, and no longer than a
    /// member may be silent.
    @Test func aQuorumDeviceHasVotes() throws {
        let network = TestNetwork(3)
        try #require(network.formCluster(), "\(network.description)")
        network.with(0) { node, now, effects in node.pollQuorumDevice(votes: 2, at: now, into: &effects) }
        #expect(network.nodes[0].quorum == CmanQuorum(quorum: 3, totalVotes: 5, expectedVotes: 3))
        #expect(network.nodes[1].quorum.totalVotes == 3)
        let leaver = network.nodes[2].id
        network.with(0) { node, now, effects in node.kill(node: leaver, at: now, into: &effects) }
        try #require(network.run(until: { $0.agree([0, 1]) }, atMost: .seconds(20)), "\(network.description)")
        #expect(network.nodes[1].quorum.totalVotes == 4)
        for _ in 0..<6 {
            network.with(0) { node, now, effects in node.pollQuorumDevice(votes: 2, at: now, into: &effects) }
            network.run(.seconds(10))
        }
        #expect(network.nodes[0].quorum.totalVotes == 4)
        network.run(.seconds(27))
        #expect(network.nodes[0].quorum == CmanQuorum(quorum: 3, totalVotes: 2, expectedVotes: 3))
        #expect(!network.nodes[0].quorum.isQuorate)
    }

    @Test func aNodeComesBackWithItsID() throws {
        let network = TestNetwork(3)
        try #require(network.formCluster(), "\(network.description)")
        let id = network.nodes[1].id
        network.with(1) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        #expect(network.run(until: { $0.agree([0, 2]) }, atMost: .seconds(10)))
        network.join(1)
        #expect(network.run(until: { $0.agree([0, 1, 2]) }, atMost: .seconds(60)), "\(network.description)")
        #expect(network.nodes[1].id == id)
    }

    @Test(arguments: CmanConfiguration.Profile.allCases) func aCrashIsNoticed(_ profile: CmanConfiguration.Profile) throws {
        let network = TestNetwork(4, profile: profile) { index, configuration in
            if index > 0 { configuration.timers.joinWait = .seconds(100) }
        }
        try #require(network.formCluster(), "\(network.description)")
        network.isUp[1] = false
        let crash = network.now
        #expect(network.run(until: { $0.agree([0, 2, 3]) }, atMost: .seconds(60)), "\(network.description)")
        #expect(network.now - crash > .seconds(16))
        #expect(network.now - crash < .seconds(35))
    }

    @Test(arguments: [0, 1, 2]) func aNodeThatWasStoppedKillsNobody(_ stopped: Int) throws {
        let network = TestNetwork(3)
        try #require(network.formCluster(), "\(network.description)")
        network.run(.seconds(20))
        network.isUp[stopped] = false
        network.run(.seconds(40))
        let others = [0, 1, 2].filter { $0 != stopped }
        try #require(network.agree(others), "\(network.description)")
        let resumed = network.now
        network.isUp[stopped] = true
        network.run(.seconds(30))
        #expect(network.agree(others), "\(network.description)")
        #expect(network.nodes[stopped].state == .left)
        let said = network.log.filter { $0.time >= resumed && $0.node == stopped }
        #expect(!said.contains { if case .kill = $0.packet.body { true } else { false } })
    }

    @Test(arguments: CmanConfiguration.Profile.allCases)
    func aNodeThatRestartsAtOnceWaitsUntilItsDeathIsNoticed(_ others: CmanConfiguration.Profile) throws {
        let network = TestNetwork(3, profile: others) { index, configuration in
            configuration.wantedNodeID = UInt32(index + 1)
            if index == 2 { configuration.profile = .ringbridge }
        }
        try #require(network.formCluster(), "\(network.description)")
        network.run(.seconds(20))
        network.nodes[2] = CmanNode(configuration: network.nodes[2].configuration, seed: 99)
        network.join(2)
        #expect(network.run(until: { $0.agree([0, 1, 2]) }, atMost: .seconds(90)), "\(network.description)")
        #expect(network.nodes[2].id == 3)
    }

    @Test func aCrashUnderMessagesIsNoticedByMissingAcknowledgements() throws {
        let network = TestNetwork(4)
        try #require(network.formCluster(), "\(network.description)")
        network.isUp[3] = false
        let crash = network.now
        let tag = try network.send("x", from: 0)
        #expect(network.run(until: { $0.agree([0, 1, 2]) }, atMost: .seconds(60)), "\(network.description)")
        #expect(network.now - crash < .seconds(8))
        #expect(network.events[0].contains { if case .sent(tag) = $0 { true } else { false } })
        #expect(network.events[0].contains { if case .memberDown(_, .noResponse) = $0 { true } else { false } })
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64]) func membersThatDieTogetherAreSortedOut(_ seed: UInt64) throws {
        let network = TestNetwork(6, seed: seed)
        try #require(network.formCluster(), "\(network.description)")
        network.isUp[0] = false
        network.isUp[4] = false
        #expect(network.run(until: { $0.agree([1, 2, 3, 5]) }, atMost: .seconds(120)), "seed \(seed): \(network.description)")
    }

    @Test func theMasterDiesInATransition() {
        let network = TestNetwork(4)
        let started = { (network: TestNetwork) in network.log.contains { $0.node == 0 && $0.packet.body.name.description == "masterview" } }
        network.join(0)
        #expect(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        for index in 1..<3 {
            network.join(index)
            #expect(network.run(until: { $0.agree(Array(0...index)) }, atMost: .seconds(60)))
        }
        // node1 masters the departure of node3 and dies after its MASTERVIEW.
        network.log.removeAll()
        network.with(2) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        #expect(network.run(until: started, atMost: .seconds(30)) || network.nodes[1].state == .master)
        network.isUp[0] = false
        #expect(network.run(until: { $0.agree([1]) }, atMost: .seconds(120)), "\(network.description)")
    }

    @Test(arguments: CmanConfiguration.Profile.allCases) func twoNodesMastersAtOnceAgreeInTheEnd(_ profile: CmanConfiguration.Profile)
        throws
    {
        let network = TestNetwork(5, profile: profile) { index, configuration in
            if index > 0 { configuration.timers.joinWait = .seconds(100) }
        }
        try #require(network.formCluster(), "\(network.description)")
        // Two leave at the same moment: their masters meet.
        network.with(3) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        network.with(4) { node, now, effects in
            node.kill(node: node.members[0].id == node.id ? node.members[1].id : node.members[0].id, at: now, into: &effects)
        }
        #expect(
            network.run(
                until: { network in
                    network.agree(network.nodes.indices.filter { network.nodes[$0].state == .member })
                        && network.nodes.allSatisfy { !$0.isInTransition }
                },
                atMost: .seconds(120)
            ),
            "\(network.description)"
        )
    }

    @Test func aLostConfirmationIsRepeated() throws {
        let network = TestNetwork(2)
        var lost = 0
        network.isLost = { _, _, packet in
            guard case .confAck = packet.body, lost == 0 else { return false }
            lost += 1
            return true
        }
        try #require(network.formCluster(), "\(network.description)")
        #expect(lost == 1)
    }

    @Test func wrongRequestsAreRefused() {
        for change in [
            { (configuration: inout CmanConfiguration) in configuration.configVersion = 2 },
            { $0.nodeName = "node1" },
            { $0.wantedNodeID = 1 },
            { $0.clusterName = "bjpha" },
        ] {
            let network = TestNetwork(2) { index, configuration in
                if index == 1 { change(&configuration) }
            }
            network.join(0)
            #expect(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
            network.join(1)
            #expect(network.run(until: { $0.nodes[1].state == .rejected }, atMost: .seconds(20)), "\(network.description)")
            #expect(network.agree([0]))
        }
    }

    @Test func aThirdNodeIsRefusedInTwoNodeMode() {
        let network = TestNetwork(3) { _, configuration in
            configuration.twoNode = true
            configuration.expectedVotes = 1
        }
        network.join(0)
        #expect(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        network.join(1)
        #expect(network.run(until: { $0.agree([0, 1]) }, atMost: .seconds(60)))
        network.join(2)
        #expect(network.run(until: { $0.nodes[2].state == .rejected }, atMost: .seconds(60)))
        network.isUp[0] = false
        #expect(network.run(until: { $0.agree([1]) }, atMost: .seconds(60)))
        #expect(network.nodes[1].quorum.isQuorate)
    }
}
