import Bridging
import ClusterServices
import CmanNode
import CmanWire
import EngineKit
import Sides
import TotemNode
import TotemWire
import WireFormat

/// A network in virtual time with native members of both protocols, each a real engine, and a bridge between them.
struct Lab {
    /// A message as a member's program got it.
    struct Received: Hashable {
        var source: UInt32
        var target: UInt32
        var number: UInt32
    }

    struct LegacyHost {
        var node: CmanNode
        var inbox: [Received] = []
        /// What its program still wants to send: the engine's queue is fed as it empties.
        var outbox: [(target: UInt32, number: UInt32)] = []
        var underWay = 0
        /// Everyone it ever lost from its membership.
        var lost: [UInt32] = []
        var ended = false
    }

    struct TotemHost {
        var processor: ClusterProcessor<Corosync3>
        var inbox: [Received] = []
        var outbox: [(target: UInt32, number: UInt32)] = []
        var ended = false
    }

    private struct Datagram {
        var bytes: [UInt8]
        var source: Endpoint
        var side: SideID
        /// Node whose address it goes to; nil for the group.
        var target: UInt32?
    }

    private struct Arrival: Comparable {
        var time: Instant
        var order: Int
        var datagram: Datagram

        static func < (left: Arrival, right: Arrival) -> Bool { (left.time, left.order) < (right.time, right.order) }
        static func == (left: Arrival, right: Arrival) -> Bool { left.order == right.order }
    }

    static let port: UInt8 = 20
    static let clusterName = "alpha"

    let nodes: [UInt32]
    var configuration: BridgeEngineConfiguration
    /// Totem multicasts go to every configured address one by one.
    var isUDPU: Bool
    /// Percentage of datagrams that get lost.
    var loss = 0
    private(set) var now = Instant.zero
    private var arrivals: [Arrival] = []
    private var nextArrival = 0
    private var order = 0
    private var random: RandomSource

    var legacy: [UInt32: LegacyHost] = [:]
    var totem: [UInt32: TotemHost] = [:]
    var bridge: BridgeEngine?
    private var bridgeEffects = BridgeEffects()
    private var spareBridgeEffects: [BridgeEffects] = []
    private var cmanEffects = CmanEffects()
    private var spareCmanEffects: [CmanEffects] = []
    private var processorEffects = ProcessorEffects()
    private var spareProcessorEffects: [ProcessorEffects] = []
    /// Addresses that the bridge holds.
    private(set) var held = PerSide<Set<UInt32>>(both: [])
    private(set) var alarms: [BridgeAlarm] = []
    private(set) var refusedPackets: [String] = []
    private(set) var storedSequences: [UInt32: UInt16] = [:]
    private(set) var storedRingSequences: [UInt32: UInt64] = [:]
    private(set) var addressClashes: [String] = []

    init(nodes: [UInt32], isUDPU: Bool = true, seed: UInt64 = 1) {
        self.nodes = nodes
        self.isUDPU = isUDPU
        random = RandomSource(seed: seed)
        configuration = BridgeEngineConfiguration(
            clusterName: Self.clusterName,
            nodes: nodes.map {
                BridgeEngineConfiguration.Node(
                    id: $0,
                    name: "node\($0)",
                    cmanAddresses: [Self.legacyAddress($0)],
                    totemAddress: Self.totemAddress($0).address
                )
            }
        )
    }

    static func legacyAddress(_ node: UInt32) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A01_0000 | node), 6809) }
    static func totemAddress(_ node: UInt32) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A02_0000 | node), 5405) }

    // MARK: Hosts

    mutating func startBridge(seed: UInt64 = 7) {
        configuration.reliableSequences = storedSequences
        configuration.corosync.storedRingSequences = storedRingSequences
        var engine = BridgeEngine(configuration: configuration, seed: seed)
        engine.start(at: now, into: &bridgeEffects)
        bridge = engine
        carryOutBridge()
    }

    /// The process dies: nothing more is sent, and the addresses stay with the host until a new process releases them.
    mutating func killBridge() {
        bridge = nil
        held = PerSide(both: [])
    }

    /// The process is held up: datagrams for it overflow their sockets, timers do not run.
    mutating func stallBridge(for interval: Interval) {
        let stalled = bridge
        bridge = nil
        run(for: interval)
        bridge = stalled
    }

    mutating func stopBridge() {
        bridge?.stop(at: now, into: &bridgeEffects)
        carryOutBridge()
    }

    mutating func startLegacy(_ id: UInt32, profile: CmanConfiguration.Profile = .kernel, listening: Set<UInt8> = [Lab.port]) {
        if held.first.contains(id) { addressClashes.append("legacy \(id) at \(now)") }
        var settings = CmanConfiguration(clusterName: Self.clusterName, nodeName: "node\(id)", addresses: [Self.legacyAddress(id)])
        settings.wantedNodeID = id
        settings.expectedVotes = configuration.expectedVotes
        settings.profile = profile
        settings.timers = configuration.cman.timers
        settings.listeningPorts = listening
        var host = LegacyHost(node: CmanNode(configuration: settings, seed: UInt64(id) &* 977 &+ UInt64(now.nanoseconds)))
        host.inbox = legacy[id]?.inbox ?? []
        host.node.join(at: now, into: &cmanEffects)
        legacy[id] = host
        carryOutLegacy(id)
    }

    mutating func startTotem(_ id: UInt32, joins: Bool = true) {
        if held.second.contains(id) { addressClashes.append("totem \(id) at \(now)") }
        var settings = ProcessorConfiguration(nodeID: id, nodes: nodes)
        settings.totem.timers = configuration.corosync.timers
        settings.totem.storedRingSequence = totem[id]?.processor.ring.sequence ?? 0
        var host = TotemHost(
            processor: ClusterProcessor<Corosync3>(configuration: settings, seed: UInt64(id) &* 7919 &+ UInt64(now.nanoseconds))
        )
        host.inbox = totem[id]?.inbox ?? []
        host.processor.start(at: now, into: &processorEffects)
        if joins { host.processor.join(group: "cman.\(Self.port)", pid: 77, at: now, into: &processorEffects) }
        totem[id] = host
        carryOutTotem(id)
    }

    mutating func leaveLegacy(_ id: UInt32) {
        legacy[id]?.node.leave(removed: false, at: now, into: &cmanEffects)
        carryOutLegacy(id)
        legacy[id] = nil
    }

    mutating func leaveTotem(_ id: UInt32) {
        totem[id]?.processor.leave(at: now, into: &processorEffects)
        carryOutTotem(id)
    }

    /// The host is switched off.
    mutating func crash(_ id: UInt32) {
        legacy[id] = nil
        totem[id] = nil
    }

    // MARK: Programs

    mutating func sendFromLegacy(_ id: UInt32, to target: UInt32 = 0, numbers: ClosedRange<UInt32>) {
        legacy[id]?.outbox += numbers.map { (target, $0) }
        feedLegacy(id)
    }

    mutating func sendFromTotem(_ id: UInt32, to target: UInt32 = 0, numbers: ClosedRange<UInt32>) {
        totem[id]?.outbox += numbers.map { (target, $0) }
        feedTotem(id)
    }

    /// A program of legacy member `id` sends one byte to `port`, to all or to one node.
    mutating func sendFromLegacy(_ id: UInt32, port: UInt8, to target: UInt32 = 0) {
        [UInt8](arrayLiteral: 1).withUnsafeBytes { bytes in
            _ = try? legacy[id]?.node.send(bytes, from: Self.port, to: port, node: target, at: now, into: &cmanEffects)
        }
        carryOutLegacy(id)
    }

    private static func payload(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

    private static func number(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.enumerated().reduce(0) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) }
    }

    private mutating func feedLegacy(_ id: UInt32) {
        while let host = legacy[id], host.underWay < 4, let next = host.outbox.first {
            let accepted = Self.payload(next.number).withUnsafeBytes { bytes in
                (try? legacy[id]?.node.send(bytes, from: Self.port, to: Self.port, node: next.target, at: now, into: &cmanEffects)) != nil
            }
            guard accepted else { return }
            legacy[id]?.outbox.removeFirst()
            legacy[id]?.underWay += 1
            carryOutLegacy(id)
        }
    }

    private mutating func feedTotem(_ id: UInt32) {
        while let next = totem[id]?.outbox.first {
            var header = CmanOnTotemHeader(
                source: Int32(id),
                sourcePort: Self.port,
                target: Int32(next.target),
                targetPort: Self.port
            )
            var bytes = [UInt8](repeating: 0, count: CmanOnTotemHeader.byteCount)
            bytes.withUnsafeMutableBytes { buffer in
                var writer = WireWriter(buffer)
                try? header.visit(&writer)
            }
            bytes += Self.payload(next.number)
            sendGroup(id, "cman.\(Self.port)", bytes)
            totem[id]?.outbox.removeFirst()
        }
    }

    /// A program of a Totem member sends `bytes` as they are.
    mutating func sendGroup(_ id: UInt32, _ group: String, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            try? totem[id]?.processor.send(buffer, group: group, from: 77, at: now, into: &processorEffects)
        }
        carryOutTotem(id)
    }

    mutating func joinGroup(_ id: UInt32, _ group: String) {
        totem[id]?.processor.join(group: group, pid: 77, at: now, into: &processorEffects)
        carryOutTotem(id)
    }

    // MARK: Administrators

    mutating func kill(_ node: UInt32, fromLegacy id: UInt32) {
        legacy[id]?.node.kill(node: node, at: now, into: &cmanEffects)
        carryOutLegacy(id)
    }

    mutating func kill(_ node: UInt32, fromTotem id: UInt32) {
        try? totem[id]?.processor.kill(node: node, at: now, into: &processorEffects)
        carryOutTotem(id)
    }

    /// An administrator changes the votes of a node there, and the votes that are expected.
    mutating func setVotes(_ votes: UInt32, expected: UInt32, onLegacy id: UInt32) {
        legacy[id]?.node.reconfigure(.nodeVotes, value: votes, at: now, into: &cmanEffects)
        legacy[id]?.node.reconfigure(.expectedVotes, value: expected, at: now, into: &cmanEffects)
        carryOutLegacy(id)
    }

    mutating func setVotes(_ votes: UInt32, expected: UInt32, onTotem id: UInt32) {
        totem[id]?.processor.reconfigure(votes: votes, of: id, at: now, into: &processorEffects)
        totem[id]?.processor.reconfigure(expectedVotes: expected, at: now, into: &processorEffects)
        carryOutTotem(id)
    }

    mutating func enterBarrier(_ name: String, onLegacy id: UInt32) {
        legacy[id]?.node.enterBarrier(name: name, count: 4, timeout: nil, at: now, into: &cmanEffects)
        carryOutLegacy(id)
    }

    /// The shell has seen that somebody else uses an address that the bridge holds.
    mutating func loseAddress(of node: UInt32, on side: SideID) {
        bridge?.addressLost(node, on: side, holder: "02:00:00:00:00:\(node)", at: now, into: &bridgeEffects)
        carryOutBridge()
    }

    // MARK: Time

    mutating func run(for interval: Interval) { run(until: now + interval) }

    /// Runs until `condition` holds, at most for `limit`; whether it came true.
    mutating func run(atMost limit: Interval, until condition: (Lab) -> Bool) -> Bool {
        let end = now + limit
        while now < end {
            if condition(self) { return true }
            run(until: min(end, now + .milliseconds(100)))
        }
        return condition(self)
    }

    private mutating func run(until end: Instant) {
        while true {
            var deadline: Instant?
            func consider(_ other: Instant?) {
                guard let other else { return }
                deadline = deadline.map { min($0, other) } ?? other
            }
            consider(bridge?.nextDeadline)
            for host in legacy.values { consider(host.node.nextDeadline) }
            for host in totem.values { consider(host.processor.nextDeadline) }
            let arrival = arrivals.indices.contains(nextArrival) ? arrivals[nextArrival].time : nil
            if let arrival, arrival <= end, deadline.map({ arrival <= $0 }) ?? true {
                let next = arrivals[nextArrival]
                nextArrival += 1
                if nextArrival > 4096 {
                    arrivals.removeSubrange(..<nextArrival)
                    nextArrival = 0
                }
                now = max(now, next.time)
                deliver(next.datagram)
            } else if let deadline, deadline <= end {
                now = max(now, deadline)
                advance()
            } else {
                now = end
                return
            }
        }
    }

    private mutating func advance() {
        if let deadline = bridge?.nextDeadline, deadline <= now {
            bridge?.advance(to: now, into: &bridgeEffects)
            carryOutBridge()
        }
        for id in nodes {
            if let deadline = legacy[id]?.node.nextDeadline, deadline <= now {
                legacy[id]?.node.advance(to: now, into: &cmanEffects)
                carryOutLegacy(id)
            }
            if let deadline = totem[id]?.processor.nextDeadline, deadline <= now {
                totem[id]?.processor.advance(to: now, into: &processorEffects)
                carryOutTotem(id)
            }
        }
    }

    // MARK: Wires

    private mutating func send(_ bytes: [UInt8], from source: Endpoint, on side: SideID, to target: UInt32?) {
        if loss > 0, Int.random(in: 0..<100, using: &random) < loss { return }
        order += 1
        let delay = Interval.microseconds(Int64.random(in: 90...110, using: &random))
        let arrival = Arrival(
            time: now + delay,
            order: order,
            datagram: Datagram(bytes: bytes, source: source, side: side, target: target)
        )
        // Nearly in order already.
        var position = arrivals.endIndex
        while position > nextArrival, arrival < arrivals[position - 1] { position -= 1 }
        arrivals.insert(arrival, at: position)
    }

    private mutating func deliver(_ datagram: Datagram) {
        switch datagram.side {
        case .first:
            for id in nodes where legacy[id] != nil && (datagram.target ?? id) == id && Self.legacyAddress(id) != datagram.source {
                datagram.bytes.withUnsafeBytes { bytes in
                    legacy[id]?.node.receive(
                        bytes,
                        from: datagram.source,
                        arrival: .init(interface: 0, viaGroup: datagram.target == nil),
                        at: now,
                        into: &cmanEffects
                    )
                }
                carryOutLegacy(id)
            }
        case .second:
            for id in nodes where totem[id] != nil && (datagram.target ?? id) == id && Self.totemAddress(id) != datagram.source {
                datagram.bytes.withUnsafeBytes { bytes in
                    totem[id]?.processor.receive(
                        bytes,
                        from: datagram.source,
                        arrival: .init(interface: 0, viaGroup: datagram.target == nil),
                        at: now,
                        into: &processorEffects
                    )
                }
                carryOutTotem(id)
            }
        }
        let arrival: BridgeArrival
        if let target = datagram.target {
            guard held[datagram.side].contains(target) else { return }
            arrival = .proxy(target, side: datagram.side)
        } else {
            arrival = .group(side: datagram.side)
        }
        datagram.bytes.withUnsafeBytes { bytes in
            bridge?.receive(bytes, from: datagram.source, arrival: arrival, at: now, into: &bridgeEffects)
        }
        carryOutBridge()
    }

    private mutating func transmit(_ bytes: [UInt8], from node: UInt32, to destination: CmanDestination) {
        switch destination {
        case .group: send(bytes, from: Self.legacyAddress(node), on: .first, to: nil)
        case .endpoint(let endpoint, _):
            guard let target = nodes.first(where: { Self.legacyAddress($0) == endpoint }) else { return }
            send(bytes, from: Self.legacyAddress(node), on: .first, to: target)
        }
    }

    private mutating func transmit(_ bytes: [UInt8], from node: UInt32, to destination: TotemDestination, members: [UInt32]) {
        let source = Self.totemAddress(node)
        switch destination {
        case .node(let target): send(bytes, from: source, on: .second, to: target)
        case .everyone, .members:
            guard isUDPU else { return send(bytes, from: source, on: .second, to: nil) }
            let targets = destination == .everyone ? nodes : members
            for target in targets where target != node { send(bytes, from: source, on: .second, to: target) }
        }
    }

    // MARK: Effects

    private mutating func carryOutBridge() {
        while !bridgeEffects.isEmpty {
            var effects = spareBridgeEffects.popLast() ?? BridgeEffects()
            swap(&effects, &bridgeEffects)
            defer {
                effects.removeAll()
                spareBridgeEffects.append(effects)
            }
            for effect in effects.effects {
                switch effect {
                case .transmit(let range, to: .cman(let proxy, let destination)):
                    if !held.first.contains(proxy) { addressClashes.append("legacy proxy \(proxy) sends without its address") }
                    transmit(effects.bytes(range), from: proxy, to: destination)
                case .transmit(let range, to: .corosync(let proxy, let destination)):
                    if !held.second.contains(proxy) { addressClashes.append("totem proxy \(proxy) sends without its address") }
                    // The bridge's shell does not know the ring's members: every configured node gets a copy.
                    transmit(effects.bytes(range), from: proxy, to: destination, members: nodes)
                case .event(.acquireAddress(let node, let side)):
                    let isTaken = side == .first ? legacy[node] != nil : totem[node] != nil
                    if isTaken {
                        bridge?.addressRefused(node, on: side, holder: "host \(node)", at: now, into: &bridgeEffects)
                    } else {
                        held[side].insert(node)
                        bridge?.addressHeld(node, on: side, at: now, into: &bridgeEffects)
                    }
                case .event(.releaseAddress(let node, let side)): held[side].remove(node)
                case .event(.alarm(let alarm)): alarms.append(alarm)
                case .event(.storeReliableSequence(let sender, let sequence)): storedSequences[sender] = sequence
                case .event(.storeRingSequence(let proxy, let sequence)): storedRingSequences[proxy] = sequence
                case .event(.refusedPacket(let side, let proxy, let reason)):
                    refusedPackets.append("\(now) \(side) \(proxy): \(reason)")
                case .event(.note), .event(.stopped): break
                }
            }
        }
    }

    private mutating func carryOutLegacy(_ id: UInt32) {
        while !cmanEffects.isEmpty {
            var effects = spareCmanEffects.popLast() ?? CmanEffects()
            swap(&effects, &cmanEffects)
            defer {
                effects.removeAll()
                spareCmanEffects.append(effects)
            }
            for effect in effects.effects {
                switch effect {
                case .transmit(let range, let destination): transmit(effects.bytes(range), from: id, to: destination)
                case .event(.message(let message)):
                    legacy[id]?.inbox.append(
                        Received(source: message.source, target: message.target, number: Self.number(effects.bytes(message.payload)))
                    )
                case .event(.sent), .event(.sendFailed):
                    legacy[id]?.underWay -= 1
                case .event(.memberDown(let member, _)): legacy[id]?.lost.append(member.id)
                case .event(.left): legacy[id]?.ended = true
                case .event: break
                }
            }
            if legacy[id]?.outbox.isEmpty == false { feedLegacy(id) }
        }
    }

    private mutating func carryOutTotem(_ id: UInt32) {
        while !processorEffects.isEmpty {
            var effects = spareProcessorEffects.popLast() ?? ProcessorEffects()
            swap(&effects, &processorEffects)
            defer {
                effects.removeAll()
                spareProcessorEffects.append(effects)
            }
            for effect in effects.effects {
                switch effect {
                case .transmit(let range, let destination):
                    transmit(effects.bytes(range), from: id, to: destination, members: totem[id]?.processor.members ?? nodes)
                case .event(.message(_, let process, let payload)):
                    let bytes = effects.bytes(payload)
                    guard process.node != id, let header = bytes.withUnsafeBytes({ try? CmanOnTotemHeader(reading: $0) }),
                        header.tgtid == 0 || header.tgtid == Int32(id)
                    else { continue }
                    totem[id]?.inbox.append(
                        Received(
                            source: process.node,
                            target: UInt32(header.tgtid),
                            number: Self.number(bytes[CmanOnTotemHeader.byteCount...])
                        )
                    )
                case .event(.ring(.left)), .event(.killed): totem[id]?.ended = true
                case .event: break
                }
            }
            if totem[id]?.ended == true { totem[id] = nil }
        }
    }

    // MARK: What members say

    func legacyMembers(_ id: UInt32) -> [UInt32] {
        legacy[id]?.node.members.filter { $0.state == .member }.map(\.id) ?? []
    }

    func totemMembers(_ id: UInt32) -> [UInt32] { totem[id]?.processor.members ?? [] }

    /// Whether every native member lists exactly `members` and has quorum.
    func agree(on members: [UInt32]) -> Bool {
        legacy.keys.allSatisfy { id in
            guard let node = legacy[id]?.node else { return false }
            return node.state == .member && legacyMembers(id) == members && node.quorum.totalVotes == UInt32(members.count)
                && node.quorum.isQuorate
        }
            && totem.keys.allSatisfy { id in
                guard let processor = totem[id]?.processor, let quorum = processor.quorum else { return false }
                return processor.isSynchronised && totemMembers(id) == members && quorum.totalVotes == UInt32(members.count)
                    && quorum.isQuorate
            }
    }

    func received(by id: UInt32, from source: UInt32) -> [Received] {
        (legacy[id]?.inbox ?? totem[id]?.inbox ?? []).filter { $0.source == source }
    }

    var description: String {
        let status = bridge?.status(at: now)
        return
            "at \(now): legacy \(legacy.keys.sorted().map { "\($0): \(legacy[$0]?.node.state ?? .idle) \(legacyMembers($0)) \(legacy[$0]?.node.quorum.totalVotes ?? 0)" })"
            + " totem \(totem.keys.sorted().map { "\($0): \(totem[$0]?.processor.state ?? .idle) \(totem[$0]?.processor.isSynchronised ?? false) \(totemMembers($0)) \(totem[$0]?.processor.quorum?.totalVotes ?? 0)" })"
            + " proxies L \(status?.sides.first.proxies.map { "\($0.node) \($0.phase)" } ?? []) T \(status?.sides.second.proxies.map { "\($0.node) \($0.phase)" } ?? [])"
            + " operational \(status?.sides.first.isOperational ?? false) \(status?.sides.second.isOperational ?? false)"
            + " counters \(status.map { "\($0.counters)" } ?? "") alarms \(alarms.suffix(10)) refused \(refusedPackets.suffix(5))"
    }
}
