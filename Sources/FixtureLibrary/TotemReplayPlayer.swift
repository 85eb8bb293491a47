import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The course of one replay.
struct TotemReplayPlayer {
    private struct Sent {
        var bytes: [UInt8]
        var destination: TotemDestination
        var time: Instant
    }

    private let events: [TotemRecording.Event]
    private let sends: TotemLocalSends
    private let tolerance: Interval
    private var node: TotemNode
    private var effects = TotemNode.Output()
    /// What the engine sent and the recording has not yet shown.
    private var waiting: [Sent] = []
    private var now: Instant
    private var nextMessage = 0
    private var packetsSent = 0
    private var previousBacklog: UInt32 = 0
    private var lastRing = RingID()
    private var lastToken: UInt32?
    private var matched = 0

    /// Nil when the recording does not tell the state in which the life begins.
    init?(
        _ life: TotemReplay.Life,
        _ events: [TotemRecording.Event],
        _ recording: TotemRecording,
        _ timers: TotemTimers,
        _ tolerance: Interval
    ) throws(WireError) {
        self.events = events
        self.tolerance = tolerance
        sends = try TotemLocalSends(of: life.node, in: events)
        guard let first = events.first?.packet.time else { return nil }
        if life.begin != nil {
            guard let join = Self.firstJoin(in: events) else { return nil }
            var configuration = TotemConfiguration(nodeID: life.node, nodes: recording.nodes)
            configuration.timers = timers
            // A processor counts 1 when it starts.
            configuration.storedRingSequence = join.ringSequence &- 1
            node = TotemNode(configuration: configuration)
            now = first
        } else {
            guard let token = Self.firstToken(in: events), let visit = Self.lastVisit(before: events, of: token, timers) else { return nil }
            let members = recording.members(of: token.ring)
            let start = TotemReplayStart(token: token, members: members, among: recording.nodes, timers: timers)
            guard let node = start.nodes[life.node] else { return nil }
            self.node = node
            now = start.visit
            origin = visit - start.visit
            skip(to: first - origin - tolerance)
        }
        node.messageCounter = sends.firstCounter ?? 0
    }

    /// Goes on to the beginning of the capture; what is sent until then was not recorded.
    private mutating func skip(to time: Instant) {
        while let deadline = node.nextDeadline, deadline < time { advance(to: deadline) }
        waiting.removeAll()
    }

    /// What lies between the capture's clock and the engine's.
    private var origin = Interval.zero

    private static func firstJoin(in events: [TotemRecording.Event]) -> MemberJoin<Corosync3>? {
        for case .sent(let packet) in events { if case .join(let join) = packet.message { return join } }
        return nil
    }

    private static func firstToken(in events: [TotemRecording.Event]) -> OrfToken<Corosync3>? {
        for event in events { if case .token(let token) = event.packet.message { return token } }
        return nil
    }

    /// When the representative had the token last before the capture begins: an idle ring's merge detects and tokens tell.
    private static func lastVisit(
        before events: [TotemRecording.Event],
        of token: OrfToken<Corosync3>,
        _ timers: TotemTimers
    ) -> Instant? {
        for event in events {
            switch event.packet.message {
            case .mergeDetect: return event.packet.time - timers.merge
            case .token: return event.packet.time - timers.hold
            case .holdCancel: return event.packet.time - timers.hold / 2
            default: return nil
            }
        }
        return nil
    }

    mutating func run() -> TotemReplay.Outcome {
        for (index, event) in events.enumerated() {
            let time = max(now, Instant(nanoseconds: event.packet.time.nanoseconds - origin.nanoseconds))
            catchUp(to: time)
            switch event {
            case .received(let packet):
                if waiting.isEmpty, let deadline = node.nextDeadline, deadline <= time, timerGoesFirst(before: index) {
                    advance(to: deadline)
                }
                if let extra = waiting.first, extra.time + tolerance < time { return tooMuch(extra, packet) }
                receive(packet, at: time)
            case .sent(let packet):
                if let difference = expect(packet, at: time) {
                    return .different(frame: packet.frame, packets: matched, difference)
                }
                matched += 1
            }
        }
        return .equal(packets: matched)
    }

    /// Whether the daemon let a timer run out, and sent what that brings, before it took the packet that had just come.
    private func timerGoesFirst(before index: Int) -> Bool {
        let begin = events[index].packet.time
        for case .sent(let packet) in events[index...] {
            let isTimed = packet.message.kind == .join || packet.message.kind == .mergeDetect
            return isTimed && packet.time - begin < .microseconds(200)
        }
        return false
    }

    private func tooMuch(_ extra: Sent, _ packet: TotemRecording.Packet) -> TotemReplay.Outcome {
        let kind = extra.bytes.withUnsafeBytes { (try? TotemPacket<Corosync3>.identify($0))?.0.name.description }
        let difference = TotemPacketDifference(field: "message", recorded: "nothing", replayed: kind ?? "unreadable")
        return .different(frame: packet.frame, packets: matched, difference)
    }

    /// Lets timers run out that are late by more than the tolerance; a token to oneself has no tolerance.
    private mutating func catchUp(to time: Instant) {
        while let deadline = node.nextDeadline, deadline + tolerance < time || node.isPassingTokenToItself && deadline <= time {
            advance(to: deadline)
        }
        now = time
    }

    private mutating func advance(to time: Instant) {
        now = max(now, time)
        node.advance(to: now, into: &effects)
        collect()
    }

    private mutating func receive(_ packet: TotemRecording.Packet, at time: Instant) {
        if case .token(let token) = packet.message { giveMessages(for: token) }
        packet.bytes.withUnsafeBytes {
            node.receive($0, from: packet.source, arrival: Arrival(viaGroup: packet.target == nil), at: time, into: &effects)
        }
        collect()
    }

    /// Gives the engine what the daemon's services and clients had given when it handled `token`.
    private mutating func giveMessages(for token: OrfToken<Corosync3>) {
        guard node.ring.wire == token.ring, lastToken != token.tokenSequence || lastRing != token.ring else { return }
        lastToken = token.tokenSequence
        lastRing = token.ring
        if node.state != .operational { previousBacklog = 0 }
        guard node.state == .operational,
            let known = sends.packetsKnown(at: token, previousBacklog: previousBacklog, sentSoFar: packetsSent)
        else { return }
        previousBacklog = known.backlog
        give { $0.packet < known.packets }
    }

    private mutating func give(while condition: (TotemLocalSends.Message) -> Bool) {
        while nextMessage < sends.messages.count, condition(sends.messages[nextMessage]) { giveNext() }
    }

    private mutating func giveNext() {
        guard nextMessage < sends.messages.count else { return }
        let message = sends.messages[nextMessage]
        // What the daemon sent in packets of their own, though one would have held them, it had packed at different visits.
        if nextMessage > 0, sends.messages[nextMessage - 1].lastPacket != message.packet { node.flushPacker() }
        nextMessage += 1
        give(message)
    }

    private mutating func give(_ message: TotemLocalSends.Message) {
        message.payload.withUnsafeBytes { bytes in
            let first = UnsafeRawBufferPointer(rebasing: bytes[..<message.firstPiece])
            let rest = UnsafeRawBufferPointer(rebasing: bytes[message.firstPiece...])
            let group: StaticString = message.group == Array("sync".utf8) ? "sync" : "a"
            try? node.send(first, followedBy: rest, group: group, at: now, into: &effects)
        }
        collect()
    }

    /// Takes what the engine wants done.
    private mutating func collect() {
        for effect in effects.effects {
            guard case .transmit(let range, let destination) = effect else { continue }
            let bytes = effects.bytes(range)
            waiting.append(Sent(bytes: bytes, destination: destination, time: now))
            if let mcast = Self.mcast(bytes), sends.packet(of: mcast) == packetsSent { packetsSent += 1 }
        }
        effects.removeAll()
        completeSynchronisation()
    }

    private static func mcast(_ bytes: [UInt8]) -> Mcast<Corosync3>? {
        bytes.withUnsafeBytes { buffer in
            guard case .mcast(let mcast) = try? TotemPacket<Corosync3>(reading: buffer).message else { return nil }
            return mcast
        }
    }

    /// The recording says what the services sent and when; the engine need not know that they synchronise.
    private mutating func completeSynchronisation() {
        if node.state == .operational { node.completeSynchronisation() }
    }

    /// Takes the next packet of the engine, letting a timer run out when that is what it takes, and compares.
    private mutating func expect(_ packet: TotemRecording.Packet, at time: Instant) -> TotemPacketDifference? {
        if case .join(let join) = packet.message, join.isLeave {
            // The daemon left before it handled what had just arrived.
            waiting.removeAll { time - $0.time < .milliseconds(1) }
            node.leave(at: now, into: &effects)
            collect()
        }
        if waiting.isEmpty { provoke(packet, at: time) }
        guard !waiting.isEmpty else {
            return TotemPacketDifference(field: "message", recorded: packet.message.kind.name.description, replayed: "nothing")
        }
        let sent = waiting.removeFirst()
        if let difference = TotemPacketDifference.first(recorded: packet.bytes, replayed: sent.bytes) { return difference }
        if case .node(let target) = sent.destination, target != packet.target {
            let recorded = packet.target.map(String.init) ?? "the group"
            return TotemPacketDifference(field: "destination", recorded: recorded, replayed: String(target))
        }
        return nil
    }

    private mutating func provoke(_ packet: TotemRecording.Packet, at time: Instant) {
        switch packet.message {
        case .join where node.state == .idle:
            node.start(at: now, into: &effects)
            collect()
        case .holdCancel:
            giveNext()
        case .mcast(let mcast):
            // Alone in its ring a processor's tokens are not seen, so nothing else tells when it was given its messages.
            if let index = sends.packet(of: mcast), node.members.count == 1 { give { $0.packet <= index } }
        default:
            break
        }
        while waiting.isEmpty, let deadline = node.nextDeadline, deadline <= time + tolerance { advance(to: deadline) }
    }
}
