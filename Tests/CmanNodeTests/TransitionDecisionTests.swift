import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

/// What a master decides: the vote about views, restarts, and who is to be master (reference/cman-wire.md 5.9, 5.11).
@Suite struct TransitionDecisions {
    /// A member with id 100 among `count` others, of whom the last is dead.
    private func member(among count: Int) throws -> ScriptedPeers {
        var peers = try ScriptedPeers(nameLength: 8, count: count)
        try #require(try peers.confirm())
        try peers.finish(generation: 62)
        try #require(peers.node.state == .member)
        return peers
    }

    /// `leaver` says LEAVE; everybody acknowledges, and answers STARTTRANS. Returns what the node has sent.
    private func lead(_ peers: inout ScriptedPeers, leaver: UInt32) throws -> [CmanPacket] {
        var sent = try peers.say(.leave(CmanLeave()), from: leaver, flags: .noAck)
        sent += try peers.acknowledgeAll()
        var answer = CmanStartAck()
        answer.generation = peers.node.generation
        for id in peers.living { sent += try peers.say(.startAck(answer), from: id, flags: []) }
        return sent + (try peers.acknowledgeAll())
    }

    private func opinions(_ peers: inout ScriptedPeers, _ opinions: [(UInt32, UInt8)]) throws -> [CmanPacket] {
        var sent: [CmanPacket] = []
        for (id, opinion) in opinions {
            var answer = CmanViewAck()
            answer.opinion = opinion
            sent += try peers.say(.viewAck(answer), from: id, flags: [])
        }
        return sent + (try peers.acknowledgeAll())
    }

    @Test func dissentersAreKilledAndTheTransitionGoesOn() throws {
        var peers = try member(among: 5)
        _ = try lead(&peers, leaver: 4)
        let sent = try opinions(&peers, [(1, 1), (2, 1), (3, 0)])
        let kills = sent.filter { if case .kill = $0.body { true } else { false } }
        #expect(kills.map(\.header.targetID) == [3])
        #expect(kills.allSatisfy { !$0.header.flags.contains(.noAck) })
        #expect(sent.contains { if case .endTrans = $0.body { true } else { false } })
    }

    @Test func aMasterWhoseViewHasNoMajorityLeaves() throws {
        var peers = try member(among: 4)
        _ = try lead(&peers, leaver: 3)
        peers.effects.removeAll()
        _ = try opinions(&peers, [(1, 1), (2, 0)])
        #expect(peers.node.state == .left)
    }

    /// The master dies while it lets a node in, and with it the node. Who takes over does not count the node, which the others forget
    /// (reference/cman-behaviour.md B6).
    @Test func aJoinerWhoseMasterDiesIsNoMember() throws {
        let network = TestNetwork(4)
        for index in 0..<3 {
            network.join(index)
            try #require(network.run(until: { $0.agree(Array(0...index)) }, atMost: .seconds(60)), "\(network.description)")
        }
        network.join(3)
        let begins = network.run(
            until: {
                $0.log.contains { if case .startTrans(let start) = $0.packet.body { start.nodeName == Array("node4".utf8) } else { false } }
            },
            atMost: .seconds(60)
        )
        try #require(begins)
        let master = try #require(network.log.last { if case .startTrans = $0.packet.body { true } else { false } }?.node)
        // So long that all have STARTTRANS, and none has ENDTRANS yet.
        network.run(.microseconds(200))
        network.isUp[master] = false
        network.isUp[3] = false
        let rest = (0..<3).filter { $0 != master }
        var counted: Set<Int> = []
        let agree = network.run(
            until: { network in
                for index in rest where network.nodes[index].members.contains(where: { $0.name == "node4" && $0.state == .member }) {
                    counted.insert(index)
                }
                return network.agree(rest)
            },
            atMost: .seconds(120)
        )
        #expect(agree, "\(network.description)")
        #expect(counted.isEmpty)
    }

    /// Whose STARTTRANS is acknowledged and not answered begins again ten times, and then leaves.
    @Test func aMasterGivesUpAfterTenRestarts() throws {
        var peers = try member(among: 4)
        var sent = try peers.say(.leave(CmanLeave()), from: 3, flags: .noAck)
        sent += try peers.acknowledgeAll()
        var restarts = 0
        while peers.node.state == .master, peers.now < Instant.zero + .seconds(1000) {
            for packet in peers.wait() + (try peers.acknowledgeAll()) {
                guard case .startTrans(let start) = packet.body, !packet.header.flags.contains(.allInterfaces) else { continue }
                if start.reason == CmanTransitionReason.restart.rawValue, packet.header.flags.contains(.replyExpected) { restarts += 1 }
            }
        }
        #expect(peers.node.state == .left)
        #expect(restarts == 10)
    }

    /// Two masters, neither of them the lowest member: that one is nominated, and this node follows.
    @Test func theLowestMemberIsNominated() throws {
        var peers = try member(among: 5)
        var sent = try peers.say(.leave(CmanLeave()), from: 4, flags: .noAck)
        sent += try peers.acknowledgeAll()
        var start = CmanTransitionStart()
        start.reason = CmanTransitionReason.removeNode.rawValue
        start.generation = peers.node.generation
        start.nodeID = 4
        sent = try peers.say(.startTrans(start), from: 2)
        sent += try peers.acknowledgeAll()
        let nominations = sent.filter { if case .nominate = $0.body { true } else { false } }
        #expect(nominations.map(\.header.targetID) == [1])
        #expect(peers.node.state == .transition)
    }

    @Test func whoIsNominatedStartsTheTransition() throws {
        var peers = try member(among: 5)
        var start = CmanTransitionStart()
        start.reason = CmanTransitionReason.removeNode.rawValue
        start.generation = peers.node.generation + 1
        start.nodeID = 4
        let generation = peers.node.generation
        let sent = try peers.say(.nominate(start), from: 2, flags: [])
        #expect(peers.node.state == .master)
        guard case .startTrans(let started)? = sent.last?.body else { throw NotStarted() }
        #expect(started.reason == CmanTransitionReason.removeNode.rawValue)
        #expect(started.generation == generation + 1)
    }

    struct NotStarted: Error {}
}
