import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

/// Lists of nodes in several packets (reference/cman-wire.md 4.1): entries are never cut, bit 0 marks the first packet and bit 1 the last,
/// only the last MASTERVIEW expects a reply. One node under test; the 31 others are written by hand.
@Suite struct SplitViews {
    /// 32 nodes fill 2 packets with names of 40 bytes, 4 with those of capture 14, and one packet each four at the longest.
    @Test(arguments: [(40, 2), (109, 4), (254, 7)]) func aJoinerTakesAListInParts(_ nameLength: Int, _ count: Int) throws {
        var bench = try ScriptedPeers(nameLength: nameLength)
        #expect(bench.parts().count == count)
        #expect(try bench.confirm())
        #expect(bench.node.members.count == 33)
        try bench.finish(generation: 62)
        #expect(bench.node.state == .member)
        #expect(bench.node.id == 100)
    }

    /// Parts that overtake each other and come twice are put in order.
    @Test(arguments: [[3, 2, 1, 0], [1, 0, 3, 2], [0, 0, 1, 1, 2, 3], [3, 0, 1, 2]]) func aJoinerPutsPartsInOrder(_ order: [Int]) throws {
        var bench = try ScriptedPeers(nameLength: 109)
        #expect(try bench.confirm(order))
        #expect(bench.node.members.count == 33)
    }

    /// A joiner that misses a part is no member; the master sends all again after 5 s, and then it is.
    @Test(arguments: 0..<4) func aJoinerThatMissesAPartWaits(_ missing: Int) throws {
        var bench = try ScriptedPeers(nameLength: 109)
        let others = (0..<4).filter { $0 != missing }
        #expect(try !bench.confirm(others))
        #expect(bench.node.state == .joinAck)
        bench.now = bench.now + .seconds(5)
        #expect(try bench.confirm())
        #expect(bench.node.members.count == 33)
    }

    private func start(_ bench: inout ScriptedPeers) throws {
        var start = CmanTransitionStart()
        start.reason = CmanTransitionReason.check.rawValue
        start.generation = 63
        start.nodeID = 1
        let answers = try bench.say(.startTrans(start), from: 1)
        #expect(answers.contains { if case .startAck = $0.body { true } else { false } })
        let sequence = try #require(bench.node.outstandingSequence)
        try bench.say(.ack(CmanAck()), from: 1, flags: .noAck, sequence: 0, port: CmanPort.protocol, acknowledging: sequence)
    }

    private func opinions(_ packets: [CmanPacket]) -> [UInt8] {
        packets.compactMap { if case .viewAck(let answer) = $0.body { answer.opinion } else { nil } }
    }

    /// The master's view, in which this node is listed too. Each part is acknowledged; copies are acknowledged again and not counted.
    private func view(_ bench: ScriptedPeers, nameLength: Int) -> [CmanNodeList] {
        var own = CmanNodeEntry()
        own.name = Array("own".padding(to: nameLength).utf8)
        own.state = 2
        own.addresses = [CmanSocketAddress(ScriptedPeers.own)]
        own.votes = 1
        own.expectedVotes = 32
        own.nodeID = 100
        var parts = bench.parts()
        parts[0].entries.removeLast()
        parts[1].entries.insert(own, at: 0)
        parts[1].entries.insert(bench.parts()[0].entries[bench.parts()[0].entries.count - 1], at: 0)
        return parts
    }

    @Test(arguments: [40, 109, 254]) func aClientComparesAllParts(_ nameLength: Int) throws {
        var bench = try ScriptedPeers(nameLength: nameLength)
        try bench.confirm()
        try bench.finish(generation: 62)
        try start(&bench)
        let parts = view(bench, nameLength: nameLength)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            let answers = try bench.say(.masterView(part), from: 1, flags: isLast ? [.multicast, .replyExpected] : .multicast)
            #expect(answers.contains { if case .ack = $0.body { true } else { false } })
            #expect(opinions(answers) == (isLast ? [1] : []))
            // The copy of a part whose acknowledgement was lost.
            let copies = try bench.say(.masterView(part), from: 1, sequence: bench.sequences[1])
            #expect(copies.map(\.body.name.description) == ["ack"])
        }
    }

    /// What differs in any part makes the answer no, and the next view, from its first part on, is judged anew.
    @Test(arguments: 0..<4) func aDifferenceInAnyPartCounts(_ wrong: Int) throws {
        var bench = try ScriptedPeers(nameLength: 109)
        try bench.confirm()
        try bench.finish(generation: 62)
        try start(&bench)
        var parts = view(bench, nameLength: 109)
        parts[wrong].entries[0].votes = 9
        var answers: [CmanPacket] = []
        for part in parts { answers += try bench.say(.masterView(part), from: 1) }
        #expect(opinions(answers) == [0])
        let sequence = try #require(bench.node.outstandingSequence)
        try bench.say(.ack(CmanAck()), from: 1, flags: .noAck, sequence: 0, port: CmanPort.protocol, acknowledging: sequence)
        answers.removeAll()
        for part in view(bench, nameLength: 109) { answers += try bench.say(.masterView(part), from: 1) }
        #expect(opinions(answers) == [1])
    }

    /// As master of 32: each part fits what a receiver reads and no part could have held the next entry; the last one alone expects a reply.
    @Test(arguments: [40, 109, 254]) func aMasterCutsItsView(_ nameLength: Int) throws {
        var bench = try ScriptedPeers(nameLength: nameLength)
        try bench.confirm()
        try bench.finish(generation: 62)
        let leaver: UInt32 = 31
        var sent = try bench.say(.leave(CmanLeave()), from: leaver, flags: .noAck)
        var view: [CmanPacket] = []
        let members = (1...30).map { UInt32($0) }
        // Everybody acknowledges whatever is out, and answers STARTTRANS.
        for _ in 0..<20 where view.last.map({ $0.body.lastFlag }) != true {
            var next: [CmanPacket] = []
            for packet in sent {
                if case .masterView = packet.body { view.append(packet) }
                guard case .startTrans(let start) = packet.body else { continue }
                var answer = CmanStartAck()
                answer.generation = start.generation
                for id in members { next += try bench.say(.startAck(answer), from: id, flags: [], acknowledging: packet.header.sequence) }
            }
            if let sequence = bench.node.outstandingSequence {
                for id in members {
                    next += try bench.say(
                        .ack(CmanAck()),
                        from: id,
                        flags: .noAck,
                        sequence: 0,
                        port: CmanPort.protocol,
                        acknowledging: sequence
                    )
                }
            }
            sent = next
        }
        let lists = view.compactMap { if case .masterView(let list) = $0.body { list } else { nil } }
        let flags = lists.map(\.sequenceFlags)
        #expect(flags == [1] + Array(repeating: 0, count: max(0, lists.count - 2)) + [2])
        #expect(view.map { $0.header.flags.contains(.replyExpected) } == flags.map { $0 == 2 })
        let sizes = lists.map { $0.entries.reduce(2) { $0 + $1.length } }
        #expect(sizes.allSatisfy { $0 <= CmanNode.maximumPayload })
        for (index, list) in lists.enumerated().dropFirst() {
            #expect(sizes[index - 1] + (list.entries.first?.length ?? 0) > CmanNode.maximumPayload)
        }
        // Everybody who was ever a member, with the two dead ones.
        #expect(Set(lists.flatMap(\.entries).map(\.nodeID)) == Set((1...32).map { UInt32($0) } + [100]))
        #expect(Set(lists.flatMap(\.entries).filter { $0.state == 3 }.map(\.nodeID)) == [31, 32])
    }
}

extension CmanBody {
    /// It is a MASTERVIEW, and the last part.
    fileprivate var lastFlag: Bool {
        if case .masterView(let list) = self { list.sequenceFlags & CmanNodeList.lastFlag != 0 } else { false }
    }
}
