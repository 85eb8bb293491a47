import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

/// Well-formed membership messages that no implementation sends: the cluster stays whole, and what programs are told stays true.
@Suite struct HostileMembership {
    private func cluster() throws -> TestNetwork {
        let network = TestNetwork(3)
        try #require(network.formCluster(), "\(network.description)")
        return network
    }

    private func bytes(_ body: CmanBody, sequence: UInt16, from id: UInt32 = 0) throws -> [UInt8] {
        var packet = CmanPacket()
        packet.header.targetPort = 1
        packet.header.sourcePort = 1
        packet.header.sequence = sequence
        packet.header.cluster = cmanClusterNumber("alpha".utf8)
        packet.header.flags = id == 0 ? .noAck : .multicast
        packet.header.sourceID = Int32(bitPattern: id)
        packet.body = body
        return try packet.bytes()
    }

    /// STARTTRANS and views repeat the addresses. 11 are more than a node can have, 80 more than fit together with another node, 120
    /// more than a datagram of the protocol holds, 4000 nearly fill what UDP can carry.
    @Test(arguments: [11, 80, 120, 4000]) func aRequestWithMoreAddressesThanFitIsRefused(_ count: Int) throws {
        let network = try cluster()
        var request = CmanJoinRequest()
        request.major = CmanJoinRequest.majorVersion
        request.configVersion = 1
        request.addressLength = UInt32(CmanSocketAddress.ipv4Length)
        request.clusterName = Array("alpha".utf8)
        request.nodeName = Array("mallory".utf8)
        let stranger = Endpoint(IPAddress(ipv4: 0x0A00_0032), 6809)
        request.addresses = Array(repeating: CmanSocketAddress(stranger), count: count)
        network.inject(try bytes(.joinReq(request), sequence: 7), from: stranger, to: 0)
        #expect(network.nodes[0].state == .member)
        network.run(.seconds(300))
        #expect(network.agree([0, 1, 2]), "\(network.description)")
        #expect(network.events[0].contains { if case .refused = $0 { true } else { false } })
    }

    @Test func aMemberThatIsSaidToJoinIsNotForgotten() throws {
        let network = try cluster()
        let (liar, victim) = (network.nodes[1].id, network.nodes[2].id)
        var start = CmanTransitionStart()
        start.reason = CmanTransitionReason.newNode.rawValue
        start.generation = network.nodes[0].generation + 1
        start.nodeID = Int32(bitPattern: victim)
        start.nodeName = Array("node3".utf8)
        start.addresses = [CmanSocketAddress(network.addresses[2])]
        network.inject(try bytes(.startTrans(start), sequence: 40_000, from: liar), from: network.addresses[1], to: 0)
        var end = CmanEndTrans()
        end.generation = start.generation + 1
        network.inject(try bytes(.endTrans(end), sequence: 40_001, from: liar), from: network.addresses[1], to: 0)
        var told: Set<UInt32> = []
        for event in network.events[0] {
            if case .memberUp(let member) = event { told.insert(member.id) }
            if case .memberDown(let member, _) = event { told.remove(member.id) }
        }
        #expect(told == Set(network.nodes[0].members.filter { $0.state == .member && $0.id != network.nodes[0].id }.map(\.id)))
        #expect(told.contains(victim))
    }

    /// What members said while they joined, worked and died, changed at random, from members and strangers. Whoever is still a member
    /// in the end is a member in working order.
    @Test(arguments: [1, 2, 3, 22, 37, 64, 76, 80, 86, 87, 102, 104, 111, 123, 124, 130, 146] as [UInt64]) func changedPacketsDoNoHarm(
        _ seed: UInt64
    ) throws {
        let network = try cluster()
        _ = try network.send("a message", from: 1)
        network.with(2) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        network.run(.seconds(30))
        network.join(2)
        try #require(network.run(until: { $0.agree([0, 1, 2]) }, atMost: .seconds(100)))
        let samples = try network.log.filter { if case .hello = $0.packet.body { false } else { true } }.map { try $0.packet.bytes() }
        var random = RandomSource(seed: seed)
        for _ in 0..<4000 {
            var datagram = samples[Int(random.next() % UInt64(samples.count))]
            // Numbers of messages that could be under way, so that copies and acknowledgements meet something.
            for place in [2, 4] { datagram[place] = UInt8(random.next() % 64) }
            for _ in 0..<(random.next() % 4) {
                let place = 12 + Int(random.next() % UInt64(datagram.count - 12))
                datagram[place] = random.next() % 2 == 0 ? UInt8(random.next() % 8) : UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 8 == 0 { datagram.removeLast(Int(random.next() % UInt64(datagram.count))) }
            let target = Int(random.next() % 3)
            let source = Int(random.next() % 4)
            guard source != target else { continue }
            let address = source < 3 ? network.addresses[source] : Endpoint(IPAddress(ipv4: 0x0A00_0032), 6809)
            network.inject(datagram, from: address, to: target)
            network.run(.milliseconds(Int64(random.next() % 40)))
            for index in 0..<3 where network.nodes[index].state == .left || network.nodes[index].state == .rejected { network.join(index) }
        }
        network.run(.seconds(600))
        #expect(network.nodes.allSatisfy { !$0.isInTransition }, "seed \(seed): \(network.description)")
        let members = network.nodes.indices.filter { network.nodes[$0].state == .member }
        #expect(network.agreeByGeneration(members), "seed \(seed): \(network.description)")
    }
}
