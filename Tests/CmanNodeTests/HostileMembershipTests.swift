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
}
