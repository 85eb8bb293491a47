import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// A node under test, and what the other members of its cluster say to it.
struct ScriptedPeers {
    static let own = Endpoint(IPAddress(ipv4: 0x0A00_0064), 6809)

    var node: CmanNode
    var effects = CmanEffects()
    var now = Instant.zero
    var sequences: [UInt32: UInt16] = [:]
    /// Names and ids of the others; the last is dead.
    let others: [CmanNodeEntry]

    init(nameLength: Int, count: Int = 32) throws {
        var configuration = CmanConfiguration(
            clusterName: "alpha",
            nodeName: "own".padding(to: nameLength),
            addresses: [Self.own]
        )
        configuration.mayFormCluster = false
        configuration.wantedNodeID = 100
        configuration.expectedVotes = UInt32(count)
        node = CmanNode(configuration: configuration, seed: 1)
        others = (1...count).map { number in
            var entry = CmanNodeEntry()
            entry.name = Array("node\(number)".padding(to: nameLength).utf8)
            entry.state = number == count ? 3 : 2
            entry.addresses = [CmanSocketAddress(Self.address(UInt32(number)))]
            entry.votes = 1
            entry.expectedVotes = UInt32(count)
            entry.nodeID = UInt32(number)
            return entry
        }
        node.join(at: now, into: &effects)
        var hello = CmanHello()
        hello.members = UInt16(count - 1)
        hello.generation = 60
        try say(.hello(hello), from: 1, flags: [.noAck, .multicast])
        var answer = CmanJoinAck()
        answer.type = CmanJoinAnswer.ok.rawValue
        try say(.joinAck(answer), from: 1, flags: .noAck)
    }

    static func address(_ id: UInt32) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A00_0000 + id), 6809) }

    /// Hands a message of node `id` to the node under test and returns what it sends. `sequence` counts on unless it is given.
    @discardableResult
    mutating func say(
        _ body: CmanBody,
        from id: UInt32,
        flags: CmanFlags = .multicast,
        sequence: UInt16? = nil,
        port: UInt8 = CmanPort.membership,
        acknowledging: UInt16 = 0
    ) throws -> [CmanPacket] {
        var packet = CmanPacket()
        packet.header.targetPort = port
        packet.header.sourcePort = port
        sequences[id, default: 0] += sequence == nil ? 1 : 0
        packet.header.sequence = sequence ?? sequences[id, default: 0]
        packet.header.acknowledgement = acknowledging
        packet.header.cluster = cmanClusterNumber("alpha".utf8)
        packet.header.flags = flags
        packet.header.sourceID = Int32(bitPattern: id)
        packet.body = body
        let bytes = try packet.bytes()
        effects.removeAll()
        now = now + .milliseconds(1)
        bytes.withUnsafeBytes {
            node.receive($0, from: Self.address(id), arrival: Arrival(viaGroup: true), at: now, into: &effects)
        }
        return sent()
    }

    func sent() -> [CmanPacket] {
        effects.effects.compactMap { effect in
            guard case .transmit(let range, _) = effect else { return nil }
            return effects.bytes(range).withUnsafeBytes { try? CmanPacket(reading: $0) }
        }
    }

    /// The list in packets of at most `limit` bytes, as the original cuts it.
    func parts(limit: Int = 1480) -> [CmanNodeList] {
        var lists: [CmanNodeList] = [CmanNodeList()]
        var length = 2
        for entry in others {
            if length + entry.length > limit {
                lists.append(CmanNodeList())
                length = 2
            }
            lists[lists.count - 1].entries.append(entry)
            length += entry.length
        }
        lists[0].sequenceFlags |= CmanNodeList.firstFlag
        lists[lists.count - 1].sequenceFlags |= CmanNodeList.lastFlag
        return lists
    }

    /// Lets the node in, with the parts of JOINCONF in the given order. Returns whether it confirmed.
    @discardableResult
    mutating func confirm(_ order: [Int]? = nil) throws -> Bool {
        let parts = parts()
        let base = sequences[1, default: 0]
        var isConfirmed = false
        for index in order ?? Array(parts.indices) {
            let answers = try say(.joinConf(parts[index]), from: 1, flags: .noAck, sequence: base + 1 + UInt16(index))
            isConfirmed = isConfirmed || answers.contains { if case .confAck = $0.body { true } else { false } }
        }
        sequences[1] = base + UInt16(parts.count)
        return isConfirmed
    }

    /// ENDTRANS, and the barrier with all others.
    mutating func finish(generation: UInt32) throws {
        var end = CmanEndTrans()
        end.quorum = 17
        end.totalVotes = 32
        end.generation = generation
        end.newNodeID = node.id == 0 ? 100 : 0
        try say(.endTrans(end), from: 1)
        var barrier = CmanBarrierMessage()
        barrier.name = Array("TRANSITION.\(generation)".utf8)
        for phase in [CmanBarrierPhase.wait, .complete] {
            barrier.phase = phase.rawValue
            for id in node.members.filter({ $0.state == .member && $0.id != node.id }).map(\.id) {
                try say(.barrier(barrier), from: id, port: CmanPort.protocol, acknowledging: node.outstandingSequence ?? 0)
            }
            while let sequence = node.outstandingSequence {
                for id in node.members.filter({ $0.state == .member && $0.id != node.id }).map(\.id) {
                    try say(.ack(CmanAck()), from: id, flags: .noAck, sequence: 0, port: CmanPort.protocol, acknowledging: sequence)
                }
            }
        }
    }

    /// Everybody acknowledges what is outstanding, until nothing is. Returns what the node sent meanwhile.
    mutating func acknowledgeAll() throws -> [CmanPacket] {
        var sent: [CmanPacket] = []
        while let sequence = node.outstandingSequence {
            for id in living {
                sent += try say(.ack(CmanAck()), from: id, flags: .noAck, sequence: 0, port: CmanPort.protocol, acknowledging: sequence)
            }
        }
        return sent
    }

    /// The other members.
    var living: [UInt32] { node.members.filter { $0.state == .member && $0.id != node.id }.map(\.id) }

    /// Lets time pass until the next timer, and returns what the node sends.
    mutating func wait() -> [CmanPacket] {
        guard let deadline = node.nextDeadline else { return [] }
        now = max(now, deadline)
        effects.removeAll()
        node.advance(to: now, into: &effects)
        return sent()
    }
}

extension String {
    func padding(to length: Int) -> String { self + String(repeating: "x", count: max(0, length - utf8.count)) }
}
