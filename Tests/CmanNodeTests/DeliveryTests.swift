import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

@Suite struct Delivery {
    /// A network of `count` members.
    private func cluster(_ count: Int, seed: UInt64 = 1, _ configure: (Int, inout CmanConfiguration) -> Void = { _, _ in }) throws
        -> TestNetwork
    {
        let network = TestNetwork(count, seed: seed, configure: configure)
        try #require(network.formCluster(), "seed \(seed): \(network.description)")
        network.run(.milliseconds(100))
        network.log.removeAll()
        return network
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func messagesArriveOnceAndInOrderThoughPacketsAreLost(_ seed: UInt64) throws {
        // With the defaults four losses in a row are a death; here they are not what is looked at.
        let network = try cluster(4, seed: seed) { _, configuration in
            configuration.timers.maxRetries = 30
            configuration.timers.deadNode = .seconds(1000)
        }
        var random = RandomSource(seed: seed)
        network.isLost = { _, _, _ in random.next() % 100 < 15 }
        for number in 0..<50 {
            for sender in 0..<4 { _ = try network.send("\(sender).\(number)", from: sender) }
        }
        _ = try network.send("to 3", from: 0, to: network.nodes[2].id)
        let isDone = network.run(
            until: { network in network.received.allSatisfy { $0.count >= 150 } && network.received[2].count == 151 },
            atMost: .seconds(600)
        )
        #expect(isDone, "seed \(seed): \(network.received.map(\.count)) \(network.description)")
        for receiver in 0..<4 {
            for sender in 0..<4 where sender != receiver {
                let texts = network.received[receiver].map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("\(sender).") }
                #expect(texts == (0..<50).map { "\(sender).\($0)" }, "seed \(seed)")
            }
        }
    }

    @Test func oneMessageIsOutstandingAtATime() throws {
        let network = try cluster(3)
        for number in 0..<5 { _ = try network.send("\(number)", from: 0) }
        let data = { (network: TestNetwork) in network.log.filter { if case .data = $0.packet.body { $0.node == 0 } else { false } }.count }
        #expect(data(network) == 1)
        _ = network.run(until: { $0.received[1].count == 5 }, atMost: .seconds(2))
        #expect(data(network) == 5)
    }

    /// A header that comes late would count for a later message with the original.
    @Test func whatAnACKHasAcknowledgedIsNotAcknowledgedAgain() throws {
        let network = try cluster(2)
        _ = try network.send("question", from: 0)
        network.run(.milliseconds(100))
        _ = try network.send("answer", from: 1, to: network.nodes[0].id)
        network.run(.milliseconds(100))
        #expect(network.received[0].last == Array("answer".utf8))
        #expect(network.log.contains { if case .ack = $0.packet.body { $0.node == 1 } else { false } })
        let answer = try #require(network.log.last { if case .data = $0.packet.body { $0.node == 1 } else { false } })
        #expect(answer.packet.header.acknowledgement == 0)
    }

    /// A proxy of a bridge that crashed knows the last messages of its earlier life, and acknowledged them then.
    @Test func whatAnEarlierLifeAcknowledgedIsNotAcknowledgedAgain() throws {
        let network = TestNetwork(2)
        network.join(0)
        try #require(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        let native = network.nodes[0].id
        network.nodes[1].restoreLastReliableSequences([native: 4711])
        network.join(1)
        // From JOINCONF on it knows the native, which has sent it nothing reliable yet.
        try #require(network.run(until: { $0.nodes[1].state == .transition }, atMost: .seconds(60)))
        #expect(network.nodes[1].lastReliableSequence(of: native) == 4711)
        network.with(1) { node, now, effects in node.kill(node: native, at: now, into: &effects) }
        let kill = try #require(network.log.last { if case .kill = $0.packet.body { true } else { false } })
        #expect(kill.packet.header.acknowledgement == 0)
    }

    @Test func aHeldMessageIsAcknowledgedWhenToldAndReportedOnce() throws {
        let network = try cluster(2) { index, configuration in
            if index == 1 { configuration.heldPorts = [11] }
        }
        let tag = try network.send("held", from: 0)
        network.run(.milliseconds(2500))
        #expect(network.received[1] == [Array("held".utf8)])
        #expect(!network.log.contains { $0.node == 1 && $0.packet.header.acknowledgement != 0 })
        // A held message is not done with: after a restart it has to come again.
        #expect(network.nodes[1].lastReliableSequence(of: network.nodes[0].id) != network.outstandingSequence(of: 0))
        // Neither does a message to the sender acknowledge it in passing.
        _ = try network.send("other", from: 1, to: network.nodes[0].id)
        network.run(.milliseconds(100))
        #expect(!network.events[0].contains { if case .sent(tag) = $0 { true } else { false } })
        let held = network.events[1].compactMap { event -> CmanTag? in
            if case .message(let message) = event { message.heldAcknowledgement } else { nil }
        }
        try #require(held.count == 1)
        let sequence = network.outstandingSequence(of: 0)
        network.with(1) { node, now, effects in node.acknowledge(held[0], at: now, into: &effects) }
        #expect(network.nodes[1].lastReliableSequence(of: network.nodes[0].id) == sequence)
        network.run(.milliseconds(100))
        #expect(network.events[0].contains { if case .sent(tag) = $0 { true } else { false } })
        #expect(network.agree([0, 1]))
    }

    @Test func whoNeverAcknowledgesIsDeclaredDead() throws {
        let network = try cluster(3) { index, configuration in
            if index == 1 { configuration.heldPorts = [11] }
        }
        _ = try network.send("held", from: 0)
        network.run(.milliseconds(3900))
        #expect(network.nodes[0].members.filter { $0.state == .member }.count == 3)
        network.run(.milliseconds(200))
        #expect(network.nodes[0].members.filter { $0.state == .member }.count == 2)
    }

    /// The question whether a silent node lives finds no room, because a held message blocks the way; it is asked again when there is
    /// room, and its acknowledgement keeps the node alive.
    @Test func aQuestionThatFindsNoRoomIsAskedAgain() throws {
        let network = try cluster(2) { index, configuration in
            configuration.timers.queueLimit = 1
            configuration.timers.maxRetries = 4
            configuration.listeningPorts = [5, 11]
            if index == 1 { configuration.heldPorts = [11] }
        }
        network.run(.seconds(20))
        // Only HELLOs of the second node are lost.
        network.isLost = { from, _, packet in
            if from == 1, case .hello = packet.body { packet.header.flags.contains(.noAck) } else { false }
        }
        let silence = network.now
        let questions = { (network: TestNetwork) in
            network.log.filter { entry in
                if entry.node == 0, case .hello = entry.packet.body { !entry.packet.header.flags.contains(.noAck) } else { false }
            }.count
        }
        // The first question is due when the last HELLO is 21 - 10 s old.
        network.run(.milliseconds(11_500))
        _ = try network.send("held", from: 0)
        _ = try network.send("fills the queue", from: 0, port: 5)
        let isFull = { (network: TestNetwork) in
            network.events[0].contains { if case .refused(.unexpected("queue", _, _)) = $0 { true } else { false } }
        }
        try #require(network.run(until: isFull, atMost: .milliseconds(4500)))
        #expect(questions(network) == 0)
        let tags = network.events[1].compactMap { if case .message(let message) = $0 { message.heldAcknowledgement } else { nil } }
        network.with(1) { node, now, effects in node.acknowledge(tags[0], at: now, into: &effects) }
        network.run(.seconds(30))
        #expect(network.now - silence > .seconds(40))
        #expect(questions(network) > 0)
        #expect(network.agree([0, 1]), "\(network.description)")
    }

    @Test func portsAboveNineWaitForQuorum() throws {
        let network = TestNetwork(2) { _, configuration in configuration.listeningPorts = [5, 11] }
        network.join(0)
        try #require(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        let blocked = try network.send("later", from: 0, port: 11)
        let free = try network.send("now", from: 0, port: 5)
        let wasSent = { (tag: CmanTag) in network.events[0].contains { if case .sent(tag) = $0 { true } else { false } } }
        #expect(wasSent(free) && !wasSent(blocked))
        network.join(1)
        try #require(network.run(until: { $0.agree([0, 1]) }, atMost: .seconds(60)))
        network.run(.seconds(1))
        #expect(wasSent(blocked))
        #expect(network.received[1] == [Array("later".utf8)])
    }

    @Test func theQueueIsBounded() throws {
        let network = TestNetwork(1) { _, configuration in
            configuration.timers.queueLimit = 3
            configuration.expectedVotes = 3
        }
        network.join(0)
        try #require(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        for _ in 0..<3 { _ = try network.send("x", from: 0) }
        #expect(throws: CmanSendError.queueFull) { try network.send("x", from: 0) }
        #expect(throws: CmanSendError.noSuchNode(9)) { try network.send("x", from: 0, to: 9) }
        #expect(throws: CmanSendError.reservedPort(1)) { try network.send("x", from: 0, port: 1) }
        #expect(throws: CmanSendError.tooLarge(1481)) { try network.send(String(repeating: "x", count: 1481), from: 0) }
    }

    @Test func listenersAreProbedAndClosingIsTold() throws {
        let network = try cluster(2)
        let node = network.nodes[1].id
        for port in [UInt8(11), 12] {
            network.with(0) { engine, now, effects in engine.probeListener(node: node, port: port, at: now, into: &effects) }
        }
        network.run(.milliseconds(100))
        let answers = network.events[0].compactMap { if case .listener(node, let port, let answer) = $0 { (port, answer) } else { nil } }
        #expect(answers.map(\.0) == [11, 12])
        #expect(answers.map(\.1) == [true, false])
        network.with(1) { engine, now, effects in engine.closePort(11, at: now, into: &effects) }
        network.run(.milliseconds(100))
        #expect(network.events[0].contains { if case .portClosed(node, 11) = $0 { true } else { false } })
    }

    @Test func programsMeetAtABarrier() throws {
        let network = try cluster(3)
        for index in 0..<3 {
            network.run(.milliseconds(10))
            network.with(index) { node, now, effects in
                node.enterBarrier(name: "ready", count: 3, timeout: .seconds(5), at: now, into: &effects)
            }
        }
        network.run(.milliseconds(100))
        for index in 0..<3 {
            #expect(network.events[index].contains { if case .barrier("ready", .completed) = $0 { true } else { false } })
        }
        network.with(0) { node, now, effects in node.enterBarrier(name: "alone", count: 2, timeout: .seconds(5), at: now, into: &effects) }
        network.run(.seconds(6))
        #expect(network.events[0].contains { if case .barrier("alone", .timedOut) = $0 { true } else { false } })
    }

    @Test func joinRequestsOfServiceGroupsAreAnswered() throws {
        let network = try cluster(2)
        var packet = CmanPacket()
        packet.header.targetPort = 2
        packet.header.sourcePort = 2
        packet.header.sequence = 60_000
        packet.header.cluster = cmanClusterNumber("alpha".utf8)
        packet.header.flags = .multicast
        packet.header.sourceID = Int32(network.nodes[0].id)
        var request = CmanServiceManagerMessage()
        request.type = 1
        request.eventID = 9
        request.globalID = 0x0100_0007
        request.data = Array("default".utf8)
        packet.body = .serviceManager(request)
        network.inject(try packet.bytes(), from: network.addresses[0], to: 1)
        let answers = network.log.compactMap { entry -> CmanServiceManagerMessage? in
            if case .serviceManager(let message) = entry.packet.body, entry.node == 1 { message } else { nil }
        }
        try #require(answers.count == 1)
        #expect(answers[0].kind == .joinReply)
        #expect(answers[0].status == 2)
        #expect(answers[0].eventID == 9)
        #expect(answers[0].lastID == 8)
    }

    /// What captures 13c and 13d show to end a cluster of daemons.
    @Test func strangersAreRefused() throws {
        let network = try cluster(3)
        let stranger = Endpoint(IPAddress(ipv4: 0x0A00_0032), 6809)
        var down = CmanNodeDown()
        down.nodeID = network.nodes[1].id
        down.reason = 6
        var votes = CmanReconfig()
        votes.parameter = 2
        votes.value = 4
        for (number, body) in [CmanBody.nodeDown(down), .reconfig(votes), .kill, .leave(CmanLeave())].enumerated() {
            var packet = CmanPacket()
            packet.header.targetPort = 1
            packet.header.sourcePort = 1
            packet.header.sequence = UInt16(200 + number)
            packet.header.cluster = cmanClusterNumber("alpha".utf8)
            packet.header.flags = .multicast
            packet.body = body
            for target in 0..<3 { network.inject(try packet.bytes(), from: stranger, to: target) }
            // The same in the name of a member, from an address that is not its own.
            packet.header.sourceID = Int32(network.nodes[0].id)
            for target in 1..<3 { network.inject(try packet.bytes(), from: stranger, to: target) }
        }
        network.run(.seconds(60))
        #expect(network.agree([0, 1, 2]), "\(network.description)")
        #expect(network.events[1].contains { if case .refused(.stranger) = $0 { true } else { false } })
        #expect(network.events[1].contains { if case .refused(.wrongAddress) = $0 { true } else { false } })
    }

    @Test func aHelloWithoutIDHarmsNobody() throws {
        let network = try cluster(3)
        var packet = CmanPacket()
        packet.header.targetPort = 1
        packet.header.sourcePort = 1
        packet.header.sequence = 300
        packet.header.cluster = cmanClusterNumber("alpha".utf8)
        packet.header.flags = [.multicast, .noAck, .allInterfaces]
        var hello = CmanHello()
        hello.members = 1
        packet.body = .hello(hello)
        for target in [0, 2] { network.inject(try packet.bytes(), from: network.addresses[1], to: target) }
        network.run(.seconds(60))
        #expect(network.agree([0, 1, 2]), "\(network.description)")
        #expect(!network.log.contains { if case .kill = $0.packet.body { true } else { false } })
    }

    /// Anything at all, from members and strangers: nothing crashes, and who is still a member works.
    @Test(arguments: [1, 2, 3] as [UInt64]) func randomPacketsNeverCrash(_ seed: UInt64) throws {
        let network = try cluster(3, seed: seed)
        var random = RandomSource(seed: seed)
        for _ in 0..<3000 {
            var packet = CmanPacket()
            packet.header.targetPort = UInt8(random.next() % 3)
            packet.header.sequence = UInt16(random.next() % 50)
            packet.header.acknowledgement = UInt16(random.next() % 50)
            packet.header.cluster = cmanClusterNumber("alpha".utf8)
            packet.header.flags = CmanFlags(rawValue: UInt32(truncatingIfNeeded: random.next()) & 0x3F_0000)
            packet.header.sourceID = Int32(random.next() % 5)
            packet.header.targetID = Int32(random.next() % 4)
            var bytes = try packet.bytes()
            bytes.append(UInt8(random.next() % 20))
            for _ in 0..<(random.next() % 70) { bytes.append(UInt8(truncatingIfNeeded: random.next() % 7)) }
            let source = random.next() % 4
            let target = Int(random.next() % 3)
            let address = source < 3 ? network.addresses[Int(source)] : Endpoint(IPAddress(ipv4: 0x0A00_0032), 6809)
            guard address != network.addresses[target] else { continue }
            network.inject(bytes, from: address, to: target)
            network.run(.milliseconds(Int64(random.next() % 50)))
        }
        network.run(.seconds(200))
        let stuck = network.nodes.filter { $0.isInTransition }
        #expect(stuck.isEmpty, "seed \(seed): \(network.description)")
    }
}
