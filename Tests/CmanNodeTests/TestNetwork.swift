import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// Several nodes on one group, with virtual time. Small on purpose: the engine's behaviour is under test here, not the network's.
final class TestNetwork {
    struct Datagram {
        var time: Instant
        var number: Int
        var source: Endpoint
        var target: Int
        var viaGroup: Bool
        var bytes: [UInt8]
    }

    var nodes: [CmanNode]
    var events: [[CmanEvent]]
    /// Payloads of the messages that each node received.
    var received: [[[UInt8]]]
    var senders: [[UInt32]]
    var isUp: [Bool]
    private(set) var now = Instant.zero
    private var inFlight: [Datagram] = []
    private var sent = 0
    private var random: RandomSource
    private var effects = CmanEffects()
    /// Whether a datagram is lost on its way from one node to another.
    var isLost: (_ from: Int, _ to: Int, _ packet: CmanPacket) -> Bool = { _, _, _ in false }
    /// Every packet that was sent, with its sender.
    var log: [(time: Instant, node: Int, packet: CmanPacket)] = []
    let addresses: [Endpoint]

    init(
        _ count: Int,
        seed: UInt64 = 1,
        profile: CmanConfiguration.Profile = .ringbridge,
        configure: (Int, inout CmanConfiguration) -> Void = { _, _ in }
    ) {
        let addresses = (1...count).map { Endpoint(IPAddress(ipv4: 0x0A00_0000 + UInt32($0)), 6809) }
        self.addresses = addresses
        nodes = (0..<count).map { index in
            var configuration = CmanConfiguration(clusterName: "alpha", nodeName: "node\(index + 1)", addresses: [addresses[index]])
            configuration.expectedVotes = UInt32(count)
            configuration.profile = profile
            configuration.listeningPorts = [11]
            configuration.mayFormCluster = index == 0
            configure(index, &configuration)
            return CmanNode(configuration: configuration, seed: seed &+ UInt64(index))
        }
        events = Array(repeating: [], count: count)
        received = Array(repeating: [], count: count)
        senders = Array(repeating: [], count: count)
        isUp = Array(repeating: true, count: count)
        random = RandomSource(seed: seed)
    }

    /// Does something with a node and carries out what it wants.
    @discardableResult
    func with<Result, Failure: Error>(
        _ index: Int,
        _ body: (inout CmanNode, Instant, inout CmanEffects) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        effects.removeAll()
        let result = try body(&nodes[index], now, &effects)
        carryOut(index)
        return result
    }

    private func carryOut(_ index: Int) {
        for effect in effects.effects {
            switch effect {
            case .event(let event):
                if case .message(let message) = event {
                    received[index].append(effects.bytes(message.payload))
                    senders[index].append(message.source)
                }
                events[index].append(event)
            case .transmit(let range, let destination):
                transmit(effects.bytes(range), from: index, to: destination)
            }
        }
    }

    private func transmit(_ bytes: [UInt8], from index: Int, to destination: CmanDestination) {
        guard let packet = bytes.withUnsafeBytes({ try? CmanPacket(reading: $0) }) else { return }
        log.append((now, index, packet))
        for target in nodes.indices where target != index {
            var viaGroup = true
            if case .endpoint(let endpoint, _) = destination {
                guard endpoint == addresses[target] else { continue }
                viaGroup = false
            }
            guard !isLost(index, target, packet) else { continue }
            sent += 1
            let delay = Interval(nanoseconds: 50_000 + Int64(random.next() % 100_000))
            inFlight.append(
                Datagram(time: now + delay, number: sent, source: addresses[index], target: target, viaGroup: viaGroup, bytes: bytes)
            )
        }
    }

    /// Hands a datagram to a node as if it had come from `source`.
    func inject(_ bytes: [UInt8], from source: Endpoint, to target: Int) {
        with(target) { node, now, effects in
            bytes.withUnsafeBytes { node.receive($0, from: source, arrival: Arrival(viaGroup: true), at: now, into: &effects) }
        }
    }

    /// Runs for a while.
    func run(_ span: Interval) {
        _ = run(until: { _ in false }, atMost: span)
    }

    /// Runs until `condition` holds; false when it does not within `span`.
    func run(until condition: (TestNetwork) -> Bool, atMost span: Interval) -> Bool {
        let end = now + span
        while !condition(self) {
            let nextDatagram = inFlight.indices.min { (inFlight[$0].time, inFlight[$0].number) < (inFlight[$1].time, inFlight[$1].number) }
            let nextTimer = nodes.indices.filter { isUp[$0] && nodes[$0].nextDeadline != nil }
                .min { (nodes[$0].nextDeadline ?? .zero) < (nodes[$1].nextDeadline ?? .zero) }
            let datagramTime = nextDatagram.map { inFlight[$0].time }
            let timerTime = nextTimer.flatMap { nodes[$0].nextDeadline }
            guard let next = [datagramTime, timerTime].compactMap({ $0 }).min(), next <= end else {
                now = end
                return condition(self)
            }
            now = max(now, next)
            if let nextDatagram, datagramTime == next {
                let datagram = inFlight.remove(at: nextDatagram)
                guard isUp[datagram.target] else { continue }
                with(datagram.target) { node, now, effects in
                    datagram.bytes.withUnsafeBytes {
                        node.receive($0, from: datagram.source, arrival: Arrival(viaGroup: datagram.viaGroup), at: now, into: &effects)
                    }
                }
            } else if let nextTimer {
                with(nextTimer) { node, now, effects in node.advance(to: now, into: &effects) }
            }
        }
        return true
    }

    func join(_ index: Int) {
        with(index) { node, now, effects in node.join(at: now, into: &effects) }
    }

    /// Starts the first node and waits until it has formed a cluster, then lets the others join.
    func formCluster() -> Bool {
        join(0)
        guard run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)) else { return false }
        for index in nodes.indices.dropFirst() { join(index) }
        return run(until: { $0.agree(Array($0.nodes.indices)) }, atMost: .seconds(300))
    }

    func send(_ text: String, from index: Int, to node: UInt32 = 0, port: UInt8 = 11) throws(CmanSendError) -> CmanTag {
        try with(index) { engine, now, effects throws(CmanSendError) in
            let bytes = Array(text.utf8)
            let result = bytes.withUnsafeBytes { payload in
                Result { () throws(CmanSendError) in
                    try engine.send(payload, from: port, to: port, node: node, at: now, into: &effects)
                }
            }
            return try result.get()
        }
    }

    /// Whether these nodes, and no others, are members in the eyes of each of them, with equal generation and quorum.
    func agree(_ indices: [Int]) -> Bool {
        guard let first = indices.first else { return true }
        let ids = indices.map { nodes[$0].id }.sorted()
        return indices.allSatisfy { index in
            nodes[index].state == .member && nodes[index].generation == nodes[first].generation
                && nodes[index].quorum.quorum == nodes[first].quorum.quorum
                && nodes[index].quorum.totalVotes == nodes[first].quorum.totalVotes
                && nodes[index].members.filter { $0.state == .member }.map(\.id) == ids
        }
    }

    /// Whether each of these nodes sees the same members as those that share its generation. A partition may have left several
    /// clusters, which never merge (reference/cman-wire.md 5.12).
    func agreeByGeneration(_ indices: [Int]) -> Bool {
        indices.allSatisfy { index in
            let ids = nodes[index].members.filter { $0.state == .member }.map(\.id)
            let group = indices.filter { ids.contains(nodes[$0].id) }
            return ids.contains(nodes[index].id) && agree(group)
        }
    }

    func outstandingSequence(of index: Int) -> UInt16? { nodes[index].outstandingSequence }

    var description: String {
        nodes.map { node in
            "\(node.id) \(node.state) gen \(node.generation) members \(node.members.filter { $0.state == .member }.map(\.id)) quorum \(node.quorum.quorum)/\(node.quorum.totalVotes)"
        }.joined(separator: "; ")
    }
}
