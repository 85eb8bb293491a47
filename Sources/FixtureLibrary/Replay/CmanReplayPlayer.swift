import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// Runs the engine through one life of a recorded daemon.
///
/// Inputs are the packets that reached the daemon. What programs and administrators did (messages, closed ports, probes, leaving) is
/// taken from the packets that it caused, and from nothing else. Timers are moved to the recorded moment when the daemon's ran out
/// close to it.
struct CmanReplayPlayer {
    /// A packet that the engine sent; without destination it went to the group.
    struct Sent {
        var time: Instant
        var bytes: [UInt8]
        var destination: Endpoint?
    }

    let recording: CmanRecording
    let life: CmanReplay.Life
    private(set) var sent: [Sent] = []
    /// What the engine reported.
    private(set) var events: [(time: Instant, event: CmanEvent)] = []
    /// Which message of the engine stands for which of the daemon.
    private(set) var pairing: CmanMessagePairing
    private var node: CmanNode
    private var effects = CmanEffects()
    private let profile: CmanReplay.Profile
    /// Copies are made when the engine's own timer runs out, whenever the daemon's did.
    private let copiesInTime: Bool
    private let isKernelLike: Bool
    private let ownPositions: Set<Int>
    /// When each packet of the life was sent, ascending.
    private let sentTimes: [Instant]
    /// Positions of packets that were handed in before their turn.
    private var received: Set<Int> = []
    /// Sequence numbers of messages that the daemon sent so far, to tell copies.
    private var recordedSequences: Set<UInt16> = []

    /// Plays `life` with the rules of `profile`, but for `withheld`, in which it does as the daemon.
    init(
        recording: CmanRecording,
        life: CmanReplay.Life,
        profile: CmanReplay.Profile = .recorded,
        withholding withheld: Set<CmanDeviation> = []
    ) {
        self.recording = recording
        self.life = life
        self.profile = profile
        copiesInTime = profile == .ringbridge && !withheld.contains(.copiesInTime)
        isKernelLike = recording.isKernelLike
        pairing = CmanMessagePairing(recording: recording, sent: life.life.sent)
        ownPositions = Set(life.life.sent)
        sentTimes = life.life.sent.map { recording.packets[$0].time }
        let sent = life.life.sent.map { recording.packets[$0] }
        var configuration = CmanConfiguration(
            clusterName: life.join.cluster,
            nodeName: life.join.name,
            addresses: [life.life.address]
        )
        configuration.wantedNodeID = life.join.nodeID
        configuration.expectedVotes = life.join.expectedVotes
        configuration.configVersion = life.join.configVersion
        configuration.twoNode = life.join.twoNode
        configuration.timers.maxRetries = 5
        configuration.timers.joinWait = Self.joinWait(sent)
        configuration.timers.newCluster = Self.newCluster(sent) ?? configuration.timers.joinWait
        let rules = profile.rules(for: recording, withholding: withheld)
        if !rules.countsWholeSeconds {
            // What the daemon's rounding makes of 16 s.
            configuration.timers.joinWait = configuration.timers.joinWait == .seconds(16) ? .seconds(15) : configuration.timers.joinWait
            configuration.timers.newCluster = Self.announcing(sent) ?? configuration.timers.newCluster
        }
        node = CmanNode(configuration: configuration, seed: 1, rules: rules)
    }

    /// Founders ran with 5 s or with the default; their NEWCLUSTERs are a fifth of it apart, in whole seconds.
    private static func joinWait(_ sent: [CmanRecording.Packet]) -> Interval {
        let announcements = sent.filter { if case .newCluster = $0.packet.body { true } else { false } }
        guard announcements.count > 1 else { return .seconds(16) }
        return announcements[1].time - announcements[0].time < .seconds(2) ? .seconds(5) : .seconds(16)
    }

    /// The daemon counts whole seconds, so that forming a cluster takes a step more or less.
    private static func newCluster(_ sent: [CmanRecording.Packet]) -> Interval? {
        let announcements = sent.prefix { if case .newCluster = $0.packet.body { true } else { false } }
        guard announcements.count > 1, sent.count > announcements.count, case .hello = sent[announcements.count].packet.body else {
            return nil
        }
        let step: Int64 = announcements[1].time - announcements[0].time < .seconds(2) ? 1 : 3
        return .seconds(step * Int64(announcements.count - 1))
    }

    /// From the first NEWCLUSTER to the first HELLO.
    private static func announcing(_ sent: [CmanRecording.Packet]) -> Interval? {
        guard newCluster(sent) != nil, let first = sent.first,
            let hello = sent.first(where: { if case .hello = $0.packet.body { true } else { false } })
        else { return nil }
        return hello.time - first.time
    }

    // MARK: Running

    mutating func play() {
        guard let first = life.life.sent.first, let last = life.life.sent.last else { return }
        begin(first)
        var position = recording.packets.firstIndex { $0.time >= startTime } ?? first
        let hasEnd = life.isKilled || leaves
        while position < recording.packets.count {
            let packet = recording.packets[position]
            queueEarly(before: packet.time)
            advance(to: packet.time)
            if ownPositions.contains(position) {
                cause(packet)
            } else if receives(packet), !received.contains(position) {
                receiveEarlier(than: position)
                fireRacingTimers(before: packet)
                receive(packet)
            }
            if position == last, hasEnd { return }
            position += 1
        }
    }

    /// Packets of different threads, and of the daemon's two sockets, that are this close to each other may be handled in another order
    /// than they were recorded in.
    private static var race: Interval { .milliseconds(5) }

    /// The daemon reads its group socket before its own. A HELLO that it must have seen before an answer, for it asked the HELLO's
    /// sender too, comes first.
    private mutating func receiveEarlier(than position: Int) {
        let packet = recording.packets[position]
        if case .joinReq = packet.packet.body {
            receiveStartTransEarlier(than: position)
            return
        }
        guard case .joinAck = packet.packet.body else { return }
        for own in life.life.sent where own > position && recording.packets[own].time - packet.time < Self.race {
            guard case .joinReq = recording.packets[own].packet.body else { continue }
            let target = recording.packets[own].destination
            for earlier in position + 1..<own where recording.packets[earlier].source == target {
                guard case .hello = recording.packets[earlier].packet.body, received.insert(earlier).inserted else { continue }
                receive(recording.packets[earlier])
            }
        }
    }

    /// Whether a recorded HELLO says what `node` would say.
    private func says(_ packet: CmanRecording.Packet, _ node: CmanNode) -> Bool {
        guard case .hello(let hello) = packet.packet.body else { return false }
        let others = node.members.filter { $0.state == .member && $0.id != node.id }.count
        return hello.generation == node.generation && Int(hello.members) == others + 1
            && (hello.flags & CmanHello.quorateFlag != 0) == node.quorum.isQuorate
    }

    /// Positions in the recording of what the daemon sent at `time` or later.
    private func sent(since time: Instant) -> ArraySlice<Int> {
        var low = 0
        var high = sentTimes.count
        while low < high {
            let middle = (low + high) / 2
            if sentTimes[middle] < time { low = middle + 1 } else { high = middle }
        }
        return life.life.sent[low...]
    }

    /// The next message of the daemon in the recording.
    private func nextMessage(after time: Instant) -> CmanRecording.Packet? {
        for position in sent(since: time) {
            let packet = recording.packets[position]
            if packet.time > time, isMessage(packet.bytes) { return packet }
        }
        return nil
    }

    private mutating func receiveStartTransEarlier(than position: Int) {
        let time = recording.packets[position].time
        guard let next = nextMessage(after: time), case .startAck = next.packet.body else { return }
        for later in position + 1..<recording.packets.count where recording.packets[later].time < min(next.time, time + Self.race) {
            guard case .startTrans = recording.packets[later].packet.body, receives(recording.packets[later]),
                received.insert(later).inserted
            else { continue }
            receive(recording.packets[later])
        }
    }

    /// What a program sent while another message was outstanding waited in the daemon's queue; it is given to the engine before that
    /// message's end frees the way.
    private mutating func queueEarly(before time: Instant) {
        guard node.outstandingSequence != nil else { return }
        for position in sent(since: time - Self.race) {
            let packet = recording.packets[position]
            guard packet.time <= time + Interval.milliseconds(10) else { break }
            switch packet.packet.body {
            case .data, .portClosed, .listenReq: cause(packet, at: clock)
            default: break
            }
        }
    }

    /// A timer that ran out in the daemon just after a packet arrived did so before the packet was handled, if what it caused is the
    /// next thing that the daemon sent.
    private mutating func fireRacingTimers(before packet: CmanRecording.Packet) {
        let time = packet.time
        for timer in [CmanTimer.hello, .retransmit, .transition, .membership] {
            guard let deadline = node.deadline(of: timer), deadline - time < Self.race,
                let next = nextMessage(after: time),
                next.time == deadline, isCaused(next, by: timer)
            else { continue }
            // What would happen if the packet came first: would it take the number, or spare the copy?
            var trial = node
            var ignored = CmanEffects()
            packet.bytes.withUnsafeBytes {
                trial.receive($0, from: packet.source, arrival: arrival(of: packet), at: time, into: &ignored)
            }
            let sequence = number(of: next)
            let isFirst =
                switch timer {
                case .retransmit: trial.outstandingSequence != sequence
                case .membership: trial.deadline(of: timer) != deadline
                default: trial.lastSequence >= sequence || says(next, node) && !says(next, trial)
                }
            guard isFirst else { continue }
            node.setDeadline(of: timer, to: time)
            run(at: time) { node, effects in node.advance(to: time, into: &effects) }
        }
    }

    private var leaves: Bool {
        life.life.sent.contains { if case .leave = recording.packets[$0].packet.body { true } else { false } }
    }

    private var startTime = Instant.zero
    private var clock = Instant.zero
    /// The deadline that was moved because nothing was recorded at it.
    private var postponed: Instant?
    private var newClusterValue: UInt32?

    private mutating func begin(_ first: Int) {
        let packet = recording.packets[first]
        if case .newCluster(let announcement) = packet.packet.body {
            newClusterValue = announcement.value
            let joinWait = node.configuration.timers.joinWait
            startTime = packet.time - (joinWait == .seconds(16) ? .seconds(18) : joinWait)
        } else {
            // It asked the sender of the HELLO just before.
            let hello = recording.packets[..<first].last {
                if case .hello = $0.packet.body { $0.source == packet.destination } else { false }
            }
            startTime = (hello?.time ?? packet.time) - Interval(nanoseconds: 1000)
        }
        let start = startTime
        let value = newClusterValue
        run(at: start) { node, effects in
            node.join(at: start, into: &effects)
            if let value { node.setNewClusterValue(value) }
        }
    }

    private mutating func run(at time: Instant, _ body: (inout CmanNode, inout CmanEffects) -> Void) {
        clock = time
        effects.removeAll()
        body(&node, &effects)
        var acknowledged: [CmanMessagePairing.Waiting] = []
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, let destination):
                var endpoint: Endpoint?
                if case .endpoint(let target, _) = destination { endpoint = target }
                let packet = Sent(time: time, bytes: effects.bytes(range), destination: endpoint)
                if profile != .recorded { acknowledged += pairing.pair(packet, at: sent.count) }
                sent.append(packet)
            case .event(let event): events.append((time, event))
            }
        }
        for waiting in acknowledged { receiveAcknowledgement(waiting, at: time) }
    }

    /// An acknowledgement of the recording came before the engine had sent what it is for.
    private mutating func receiveAcknowledgement(_ waiting: CmanMessagePairing.Waiting, at time: Instant) {
        run(at: time) { node, effects in
            waiting.bytes.withUnsafeBytes {
                node.receive($0, from: waiting.source, arrival: Arrival(viaGroup: false), at: time, into: &effects)
            }
        }
    }

    private func receives(_ packet: CmanRecording.Packet) -> Bool {
        packet.source != life.life.address && (packet.destination == life.life.address || recording.groups.contains(packet.destination))
    }

    private mutating func receive(_ packet: CmanRecording.Packet) {
        followPort(of: packet)
        followBarrier(of: packet)
        let arrival = arrival(of: packet)
        var bytes = packet.bytes
        if profile != .recorded {
            guard pairing.translate(&bytes, of: packet) else { return }
        }
        run(at: packet.time) { node, effects in
            bytes.withUnsafeBytes { node.receive($0, from: packet.source, arrival: arrival, at: packet.time, into: &effects) }
        }
    }

    private func arrival(of packet: CmanRecording.Packet) -> Arrival {
        Arrival(viaGroup: recording.groups.contains(packet.destination))
    }

    // MARK: Programs

    /// Whether a program listens is told by the daemon's own answer.
    private mutating func followPort(of packet: CmanRecording.Packet) {
        let header = packet.packet.header
        let packets = recording.packets
        let later = sent(since: packet.time).lazy.map { packets[$0] }
        var port: UInt8
        var isOpen: Bool?
        switch packet.packet.body {
        case .data:
            port = header.targetPort
            for answer in later {
                if case .ack(let ack) = answer.packet.body, answer.packet.header.acknowledgement == header.sequence,
                    answer.destination == packet.source
                {
                    isOpen = (ack.status == 0) == isKernelLike
                    break
                }
            }
        case .listenReq(let query):
            port = query.port
            for answer in later {
                if case .listenResp(let response) = answer.packet.body, response.tag == query.tag {
                    isOpen = response.listening != 0
                    break
                }
            }
        default: return
        }
        guard let isOpen else { return }
        run(at: packet.time) { node, effects in
            if isOpen { node.openPort(port) } else { node.forgetPort(port) }
        }
    }

    /// Programs register a barrier before the first of them waits at it. As many as later say COMPLETE had to come.
    private mutating func followBarrier(of packet: CmanRecording.Packet) {
        guard case .barrier(let message) = packet.packet.body else { return }
        let name = String(decoding: message.name, as: UTF8.self)
        guard !name.hasPrefix("TRANSITION."), takesPart(in: message.name) else { return }
        let complete = Set(
            recording.packets.compactMap { packet -> Endpoint? in
                guard case .barrier(let other) = packet.packet.body, other.name == message.name else { return nil }
                return other.phase == CmanBarrierPhase.complete.rawValue ? packet.source : nil
            }
        )
        node.registerBarrier(name: name, count: complete.isEmpty ? Int.max : complete.count)
    }

    private func takesPart(in barrier: [UInt8]) -> Bool {
        life.life.sent.contains {
            if case .barrier(let own) = recording.packets[$0].packet.body { own.name == barrier } else { false }
        }
    }

    /// Does what made the daemon send a packet, when it was not the protocol itself.
    private mutating func cause(_ packet: CmanRecording.Packet, at moment: Instant? = nil) {
        let time = moment ?? packet.time
        let header = packet.packet.header
        if case .ack = packet.packet.body { return }
        followBarrier(of: packet)
        guard recordedSequences.insert(header.sequence).inserted, !hasSent(number: packet) else { return }
        let target = UInt32(bitPattern: header.targetID)
        run(at: time) { node, effects in
            switch packet.packet.body {
            case .data:
                let payload = packet.bytes[packet.packet.payload.range]
                payload.withUnsafeBytes {
                    _ = try? node.send(
                        $0,
                        from: header.sourcePort,
                        to: header.targetPort,
                        node: target,
                        flags: header.flags.subtracting(.multicast),
                        at: time,
                        into: &effects
                    )
                }
            case .portClosed(let message): node.announceClosed(message.port, at: time, into: &effects)
            case .listenReq(let query):
                node.probeListener(node: target, port: query.port, tag: query.tag, at: time, into: &effects)
            case .leave(let message): node.leave(removed: message.reason == 3, at: time, into: &effects)
            case .kill where !header.flags.contains(.noAck): node.kill(node: target, at: time, into: &effects)
            case .reconfig(let message):
                if let parameter = CmanParameter(rawValue: message.parameter) {
                    node.reconfigure(parameter, value: message.value, at: time, into: &effects)
                }
            case .barrier(let message) where message.phase == CmanBarrierPhase.wait.rawValue:
                let name = String(decoding: message.name, as: UTF8.self)
                guard !name.hasPrefix("TRANSITION.") else { return }
                node.enterBarrier(name: name, count: 0, timeout: nil, at: time, into: &effects)
            default: break
            }
        }
    }

    /// Whether the engine has sent what stands for `packet`.
    private func hasSent(number packet: CmanRecording.Packet) -> Bool {
        guard profile == .recorded else { return pairing.number(of: packet.packet.header.sequence) != nil }
        return sent.contains { isMessage($0.bytes) && $0.bytes[2..<4] == packet.bytes[2..<4] }
    }

    /// The number that `packet` has, or would have as the next message of the engine.
    private func number(of packet: CmanRecording.Packet) -> UInt16 {
        let recorded = packet.packet.header.sequence
        switch profile {
        case .recorded: return recorded
        case .kernel: return pairing.expectedNumber(of: recorded)
        case .ringbridge: return pairing.number(of: recorded) ?? node.lastSequence &+ 1
        }
    }

    private func isMessage(_ bytes: [UInt8]) -> Bool {
        !(bytes[0] == CmanPort.protocol && bytes[CmanHeader.size] == CmanMessageKind.ack.command)
    }

    // MARK: Timers

    private mutating func advance(to time: Instant) {
        while true {
            align(at: time)
            guard let deadline = node.nextDeadline, deadline <= time else { return }
            run(at: deadline) { node, effects in node.advance(to: deadline, into: &effects) }
        }
    }

    /// Moves the timers that are due next to where the daemon's ran out.
    private mutating func align(at time: Instant) {
        for timer in CmanTimer.allCases {
            guard let deadline = node.deadline(of: timer) else { continue }
            if timer == .retransmit, copiesInTime { continue }
            if timer == .retransmit, !isKernelLike {
                // Bug B2: the daemon looks at this timer only when something else wakes it.
                node.setDeadline(of: timer, to: retransmission(after: deadline) ?? deadline + .seconds(1000))
                continue
            }
            guard let moment = recordedMoment(of: timer, near: deadline) else {
                // The daemon sent no copy: an acknowledgement that came in just then may have spared it.
                if timer == .retransmit, deadline != postponed, isSpared(at: deadline) {
                    postponed = deadline + Self.race
                    node.setDeadline(of: timer, to: deadline + Self.race)
                }
                continue
            }
            // A HELLO whose number says that other messages went out before it waits for what causes them.
            let isEarly = timer == .hello && moment.time <= time && isEarly(moment)
            node.setDeadline(of: timer, to: isEarly ? moment.time + Self.race : moment.time)
        }
    }

    private func isEarly(_ moment: (time: Instant, sequence: UInt16)) -> Bool {
        switch profile {
        case .recorded: return moment.sequence > node.lastSequence + 1
        case .kernel: return pairing.expectedNumber(of: moment.sequence) > node.lastSequence + 1
        case .ringbridge: break
        }
        return pairing.lacksMessages(before: moment.sequence, since: moment.time - Self.race)
    }

    /// An acknowledgement of the outstanding message arrives just after `deadline`.
    private func isSpared(at deadline: Instant) -> Bool {
        recording.packets.contains {
            $0.time >= deadline && $0.time - deadline <= Self.race && receives($0)
                && isOutstanding($0.packet.header.acknowledgement)
        }
    }

    /// Whether the message that the daemon numbered `recorded` waits for acknowledgements.
    private func isOutstanding(_ recorded: UInt16) -> Bool {
        guard let sequence = node.outstandingSequence else { return false }
        return sequence == (profile == .recorded ? recorded : pairing.number(of: recorded))
    }

    private func retransmission(after deadline: Instant) -> Instant? {
        guard let sequence = node.outstandingSequence else { return nil }
        let later = life.life.sent.map { recording.packets[$0] }.filter {
            $0.time >= deadline - CmanReplay.timeBound && isMessage($0.bytes) && !$0.packet.header.flags.contains(.noAck) && !hasSent($0)
        }
        // With no copy left, the next message of its kind shows when the daemon gave up.
        return (later.first { $0.packet.header.sequence == sequence } ?? later.first)?.time
    }

    private func hasSent(_ packet: CmanRecording.Packet) -> Bool {
        sent.contains { $0.time == packet.time && $0.bytes[2] == packet.bytes[2] && $0.bytes[3] == packet.bytes[3] }
    }

    /// When the daemon sent what `timer` causes, next to `deadline`.
    private func recordedMoment(of timer: CmanTimer, near deadline: Instant) -> (time: Instant, sequence: UInt16)? {
        var best: (distance: Int64, packet: CmanRecording.Packet)?
        for position in sent(since: deadline - CmanReplay.timeBound) {
            let packet = recording.packets[position]
            let distance = abs((packet.time - deadline).nanoseconds)
            guard packet.time - deadline <= CmanReplay.timeBound else { break }
            guard distance < best?.distance ?? .max, isCaused(packet, by: timer) else { continue }
            best = (distance, packet)
        }
        return best.map { ($0.packet.time, $0.packet.packet.header.sequence) }
    }

    private func isCaused(_ packet: CmanRecording.Packet, by timer: CmanTimer) -> Bool {
        switch (timer, packet.packet.body) {
        case (.hello, .hello(let hello)): hello.flags & CmanHello.masterFlag == 0
        case (.announcement, .newCluster), (.membership, .newCluster): true
        case (.retransmit, _): isMessage(packet.bytes) && isOutstanding(packet.packet.header.sequence)
        case (.transition, .hello(let hello)): hello.flags & CmanHello.masterFlag != 0
        case (.transition, .joinConf), (.transition, .startTrans): true
        default: false
        }
    }
}
