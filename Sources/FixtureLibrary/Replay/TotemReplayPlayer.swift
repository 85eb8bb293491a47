import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The course of one replay.
struct TotemReplayPlayer<Processor: ReplayedProcessor> {
    typealias Dialect = Processor.Dialect

    private struct Sent {
        var bytes: [UInt8]
        var destination: TotemDestination
        var time: Instant
    }

    private let events: [TotemRecording<Dialect>.Event]
    private let sends: TotemLocalSends<Dialect>
    private let tolerance: Interval
    private var processor: Processor
    /// What the engine sent and the recording has not yet shown.
    private var waiting: [Sent] = []
    private var now: Instant
    private var nextMessage = 0
    private var packetsSent = 0
    private var previousBacklog: UInt32 = 0
    private var lastRing = Dialect.Ring()
    private var lastToken: UInt32?
    private var lastMessage = (ring: Dialect.Ring(), sequence: UInt32(0))
    private var openMessages = TotemPacketDifference.OpenMessages()
    private var matched = 0

    /// Nil when the recording does not tell the state in which the life begins.
    init?(
        _ life: TotemLife,
        _ events: [TotemRecording<Dialect>.Event],
        _ recording: TotemRecording<Dialect>,
        _ timers: TotemTimers,
        _ tolerance: Interval
    ) throws(WireError) {
        self.events = events
        self.tolerance = tolerance
        sends = try TotemLocalSends<Dialect>(of: life.node, in: events)
        unseen = TotemUnseenMessages(of: life.node, in: events)
        guard let first = events.first?.packet.time else { return nil }
        if life.begin != nil {
            guard let join = Self.firstJoin(in: events) else { return nil }
            var configuration = recording.configuration(of: life.node, timers: timers)
            configuration.storedRingSequence = join.ringSequence &- TotemNode<Dialect>.ringsCountedAtStart
            processor = Processor(configuration, configurationVersion: life.configurationVersion)
            processor.totem.remember(Array(recording.names.values))
            now = first
        } else {
            guard let token = Self.firstToken(in: events), let visit = Self.lastVisit(before: events, of: token, timers) else { return nil }
            let start = try TotemReplayStart<Processor>(
                token: token,
                in: recording,
                timers: timers,
                configurationVersion: life.configurationVersion
            )
            guard let processor = start.processors[life.node] else { return nil }
            self.processor = processor
            now = start.visit
            origin = visit - start.visit
            skip(to: first - origin - tolerance)
            // The timer that runs in a resting ring brings the first merge detect; when that comes later, it had just run out.
            if let detect = Self.firstMergeDetect(in: events) {
                self.processor.totem.expectMergeDetection(at: detect - first > timers.merge ? nil : detect - origin)
            }
        }
        if Dialect.hasLayoutOf2005 { processor.totem.loopbackDelay = .microseconds(20) }
        processor.totem.messageCounter = (sends.firstCounter ?? 0) &- Int32(truncatingIfNeeded: life.begin == nil ? 0 : unseen.total)
    }

    /// Goes on to the beginning of the capture; what is sent until then was not recorded.
    private mutating func skip(to time: Instant) {
        while let deadline = processor.nextDeadline, deadline < time { advance(to: deadline) }
        waiting.removeAll()
    }

    /// What the daemon said while it was alone.
    private var unseen: TotemUnseenMessages<Dialect>
    /// What came while a daemon was starting and did not yet read its sockets.
    private var unread: [TotemRecording<Dialect>.Packet] = []
    private var isStarting = false
    private var startTime = Instant.zero
    /// Index of the event that is being dealt with.
    private var position = 0

    /// What lies between the capture's clock and the engine's.
    private var origin = Interval.zero

    private static func firstJoin(in events: [TotemRecording<Dialect>.Event]) -> MemberJoin<Dialect>? {
        for case .sent(let packet) in events { if case .join(let join) = packet.message { return join } }
        return nil
    }

    private static func firstMergeDetect(in events: [TotemRecording<Dialect>.Event]) -> Instant? {
        for case .sent(let packet) in events where packet.message.kind == .mergeDetect { return packet.time }
        return nil
    }

    private static func firstToken(in events: [TotemRecording<Dialect>.Event]) -> OrfToken<Dialect>? {
        for event in events { if case .token(let token) = event.packet.message { return token } }
        return nil
    }

    /// When the representative had the token last before the capture begins: an idle ring's merge detects and tokens tell.
    private static func lastVisit(
        before events: [TotemRecording<Dialect>.Event],
        of token: OrfToken<Dialect>,
        _ timers: TotemTimers
    ) -> Instant? {
        for event in events {
            switch event.packet.message {
            case .mergeDetect:
                // The token may have gone round once more since the visit that started the timer.
                return event.packet.time - (timers.merge > timers.hold ? timers.merge - timers.hold : timers.merge)
            case .token: return event.packet.time - timers.hold
            case .holdCancel: return event.packet.time - timers.hold / 2
            default: return nil
            }
        }
        return nil
    }

    mutating func run() -> TotemReplayOutcome {
        for (index, event) in events.enumerated() {
            position = index
            let time = max(now, Instant(nanoseconds: event.packet.time.nanoseconds - origin.nanoseconds))
            if isStarting { endStart(before: index, at: time) }
            if isStarting, case .received(let packet) = event {
                unread.append(packet)
                continue
            }
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

    /// A daemon until openais 0.80 joins first and then initialises its services, which takes a while, before it reads even its own JOIN.
    /// That it reads is seen when it sends something again.
    private mutating func endStart(before index: Int, at time: Instant) {
        let begin = events[index].packet.time
        var end: Instant?
        for case .sent(let packet) in events[index...] {
            if packet.message.kind == .join, packet.time == begin { return }
            if packet.message.kind == .mergeDetect, packet.time - begin < .milliseconds(200) {
                end = Instant(nanoseconds: (packet.time - origin).nanoseconds) - .milliseconds(210)
            } else if packet.time - begin < .milliseconds(1) {
                end = time - .milliseconds(5)
            }
            break
        }
        guard let end else { return }
        isStarting = false
        now = max(startTime, end)
        processor.start(at: now)
        _ = processor.takeTransmissions()
        for packet in unread { processor.receive(packet, at: now) }
        unread = []
        collect()
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

    private func tooMuch(_ extra: Sent, _ packet: TotemRecording<Dialect>.Packet) -> TotemReplayOutcome {
        let kind = extra.bytes.withUnsafeBytes { (try? TotemPacket<Dialect>.identify($0))?.0.name.description }
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

    private mutating func receive(_ packet: TotemRecording<Dialect>.Packet, at time: Instant) {
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
    private mutating func giveMessages(for token: OrfToken<Dialect>) {
        guard processor.totem.ring == TotemRingID(token.ring), lastToken != token.tokenSequence || lastRing != token.ring else { return }
        lastToken = token.tokenSequence
        lastRing = token.ring
        if processor.totem.state != .operational { previousBacklog = 0 }
        guard processor.totem.state == .operational,
            let known = sends.packetsKnown(at: token, previousBacklog: previousBacklog, sentSoFar: packetsSent)
        else { return }
        previousBacklog = known.backlog
        give { $0.packet < known.packets }
    }

    private mutating func give(while condition: (TotemLocalSends<Dialect>.Message) -> Bool) {
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
        sayUnseen()
        saySoon()
    }

    /// In 2005 nothing tells when a processor that is alone was given a message; what was sent soon after its ring was formed was there.
    private mutating func saySoon() {
        guard Dialect.hasLayoutOf2005, processor.totem.state == .operational, processor.totem.members.count == 1,
            nextMessage < sends.messages.count
        else { return }
        for case .sent(let packet) in events[position...] {
            guard case .mcast(let mcast) = packet.message, TotemRingID(mcast.ring) == processor.totem.ring,
                sends.packet(of: mcast) == sends.messages[nextMessage].packet,
                packet.time.nanoseconds - origin.nanoseconds - now.nanoseconds < Interval.milliseconds(3).nanoseconds
            else { return }
            giveNext()
            return
        }
    }

    /// Gives the engine as many messages as the daemon sent while it was alone and nobody saw them.
    private mutating func sayUnseen() {
        guard Processor.needsEverything, processor.totem.state == .operational, processor.totem.members.count == 1 else { return }
        for _ in 0..<unseen.take(in: processor.totem.ring) { processor.giveUnseen(at: now) }
    }

    private static func mcast(_ bytes: [UInt8]) -> Mcast<Dialect>? {
        bytes.withUnsafeBytes { buffer in
            guard case .mcast(let mcast) = try? TotemPacket<Dialect>(reading: buffer).message else { return nil }
            return mcast
        }
    }

    /// Takes the next packet of the engine, letting a timer run out when that is what it takes, and compares.
    private mutating func expect(_ packet: TotemRecording<Dialect>.Packet, at time: Instant) -> TotemPacketDifference? {
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

    private mutating func difference(_ packet: TotemRecording<Dialect>.Packet, _ sent: Sent) -> TotemPacketDifference? {
        guard case .mcast(let mcast) = packet.message, mcast.ring == lastMessage.ring, mcast.sequence <= lastMessage.sequence else {
            if case .mcast(let mcast) = packet.message {
                lastMessage = (mcast.ring, mcast.sequence)
            } else if packet.bytes == sent.bytes {
                return nil
            }
            return .first(Dialect.self, recorded: packet.bytes, replayed: sent.bytes, continuing: &openMessages)
        }
        // A message that is sent again does not continue the one that was sent last.
        var unknown = TotemPacketDifference.OpenMessages()
        return .first(Dialect.self, recorded: packet.bytes, replayed: sent.bytes, continuing: &unknown)
    }

    private mutating func provoke(_ packet: TotemRecording<Dialect>.Packet, at time: Instant) {
        switch packet.message {
        case .join where processor.totem.state == .idle:
            if Dialect.generation == .openais080 {
                var trial = processor
                trial.start(at: now)
                startTime = now
                isStarting = true
                for (bytes, destination) in trial.takeTransmissions() {
                    waiting.append(Sent(bytes: bytes, destination: destination, time: now))
                }
            } else {
                processor.start(at: now)
                collect()
            }
        case .holdCancel:
            // Only what a client did can have ended the idleness.
            while nextMessage < sends.messages.count, !Processor.needs(sends.messages[nextMessage]) { nextMessage += 1 }
            if processor.totem.members.count == 1, unseen.isAnnounced(in: processor.totem.ring) {
                processor.giveUnseen(at: now)
                collect()
            } else {
                giveNext()
            }
        case .mcast(let mcast):
            // Alone in its ring a processor's tokens are not seen, so nothing else tells when it was given its messages.
            if let index = sends.packet(of: mcast), processor.totem.members.count == 1 { give { $0.packet <= index } }
        case .mergeDetect:
            // Of two timers that are due at about the same time either may run out first.
            if let deadline = processor.totem.mergeDetectionDeadline, deadline <= time + tolerance {
                processor.totem.expectMergeDetection(at: .zero)
                advance(to: now)
            }
        case .token:
            if let deadline = processor.nextDeadline, deadline <= time + tolerance, processor.totem.mergeDetectionDeadline == deadline,
                processor.totem.expectRelease(at: .zero)
            {
                advance(to: now)
            }
        default:
            break
        }
        while waiting.isEmpty, let deadline = processor.nextDeadline, deadline <= time + tolerance { advance(to: deadline) }
    }
}
