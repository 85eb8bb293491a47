import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The course of one replay.
struct TotemReplayPlayer<Processor: ReplayedProcessor> {
    private struct Sent {
        var bytes: [UInt8]
        var destination: TotemDestination
        var time: Instant
    }

    private let events: [TotemRecording.Event]
    private let sends: TotemLocalSends
    private let tolerance: Interval
    private var processor: Processor
    /// What the engine sent and the recording has not yet shown.
    private var waiting: [Sent] = []
    private var now: Instant
    private var nextMessage = 0
    private var packetsSent = 0
    private var previousBacklog: UInt32 = 0
    private var lastRing = RingID()
    private var lastToken: UInt32?
    private var lastMessage = (ring: RingID(), sequence: UInt32(0))
    private var openMessages = TotemPacketDifference.OpenMessages()
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
            processor = Processor(configuration, configurationVersion: life.configurationVersion)
            now = first
        } else {
            guard let token = Self.firstToken(in: events), let visit = Self.lastVisit(before: events, of: token, timers) else { return nil }
            let members = recording.members(of: token.ring)
            let start = try TotemReplayStart<Processor>(
                token: token,
                members: members,
                among: recording.nodes,
                timers: timers,
                configurationVersion: life.configurationVersion
            )
            guard let processor = start.processors[life.node] else { return nil }
            self.processor = processor
            now = start.visit
            origin = visit - start.visit
            skip(to: first - origin - tolerance)
        }
        processor.totem.messageCounter = sends.firstCounter ?? 0
    }

    /// Goes on to the beginning of the capture; what is sent until then was not recorded.
    private mutating func skip(to time: Instant) {
        while let deadline = processor.nextDeadline, deadline < time { advance(to: deadline) }
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
                if waiting.isEmpty, let deadline = processor.nextDeadline, deadline <= time, timerGoesFirst(before: index) {
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
        while let deadline = processor.nextDeadline,
            deadline + tolerance < time || processor.totem.isPassingTokenToItself && deadline <= time
        {
            advance(to: deadline)
        }
        now = time
    }

    private mutating func advance(to time: Instant) {
        now = max(now, time)
        processor.advance(to: now)
        collect()
    }

    private mutating func receive(_ packet: TotemRecording.Packet, at time: Instant) {
        if case .token(let token) = packet.message {
            // The token takes along what was packed, so whatever shares a packet with it had been given too.
            if nextMessage > 0 {
                let packed = sends.messages[nextMessage - 1].lastPacket
                give { $0.packet == packed }
            }
            giveMessages(for: token)
        }
        processor.receive(packet, at: time)
        collect()
    }

    /// Gives the engine what the daemon's services and clients had given when it handled `token`.
    private mutating func giveMessages(for token: OrfToken<Corosync3>) {
        guard processor.totem.ring.wire == token.ring, lastToken != token.tokenSequence || lastRing != token.ring else { return }
        lastToken = token.tokenSequence
        lastRing = token.ring
        if processor.totem.state != .operational { previousBacklog = 0 }
        guard processor.totem.state == .operational,
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
        if nextMessage > 0, sends.messages[nextMessage - 1].lastPacket != message.packet { processor.totem.flushPacker() }
        nextMessage += 1
        guard Processor.needs(message) else { return }
        processor.give(message, at: now)
        collect()
    }

    /// Takes what the engine wants done.
    private mutating func collect() {
        for (bytes, destination) in processor.takeTransmissions() {
            waiting.append(Sent(bytes: bytes, destination: destination, time: now))
            if let mcast = Self.mcast(bytes), sends.packet(of: mcast) == packetsSent { packetsSent += 1 }
        }
    }

    private static func mcast(_ bytes: [UInt8]) -> Mcast<Corosync3>? {
        bytes.withUnsafeBytes { buffer in
            guard case .mcast(let mcast) = try? TotemPacket<Corosync3>(reading: buffer).message else { return nil }
            return mcast
        }
    }

    /// Takes the next packet of the engine, letting a timer run out when that is what it takes, and compares.
    private mutating func expect(_ packet: TotemRecording.Packet, at time: Instant) -> TotemPacketDifference? {
        if case .join(let join) = packet.message, join.isLeave {
            // The daemon left before it handled what had just arrived.
            waiting.removeAll { time - $0.time < .milliseconds(1) }
            processor.leave(at: now)
            collect()
        }
        if waiting.isEmpty { provoke(packet, at: time) }
        guard !waiting.isEmpty else {
            return TotemPacketDifference(field: "message", recorded: packet.message.kind.name.description, replayed: "nothing")
        }
        let sent = waiting.removeFirst()
        if let difference = difference(packet, sent) { return difference }
        if case .node(let target) = sent.destination, target != packet.target {
            let recorded = packet.target.map(String.init) ?? "the group"
            return TotemPacketDifference(field: "destination", recorded: recorded, replayed: String(target))
        }
        return nil
    }

    private mutating func difference(_ packet: TotemRecording.Packet, _ sent: Sent) -> TotemPacketDifference? {
        guard case .mcast(let mcast) = packet.message, mcast.ring == lastMessage.ring, mcast.sequence <= lastMessage.sequence else {
            if case .mcast(let mcast) = packet.message {
                lastMessage = (mcast.ring, mcast.sequence)
            } else if packet.bytes == sent.bytes {
                return nil
            }
            return .first(recorded: packet.bytes, replayed: sent.bytes, continuing: &openMessages)
        }
        // A message that is sent again does not continue the one that was sent last.
        var unknown = TotemPacketDifference.OpenMessages()
        return .first(recorded: packet.bytes, replayed: sent.bytes, continuing: &unknown)
    }

    private mutating func provoke(_ packet: TotemRecording.Packet, at time: Instant) {
        switch packet.message {
        case .join where processor.totem.state == .idle:
            processor.start(at: now)
            collect()
        case .holdCancel:
            // Only what a client did can have ended the idleness.
            while nextMessage < sends.messages.count, !Processor.needs(sends.messages[nextMessage]) { nextMessage += 1 }
            giveNext()
        case .mcast(let mcast):
            // Alone in its ring a processor's tokens are not seen, so nothing else tells when it was given its messages.
            if let index = sends.packet(of: mcast), processor.totem.members.count == 1 { give { $0.packet <= index } }
        default:
            break
        }
        while waiting.isEmpty, let deadline = processor.nextDeadline, deadline <= time + tolerance { advance(to: deadline) }
    }
}
