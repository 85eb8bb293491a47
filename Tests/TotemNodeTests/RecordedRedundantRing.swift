import CaptureSupport
import Captures
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// A recorded cluster with two networks, and our redundant ring protocol in the place of one of its daemons: it is fed what that daemon
/// received at the recorded times, and asked for the networks of everything that the daemon sent.
struct RecordedRedundantRing<Dialect: TotemDialect> {
    /// What the daemon did, beside what ours would have done.
    struct Replay {
        /// Packets whose network was asked for.
        var packetsSent = 0
        /// Times of packets that went over other networks than ours would have used.
        var differences: [Int64] = []
        var tests: [RingTest] = []
        /// Tests that ours sent: network, test, nanoseconds since 1970.
        var ownTests: [(interface: Int, test: RingTest, time: Int64)] = []
        var faulty: [(interface: Int, time: Int64)] = []
        var recovered: [(interface: Int, time: Int64)] = []
        var problems: [String] = []
        var forgotten: [String] = []

        /// Whether ours began the tests that the daemon of `node` began, and answered its own.
        func hasSentItsTests(_ node: UInt32) -> Bool {
            tests.allSatisfy { test in ownTests.contains { $0.test == test } || test.activator != Int32(node) }
        }
    }

    /// corosync 2 makes the token of three nodes 650 ms longer (reference/totem-engine.md 1).
    private static var tokenRetransmit: Interval { .milliseconds(Dialect.generation == .corosync2 ? 392 : 238) }

    private struct Packet {
        var interface: Int
        var datagram: CapturedDatagram
        /// Without the envelope of corosync 2.
        var plain: [UInt8]
    }

    private let packets: [Packet]
    private let truth: [Substring]
    private let cut: (interface: Int, time: ClosedRange<Int64>)?
    let mode: RedundantRingMode

    /// The capture `name` and the second network's, `name` with `.ring1`.
    init(_ name: String, _ mode: RedundantRingMode) throws {
        var packets: [Packet] = []
        for (interface, file) in ["\(name).pcap", "\(name).ring1.pcap"].enumerated() {
            for datagram in try CaptureSupport.datagrams(of: "corosync/\(file)") {
                let plain = Dialect.generation == .corosync2 ? Array(datagram.payload.dropFirst(4)) : datagram.payload
                packets.append(Packet(interface: interface, datagram: datagram, plain: plain))
            }
        }
        // The two recordings do not begin and end together.
        let begin = (0...1).compactMap { interface in packets.first { $0.interface == interface }?.datagram.time }.max() ?? 0
        let end = (0...1).compactMap { interface in packets.last { $0.interface == interface }?.datagram.time }.min() ?? 0
        let common = packets.filter { begin...max(begin, end) ~= $0.datagram.time }.sorted { $0.datagram.time < $1.datagram.time }
        // It begins when nothing is under way.
        let quiet = common.indices.dropFirst().first { common[$0].datagram.time - common[$0 - 1].datagram.time > 2_000_000 }
        self.packets = Array(common[(quiet ?? 0)...])
        truth = try CaptureSupport.text(of: "corosync/\(name).truth.txt").split(separator: "\n")
        cut = Self.cut(self.packets, truth)
        self.mode = mode
    }

    /// What the daemons' own logs say behind `[TOTEM ]`, beginning with `text`, and at which second of the day.
    func log(_ text: String) -> [(text: String, second: Int64)] {
        truth.compactMap { line in
            let parts = line.split(separator: "[TOTEM ] ", maxSplits: 1)
            guard line.hasPrefix("Nov "), parts.count == 2, parts[1].hasPrefix(text) else { return nil }
            let clock = line.split(separator: " ")[2].split(separator: ":").compactMap { Int64($0) }
            return (String(parts[1]), clock.reduce(0) { $0 * 60 + $1 })
        }
    }

    /// When a network of node 3 really was cut: from the first to the last token to or from node 3 that nobody answered in time.
    /// The recorded actions say which network it was, and about when.
    private static func cut(_ packets: [Packet], _ truth: [Substring]) -> (interface: Int, time: ClosedRange<Int64>)? {
        func time(_ line: Substring?) -> Int64? {
            let parts = line?.split(separator: " ").first?.split(separator: ".").compactMap { Int64($0) } ?? []
            return parts.count == 2 ? parts[0] * 1_000_000_000 + parts[1] * 1000 : nil
        }
        guard let action = truth.first(where: { $0.contains(" network cut for co3") }), let cut = time(action),
            let healed = time(truth.first { $0.hasSuffix(" heal") })
        else { return nil }
        let interface = action.contains("ring1 network") ? 1 : 0
        let tokens = packets.compactMap { packet -> (packet: Packet, sequence: UInt32)? in
            packet.plain.withUnsafeBytes {
                guard let read = try? TotemPacket<Dialect>(reading: $0), case .token(let token) = read.message else { return nil }
                return (packet, token.tokenSequence)
            }
        }
        let lost = tokens.indices.filter { index in
            let (packet, sequence) = tokens[index]
            guard packet.interface == interface, cut...healed + 50_000_000 ~= packet.datagram.time,
                sender(of: packet) == 3 || receiver(of: packet) == 3
            else { return false }
            // A representative may hold a token for 180 ms and a bit; a token that is missing is sent again after `tokenRetransmit`.
            return !tokens[index...].prefix(60).contains {
                sender(of: $0.packet) == receiver(of: packet) && $0.sequence == sequence + 1
                    && $0.packet.datagram.time - packet.datagram.time < tokenRetransmit.nanoseconds - 10_000_000
            } && index + 60 < tokens.count
        }.map { tokens[$0].packet.datagram.time }
        guard let first = lost.first, let last = lost.last else { return nil }
        return (interface, first...last)
    }

    /// Runs ours in the place of `node`.
    ///
    /// What the daemon had counted before the recording began is not known: with `lead` more tokens had come over that network.
    /// Its timers are never early, and late by up to a millisecond, in which the copy of a token may come that is sent again.
    func replay(as node: UInt32, lead: (interface: Int, tokens: Int) = (0, 0), timerLateness: Interval = .zero) -> Replay {
        var result = Replay()
        var ring = RedundantRing<Dialect>(
            configuration: RedundantRingConfiguration(
                nodeID: node,
                mode: mode,
                generation: Dialect.generation,
                tokenRetransmit: Self.tokenRetransmit
            )
        )
        var effects = RedundantRing<Dialect>.Output()
        var phases = PassivePhases()
        for token in packets.filter({ $0.plain.first == TotemMessageKind.token.rawValue.magnitude }).prefix(lead.tokens) {
            token.plain.withUnsafeBytes {
                let reception = ring.receive($0, from: token.datagram.source, over: lead.interface, at: .zero, into: &effects)
                ring.monitor(reception, at: .zero, into: &effects)
            }
        }
        var sent: [[UInt8]] = []
        // What the daemon sent in answer to a packet stands behind it in the recording, and faults are looked for after that.
        var pending: (reception: RingReception, time: Instant)?
        let answerLimit = Interval.milliseconds(5)
        for (index, packet) in packets.enumerated() {
            let now = Instant(nanoseconds: packet.datagram.time)
            if let waiting = pending, now - waiting.time > answerLimit {
                ring.monitor(waiting.reception, at: waiting.time, into: &effects)
                take(ring, &effects, at: waiting.time, into: &result)
                pending = nil
            }
            while let deadline = ring.nextDeadline, deadline + timerLateness <= now {
                ring.advance(to: deadline, into: &effects)
                take(ring, &effects, at: deadline, into: &result)
            }
            let kind = packet.plain.withUnsafeBytes { try? TotemPacket<Dialect>.identify($0).0 }
            if Self.sender(of: packet) == node {
                guard let kind else {
                    packet.plain.withUnsafeBytes {
                        if let test = try? RingTest(reading: $0, byteOrder: .little) { result.tests.append(test) }
                    }
                    continue
                }
                // The copies of a multicast, to each member and over each network, are one packet.
                guard mode == .passive || !sent.contains(packet.plain) else { continue }
                sent = sent.suffix(3) + [packet.plain]
                let isToken = kind == .token || kind == .commitToken
                let destination = isToken ? TotemDestination.node(node % 3 + 1) : .everyone
                var chosen = ring.interfaces(for: destination, at: now, into: &effects)
                if mode == .passive, phases.isFirst(isToken: isToken), chosen != RingInterfaces(packet.interface) {
                    // Whose turn it is when the recording begins is not known.
                    chosen = ring.interfaces(for: destination, at: now, into: &effects)
                }
                result.packetsSent += 1
                // Daemons change the target of tokens network by network, and send the commit token after each change
                // (target_set_completed totemudpu.c:1242@ne): the first one goes over the second network to somebody else.
                guard mode == .passive || kind != .commitToken else { continue }
                // The copies of the first and last packets may stand outside the other network's recording.
                guard mode == .passive || packets.indices.contains(index - 10) && packets.indices.contains(index + 10) else { continue }
                if chosen != interfaces(ofCopiesOf: packet, from: index) { result.differences.append(packet.datagram.time) }
            } else if receives(packet, node) {
                if let pending { ring.monitor(pending.reception, at: now, into: &effects) }
                packet.plain.withUnsafeBytes {
                    let reception = ring.receive($0, from: packet.datagram.source, over: packet.interface, at: now, into: &effects)
                    pending = (reception, now)
                }
            }
            take(ring, &effects, at: now, into: &result)
        }
        return result
    }

    private struct PassivePhases {
        private var seen: Set<Bool> = []

        mutating func isFirst(isToken: Bool) -> Bool { seen.insert(isToken).inserted }
    }

    private static func sender(of packet: Packet) -> UInt32 { (packet.datagram.source.address.ipv4Number ?? 0) & 0xFF }

    /// 0 for everybody.
    private static func receiver(of packet: Packet) -> UInt32 {
        let destination = packet.datagram.destination.address.ipv4Number ?? 0
        return destination >> 24 == 239 ? 0 : destination & 0xFF
    }

    private func receives(_ packet: Packet, _ node: UInt32) -> Bool {
        guard Self.receiver(of: packet) == 0 || Self.receiver(of: packet) == node else { return false }
        if let cut, cut.interface == packet.interface, cut.time.contains(packet.datagram.time) {
            return node != 3 && Self.sender(of: packet) != 3
        }
        return true
    }

    /// Over which networks the packet went, of which `packet` is the first copy.
    private func interfaces(ofCopiesOf packet: Packet, from index: Int) -> RingInterfaces {
        var found = RingInterfaces(packet.interface)
        guard mode == .active else { return found }
        for other in packets[index...].prefix(40)
        where Self.sender(of: other) == Self.sender(of: packet) && other.plain == packet.plain {
            found.insert(RingInterfaces(other.interface))
        }
        return found
    }

    private func take(
        _ ring: RedundantRing<Dialect>,
        _ effects: inout RedundantRing<Dialect>.Output,
        at now: Instant,
        into result: inout Replay
    ) {
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, let destination):
                effects.withBytes(range) {
                    guard let test = try? RingTest(reading: $0, byteOrder: .little) else { return }
                    result.ownTests.append((destination.interface, test, now.nanoseconds))
                }
            case .event(.faulty(let interface)): result.faulty.append((interface, now.nanoseconds))
            case .event(.recovered(let interface)): result.recovered.append((interface, now.nanoseconds))
            case .event(.problem(let interface, let sequence, let count, let threshold)):
                result.problems.append(
                    "seqid \(sequence) iface 10.77.\(2 + interface).\(ring.configuration.nodeID) to [\(count) of \(threshold)]"
                )
            case .event(.problemForgotten(let interface, let count)):
                // Daemons log that a network is without problems in another way.
                guard count > 0 else { continue }
                result.forgotten.append("iface 10.77.\(2 + interface).\(ring.configuration.nodeID) to [\(count) of 10]")
            case .event(.token), .event(.refused):
                break
            }
        }
        effects.removeAll()
    }
}
