import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

/// What hurts the original implementations (reference/cman-wire.md 11 by its numbers, captures 13c and 13d, the probes of
/// reference/cman-behaviour.md 1 and 5): refused and reported, and no state changes.
@Suite struct OriginalWeaknesses {
    private static let stranger = Endpoint(IPAddress(ipv4: 0x0A00_0032), 6809)

    private func cluster(_ configure: (Int, inout CmanConfiguration) -> Void = { _, _ in }) throws -> TestNetwork {
        let network = TestNetwork(3, configure: configure)
        try #require(network.formCluster(), "\(network.description)")
        network.run(.milliseconds(500))
        network.log.removeAll()
        for index in network.events.indices { network.events[index].removeAll() }
        return network
    }

    private func bytes(
        _ body: CmanBody,
        port: UInt8 = CmanPort.membership,
        sequence: UInt16 = 50_000,
        acknowledgement: UInt16 = 0,
        from id: UInt32 = 0,
        to target: UInt32 = 0,
        flags: CmanFlags = .multicast,
        cluster: String = "alpha"
    ) throws -> [UInt8] {
        var packet = CmanPacket()
        packet.header.targetPort = port
        packet.header.sourcePort = port
        packet.header.sequence = sequence
        packet.header.acknowledgement = acknowledgement
        packet.header.cluster = cmanClusterNumber(cluster.utf8)
        packet.header.flags = flags
        packet.header.sourceID = Int32(bitPattern: id)
        packet.header.targetID = Int32(bitPattern: target)
        packet.body = body
        return try packet.bytes()
    }

    /// What a member is in the eyes of everybody else.
    private struct Standing: Equatable {
        var state: CmanState
        var generation: UInt32
        var quorum: CmanQuorum
        var members: [CmanMember]

        init(_ node: CmanNode) {
            state = node.state
            generation = node.generation
            quorum = node.quorum
            members = node.members
        }
    }

    /// Hands `datagram` to the first node: nothing changes, now and later, and it is reported as `isExpected` wants. Returns what the
    /// node sent at once.
    @discardableResult
    private func probe(
        _ network: TestNetwork,
        _ datagram: [UInt8],
        from source: Endpoint = stranger,
        reported isExpected: @escaping (CmanRefusal) -> Bool,
        location: SourceLocation = #_sourceLocation
    ) -> [CmanPacket] {
        let before = network.nodes.map(Standing.init)
        let logged = network.log.count
        let heard = network.events[0].count
        network.inject(datagram, from: source, to: 0)
        let answers = network.log[logged...].map(\.packet)
        let refusals = network.events[0][heard...].compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }
        #expect(refusals.contains(where: isExpected), "\(refusals)", sourceLocation: location)
        #expect(network.nodes.map(Standing.init) == before, sourceLocation: location)
        network.run(.seconds(40))
        #expect(network.nodes.map(Standing.init) == before, "\(network.description)", sourceLocation: location)
        return answers
    }

    private func isMalformed(_ refusal: CmanRefusal) -> Bool { if case .malformed = refusal { true } else { false } }
    private func isStranger(_ refusal: CmanRefusal) -> Bool { if case .stranger = refusal { true } else { false } }
    private func isWrongAddress(_ refusal: CmanRefusal) -> Bool { if case .wrongAddress = refusal { true } else { false } }
    private func isForeign(_ refusal: CmanRefusal) -> Bool { if case .foreignCluster = refusal { true } else { false } }
    private func isUnexpected(_ refusal: CmanRefusal) -> Bool { if case .unexpected = refusal { true } else { false } }

    /// 1, and D3 of capture 13d: 8 bytes.
    @Test(arguments: [0, 1, 8, 19]) func aDatagramShorterThanAHeader(_ length: Int) throws {
        let network = try cluster()
        let whole = try bytes(.kill, from: network.nodes[1].id)
        #expect(probe(network, Array(whole.prefix(length)), from: network.addresses[1], reported: isMalformed).isEmpty)
    }

    /// 2: acknowledgements and copies count only from a member's own address.
    @Test func anAcknowledgementFromAForeignAddress() throws {
        let network = try cluster()
        network.isLost = { from, _, packet in if case .ack = packet.body { from != 0 } else { false } }
        _ = try network.send("x", from: 0)
        let sequence = try #require(network.outstandingSequence(of: 0))
        for index in [1, 2] {
            let ack = try bytes(.ack(CmanAck()), port: 0, acknowledgement: sequence, from: network.nodes[index].id, flags: .noAck)
            network.inject(ack, from: Self.stranger, to: 0)
        }
        #expect(network.outstandingSequence(of: 0) == sequence)
        #expect(network.events[0].filter { if case .refused(.wrongAddress) = $0 { true } else { false } }.count == 2)
    }

    @Test func aCopyFromAForeignAddressIsNotAcknowledged() throws {
        let network = try cluster()
        _ = try network.send("x", from: 1)
        network.run(.milliseconds(100))
        let sent = try #require(network.log.last { if case .data = $0.packet.body { true } else { false } }?.packet)
        let copy = try bytes(.kill, sequence: sent.header.sequence, from: network.nodes[1].id)
        #expect(probe(network, copy, reported: isWrongAddress).isEmpty)
    }

    /// 3, and D4 of capture 13d: a death that a stranger reports, of another node and of the receiver.
    @Test(arguments: [0, 2]) func aNodeDownFromAStranger(_ victim: Int) throws {
        let network = try cluster()
        var down = CmanNodeDown()
        down.nodeID = network.nodes[victim].id
        down.reason = 6
        probe(network, try bytes(.nodeDown(down)), reported: isStranger)
    }

    /// The setting that restores the original.
    @Test func aNodeDownFromAStrangerIsObeyedWhereTheConfigurationSaysSo() throws {
        let network = try cluster { _, configuration in configuration.obeysStrangers = true }
        var down = CmanNodeDown()
        down.nodeID = network.nodes[2].id
        down.reason = 6
        network.inject(try bytes(.nodeDown(down)), from: Self.stranger, to: 0)
        #expect(network.nodes[0].members.first { $0.id == down.nodeID }?.state == .dead)
        down.nodeID = network.nodes[0].id
        network.inject(try bytes(.nodeDown(down), sequence: 50_001), from: Self.stranger, to: 0)
        #expect(network.nodes[0].state == .left)
    }

    /// 4, and D1, D2, D5 of capture 13d.
    @Test(arguments: [(1, 1), (2, 4), (3, 9)] as [(UInt8, UInt32)]) func aReconfigFromAStranger(_ parameter: UInt8, _ value: UInt32) throws
    {
        let network = try cluster()
        var reconfig = CmanReconfig()
        reconfig.parameter = parameter
        reconfig.value = value
        probe(network, try bytes(.reconfig(reconfig)), reported: isStranger)
    }

    @Test func aReconfigFromAStrangerIsObeyedWhereTheConfigurationSaysSo() throws {
        let network = try cluster { _, configuration in configuration.obeysStrangers = true }
        var reconfig = CmanReconfig()
        reconfig.parameter = CmanParameter.expectedVotes.rawValue
        reconfig.value = 1
        network.inject(try bytes(.reconfig(reconfig)), from: Self.stranger, to: 0)
        #expect(network.nodes[0].quorum.expectedVotes == 1)
        // Votes of nobody, which crash the original.
        reconfig.parameter = CmanParameter.nodeVotes.rawValue
        let before = Standing(network.nodes[0])
        network.inject(try bytes(.reconfig(reconfig), sequence: 50_001), from: Self.stranger, to: 0)
        #expect(Standing(network.nodes[0]) == before)
    }

    /// 5: lists of nodes whose lengths and counts lead out of the packet. The master is a member, so it is acknowledged all the same.
    @Test(arguments: [[255], [4, 97], [1, 97, 2, 255, 255], [1, 97, 2, 1, 0, 2, 0]] as [[UInt8]])
    func aListOfNodesThatLeadsOutOfThePacket(_ entry: [UInt8]) throws {
        let network = try cluster()
        for body in [CmanBody.masterView(CmanNodeList()), .joinConf(CmanNodeList())] {
            let list = try bytes(body, sequence: 50_000 + UInt16(network.log.count), from: network.nodes[1].id) + entry
            let answers = probe(network, list, from: network.addresses[1], reported: isMalformed)
            #expect(answers.map(\.body.name.description) == ["ack"])
        }
    }

    /// 6: names as long as they may be.
    @Test func namesOf254Bytes() throws {
        let network = TestNetwork(4) { index, configuration in
            configuration.nodeName = "\(index)" + String(repeating: "n", count: 253)
        }
        #expect(network.formCluster(), "\(network.description)")
    }

    private func request(_ name: String, at address: Endpoint = stranger) -> CmanJoinRequest {
        var request = CmanJoinRequest()
        request.votes = 1
        request.major = CmanJoinRequest.majorVersion
        request.configVersion = 1
        request.addressLength = UInt32(CmanSocketAddress.ipv4Length)
        request.clusterName = Array("alpha".utf8)
        request.nodeName = Array(name.utf8)
        request.addresses = [CmanSocketAddress(address)]
        return request
    }

    /// 7: the name has no end in the packet.
    @Test func aJoinRequestWhoseNameDoesNotEnd() throws {
        let network = try cluster()
        let datagram = try bytes(.joinReq(request("mallory")), flags: .noAck)
        probe(network, Array(datagram.dropLast()), reported: isMalformed)
    }

    /// 8: a request in the name of a node that is joining already (bug B14). The cluster gets rid of it.
    @Test func aJoinRequestOfANodeThatIsJoining() throws {
        let network = try cluster()
        let datagram = try bytes(.joinReq(request("mallory")), flags: .noAck)
        network.inject(datagram, from: Self.stranger, to: 0)
        #expect(network.nodes[0].state == .master)
        for target in 0..<3 { network.inject(datagram, from: Self.stranger, to: target) }
        network.run(.seconds(60))
        #expect(network.agree([0, 1, 2]), "\(network.description)")
    }

    /// Probe A23: a request that lists another address than it comes from. Members would drop all that its sender says.
    @Test func aJoinRequestFromNoneOfItsAddresses() throws {
        let network = try cluster()
        let other = Endpoint(IPAddress(ipv4: 0x0A00_0033), 6809)
        let datagram = try bytes(.joinReq(request("mallory", at: other)), flags: .noAck)
        let answers = probe(network, datagram, reported: isUnexpected)
        guard case .joinAck(let answer)? = answers.first?.body else { throw Unanswered() }
        #expect(answer.type == CmanJoinAnswer.nak.rawValue)
    }

    struct Unanswered: Error {}

    /// 9: the opinion of somebody whom nobody asked, under the largest id there is.
    @Test func anOpinionOfNobody() throws {
        let network = try cluster()
        var opinion = CmanViewAck()
        opinion.opinion = 0
        let victim = network.nodes[2].id
        network.with(0) { node, now, effects in node.kill(node: victim, at: now, into: &effects) }
        try #require(network.nodes[0].state == .master)
        for id in [0, 77, 4096, UInt32(Int32.max), UInt32(bitPattern: -1)] as [UInt32] {
            network.inject(try bytes(.viewAck(opinion), from: id, flags: .noAck), from: Self.stranger, to: 0)
        }
        #expect(network.run(until: { $0.agree([0, 1]) }, atMost: .seconds(30)), "\(network.description)")
    }

    /// 10: STARTTRANS and NOMINATE whose addresses and name lead out of the packet.
    @Test(arguments: [1, 300, 65_535] as [UInt16]) func aTransitionWithAddressesThatAreNotThere(_ count: UInt16) throws {
        let network = try cluster()
        var start = CmanTransitionStart()
        start.reason = CmanTransitionReason.removeNode.rawValue
        start.generation = network.nodes[0].generation + 1
        for body in [CmanBody.startTrans(start), .nominate(start)] {
            var datagram = try bytes(body, sequence: 50_000 + UInt16(network.log.count), from: network.nodes[1].id)
            datagram[CmanHeader.size + 16] = UInt8(truncatingIfNeeded: count)
            datagram[CmanHeader.size + 17] = UInt8(truncatingIfNeeded: count >> 8)
            probe(network, datagram, from: network.addresses[1], reported: isMalformed)
        }
    }

    /// Probes A7 and A15, and a stray NOMINATE, which the original obeys in any state.
    @Test func aTransitionThatAStrangerStarts() throws {
        let network = try cluster()
        var start = CmanTransitionStart()
        start.reason = CmanTransitionReason.check.rawValue
        start.generation = 1000
        for body in [CmanBody.startTrans(start), .nominate(start), .kill, .leave(CmanLeave())] {
            probe(network, try bytes(body, sequence: 50_000 + UInt16(network.log.count)), reported: isStranger)
        }
    }

    @Test func aNominationBeforeMembership() throws {
        let network = TestNetwork(1)
        network.join(0)
        var start = CmanTransitionStart()
        start.reason = CmanTransitionReason.check.rawValue
        network.inject(try bytes(.nominate(start), flags: .noAck), from: Self.stranger, to: 0)
        #expect(network.nodes[0].state == .starting)
        #expect(network.events[0].contains { if case .refused(.unexpected) = $0 { true } else { false } })
    }

    /// 11: a level that does not exist. The question is answered, or its sender would wait for ever.
    @Test func aServiceGroupOfALevelThatDoesNotExist() throws {
        let network = try cluster()
        var message = CmanServiceManagerMessage()
        message.type = CmanMessageKind.joinRequest.command
        message.level = 200
        message.data = Array("default".utf8)
        let before = network.nodes.map(Standing.init)
        network.inject(try bytes(.serviceManager(message), port: 2, from: network.nodes[1].id), from: network.addresses[1], to: 0)
        let answers = network.log.compactMap { entry -> CmanServiceManagerMessage? in
            if case .serviceManager(let answer) = entry.packet.body { answer } else { nil }
        }
        #expect(answers.map(\.status) == [CmanServiceStatus.negative.rawValue])
        #expect(network.nodes.map(Standing.init) == before)
    }

    /// 12: data that leads out of the packet, and 13 and the rest: a member of no group has no part in what groups do. All of it is
    /// acknowledged, for its sender must not take this node for dead.
    @Test(arguments: 3...12 as ClosedRange<UInt8>) func messagesOfServiceGroups(_ type: UInt8) throws {
        let network = try cluster()
        var message = CmanServiceManagerMessage()
        message.type = type
        message.globalID = 0x0100_0003
        if type == 3 { message.memberCount = 3 }
        var datagram = try bytes(.serviceManager(message), port: 2, from: network.nodes[1].id, to: network.nodes[0].id, flags: [])
        var answers = probe(network, datagram, from: network.addresses[1], reported: isUnexpected)
        #expect(answers.map(\.body.name.description) == ["ack"])
        datagram[2] += 1
        datagram[CmanHeader.size + 14] = 200
        datagram[CmanHeader.size] = CmanMessageKind.joinRequest.command
        answers = probe(network, datagram, from: network.addresses[1], reported: isUnexpected)
        #expect(answers.map(\.body.name.description) == ["ack"])
    }

    /// 16: a packet with source id 0 before the command to join.
    @Test func aPacketBeforeTheCommandToJoin() throws {
        let network = TestNetwork(1)
        network.inject(try bytes(.hello(CmanHello()), flags: .noAck), from: Self.stranger, to: 0)
        network.inject(try bytes(.kill), from: Self.stranger, to: 0)
        #expect(network.nodes[0].state == .idle)
        #expect(network.log.isEmpty)
    }

    /// 17, and probe A14 (JOINREJ, TRANSITION): no version acts upon them. Their sender is told that they came.
    @Test(arguments: [(0, 9), (0, 200), (1, 11), (1, 14), (1, 99)] as [(UInt8, UInt8)])
    func commandsThatNobodyKnows(_ port: UInt8, _ command: UInt8) throws {
        let network = try cluster()
        var datagram = try bytes(.kill, port: port, from: network.nodes[1].id)
        datagram[CmanHeader.size] = command
        let answers = probe(network, datagram, from: network.addresses[1], reported: isUnexpected)
        #expect(answers.map(\.body.name.description) == ["ack"])
    }

    /// 18, and probe A1.
    @Test func aPacketOfAnotherCluster() throws {
        let network = try cluster()
        let datagram = try bytes(.kill, from: network.nodes[1].id, cluster: "beta")
        #expect(probe(network, datagram, from: network.addresses[1], reported: isForeign).isEmpty)
    }

    /// 19, and probes A4 and A5: another address, and another port of the right one.
    @Test(arguments: [stranger, Endpoint(IPAddress(ipv4: 0x0A00_0002), 7000)]) func aMemberSpeaksFromAnotherAddress(_ source: Endpoint)
        throws
    {
        let network = try cluster()
        #expect(probe(network, try bytes(.kill, from: network.nodes[1].id), from: source, reported: isWrongAddress).isEmpty)
    }

    /// Probe A10: what is for another node is not acknowledged.
    @Test func aMessageForAnotherNode() throws {
        let network = try cluster()
        let datagram = try bytes(.kill, from: network.nodes[1].id, to: network.nodes[2].id, flags: [])
        let before = Standing(network.nodes[0])
        network.inject(datagram, from: network.addresses[1], to: 0)
        #expect(network.log.isEmpty)
        #expect(Standing(network.nodes[0]) == before)
    }

    /// Probes A8, A11 and A12: an answer to a stranger would never be acknowledged, and hold up everything else (bug B12).
    @Test func aStrangerAsksForAListener() throws {
        let network = try cluster()
        var query = CmanListenQuery()
        query.port = 11
        let answers = probe(network, try bytes(.listenReq(query), port: 0, flags: .replyExpected), reported: isStranger)
        #expect(answers.map(\.body.name.description) == ["ack"])
        #expect(network.outstandingSequence(of: 0) == nil)
    }

    /// 20: who is left alone has nobody to tell.
    @Test func whoIsAloneLeavesWithoutAWord() throws {
        let network = try cluster()
        for index in [1, 2] {
            network.with(index) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
            try #require(
                network.run(until: { $0.nodes[0].members.filter { $0.state == .member }.count == 3 - index }, atMost: .seconds(30))
            )
            network.run(.seconds(2))
        }
        network.log.removeAll()
        network.with(0) { node, now, effects in node.leave(removed: false, at: now, into: &effects) }
        #expect(network.nodes[0].state == .left)
        #expect(network.log.isEmpty)
    }
}
