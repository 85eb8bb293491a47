import CmanWire
import EngineKit
import WireFormat

/// Which message of the engine stands for which message of the recorded daemon, when the engine follows other rules: it leaves out some
/// messages and sends others, so that its numbers run differently. What the peers acknowledged is translated into its numbers.
struct CmanMessagePairing: Sendable {
    /// An acknowledgement that waits until the engine has sent what it is for.
    struct Waiting: Sendable {
        var source: Endpoint
        var bytes: [UInt8]
    }

    /// A message of the daemon, its copies not counted.
    struct Message: Sendable {
        var packet: CmanRecording.Packet
        var identity: CmanMessageIdentity
        /// Position of the engine's among what it sent.
        var pair: Int?
        /// Copies that the daemon sent.
        var copies = 0
    }

    /// What the daemon sent, acknowledgements not counted, in order.
    private(set) var messages: [Message] = []
    /// Positions of messages of the engine that stand for none of the daemon's, in order.
    private(set) var additional: [Int] = []
    /// How often the engine repeated the message with its number.
    private(set) var copies: [UInt16: Int] = [:]
    private var positions: [UInt16: Int] = [:]
    private var numbers: [UInt16: UInt16] = [:]
    private var seen: Set<UInt16> = []
    private var next = 0
    /// How far the engine's numbers are ahead of the daemon's.
    private var offset: UInt16 = 0
    private var waiting: [UInt16: [Waiting]] = [:]

    /// How far apart in time the same message may be sent; requests to join and their answers follow HELLOs, one like the other.
    private static func reach(_ identity: CmanMessageIdentity) -> Interval {
        identity.isRepeated ? CmanReplay.timeBound : .seconds(40)
    }

    init(recording: CmanRecording, sent: [Int]) {
        for position in sent {
            let packet = recording.packets[position]
            let target = recording.groups.contains(packet.destination) ? nil : packet.destination
            guard let identity = CmanMessageIdentity(packet.packet, packet.bytes, to: target) else { continue }
            if let first = positions[packet.packet.header.sequence] {
                messages[first].copies += 1
            } else {
                positions[packet.packet.header.sequence] = messages.count
                messages.append(Message(packet: packet, identity: identity))
            }
        }
    }

    /// The engine's number of what the daemon numbered `recorded`, once the engine has sent it.
    func number(of recorded: UInt16) -> UInt16? { numbers[recorded] }

    /// The number that the engine gives to what the daemon numbered `recorded` if nothing but that comes between them and the last pair.
    func expectedNumber(of recorded: UInt16) -> UInt16 { numbers[recorded] ?? recorded &+ offset }

    /// Whether the engine has not sent some message that the daemon sent before `sequence`, at `time` or later.
    func lacksMessages(before sequence: UInt16, since time: Instant) -> Bool {
        messages.contains {
            $0.packet.time >= time && $0.packet.packet.header.sequence < sequence && $0.pair == nil && !$0.identity.isHello
        }
    }

    /// Takes note of what the engine sent, as number `position`. Returns acknowledgements that came before.
    mutating func pair(_ packet: CmanReplayPlayer.Sent, at position: Int) -> [Waiting] {
        let parsed = packet.bytes.withUnsafeBytes { try? CmanPacket(reading: $0) }
        guard let parsed, let identity = CmanMessageIdentity(parsed, packet.bytes, to: packet.destination) else { return [] }
        let number = parsed.header.sequence
        guard seen.insert(number).inserted else {
            copies[number, default: 0] += 1
            return []
        }
        guard let match = match(identity, at: packet.time) else {
            additional.append(position)
            return []
        }
        messages[match].pair = position
        if !identity.isHello { next = max(next, match + 1) }
        let recorded = messages[match].packet.packet.header.sequence
        numbers[recorded] = number
        offset = number &- recorded
        var early = waiting.removeValue(forKey: recorded) ?? []
        for index in early.indices { Self.write(number, into: &early[index].bytes) }
        return early
    }

    private func match(_ identity: CmanMessageIdentity, at time: Instant) -> Int? {
        if identity.isHello {
            let near = messages.indices.filter { messages[$0].pair == nil && messages[$0].identity.isHello }
            let best = near.min { abs((messages[$0].packet.time - time).nanoseconds) < abs((messages[$1].packet.time - time).nanoseconds) }
            return best.flatMap { abs((messages[$0].packet.time - time).nanoseconds) <= CmanReplay.timeBound.nanoseconds ? $0 : nil }
        }
        return messages[next...].indices.first {
            messages[$0].pair == nil && messages[$0].identity == identity
                && abs((messages[$0].packet.time - time).nanoseconds) <= Self.reach(identity).nanoseconds
        }
    }

    /// Puts the engine's number in place of the daemon's in an acknowledgement; false when the packet is nothing else and has to wait.
    mutating func translate(_ bytes: inout [UInt8], of packet: CmanRecording.Packet) -> Bool {
        let recorded = packet.packet.header.acknowledgement
        // One that comes before the daemon has used the number is a left-over, which the daemon counts all the same (bug B7).
        guard recorded != 0, let position = positions[recorded], messages[position].packet.time <= packet.time else { return true }
        if let number = numbers[recorded] {
            Self.write(number, into: &bytes)
            return true
        }
        var acknowledgement = CmanPacket()
        acknowledgement.header.cluster = packet.packet.header.cluster
        acknowledgement.header.flags = .noAck
        acknowledgement.header.sourceID = packet.packet.header.sourceID
        acknowledgement.body = .ack(CmanAck())
        if let bytes = try? acknowledgement.bytes() { waiting[recorded, default: []].append(Waiting(source: packet.source, bytes: bytes)) }
        if case .ack = packet.packet.body { return false }
        Self.write(0, into: &bytes)
        return true
    }

    /// Byte 4 and 5 of the header (reference/cman-wire.md 2.1).
    private static func write(_ acknowledgement: UInt16, into bytes: inout [UInt8]) {
        bytes[4] = UInt8(truncatingIfNeeded: acknowledgement)
        bytes[5] = UInt8(truncatingIfNeeded: acknowledgement >> 8)
    }
}

/// What makes two messages the same one, whatever their numbers and flags are.
struct CmanMessageIdentity: Sendable, Hashable {
    private var name: String
    private var values: [Int64] = []
    private var bytes: [UInt8] = []
    private var target: Endpoint?
    /// It is a periodic HELLO.
    private(set) var isHello = false
    /// It is the same many times over.
    private(set) var isRepeated = false

    /// Nil for acknowledgements, which a thread of their own sends. `target` is nil for the group.
    init?(_ packet: CmanPacket, _ datagram: [UInt8], to target: Endpoint?) {
        name = packet.body.name.description
        switch packet.body {
        case .ack: return nil
        case .hello(let hello): isHello = hello.flags & CmanHello.masterFlag == 0 && packet.header.flags.contains(.noAck)
        case .data:
            values = [Int64(packet.header.targetPort), Int64(packet.header.targetID)]
            bytes = Array(datagram[packet.payload.range])
        case .startTrans(let start), .nominate(let start): values = [Int64(start.reason), Int64(start.generation), Int64(start.nodeID)]
        case .startAck(let answer): values = [Int64(answer.generation)]
        case .viewAck(let answer): values = [Int64(answer.opinion)]
        case .joinAck(let answer):
            values = [Int64(answer.type)]
            isRepeated = true
        case .joinReq:
            self.target = target
            isRepeated = true
        case .endTrans(let end): values = [Int64(end.generation)]
        case .nodeDown(let down): values = [Int64(down.nodeID)]
        case .barrier(let barrier):
            values = [Int64(barrier.phase)]
            bytes = barrier.name
        case .listenReq(let query), .listenResp(let query): values = [Int64(query.port), Int64(query.tag)]
        case .portClosed(let message): values = [Int64(message.port)]
        case .reconfig(let message): values = [Int64(message.parameter), Int64(message.value)]
        case .kill: values = [Int64(packet.header.targetID)]
        default: break
        }
    }
}
