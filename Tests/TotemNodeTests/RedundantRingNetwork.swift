import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Processors with two networks between them, on virtual time: each has the redundant ring protocol below it. A network can be cut for
/// some, and loses a part of what it carries.
struct RedundantRingNetwork<Dialect: TotemDialect> {
    private struct Flight {
        var due: Instant
        var order: Int
        var source: UInt32
        var target: UInt32
        var interface: Int
        var bytes: [UInt8]
    }

    private struct Host {
        var node: TotemNode<Dialect>
        var ring: RedundantRing<Dialect>
        var effects = TotemEffects()
        var ringEffects = RedundantRing<Dialect>.Output()
    }

    private var hosts: [UInt32: Host] = [:]
    private var flights: [Flight] = []
    private var order = 0
    private var random: RandomSource
    private(set) var now = Instant.zero
    /// Part of the datagrams that each network loses, 0...100.
    var lossPercentage: [UInt64] = [0, 0]
    /// Who has no connection to a network.
    var cut: [Set<UInt32>] = [[], []]
    /// What each processor delivered.
    private(set) var delivered: [UInt32: [String]] = [:]
    /// Regular configurations of each processor.
    private(set) var rings: [UInt32: [[UInt32]]] = [:]
    /// Faults and recoveries of each processor.
    private(set) var faults: [UInt32: [RedundantRingEvent]] = [:]
    private(set) var refusals: [TotemRefusal] = []

    init(_ count: Int, _ mode: RedundantRingMode, seed: UInt64) {
        random = RandomSource(seed: seed)
        let ids = (1...UInt32(count)).map { $0 }
        for id in ids {
            var configuration = TotemConfiguration(nodeID: id, nodes: ids)
            configuration.timers = TotemTimers(token: .milliseconds(1000))
            configuration.networkMTU = 1200
            for id in ids { configuration.addresses[id] = (0...1).map { Self.address(id, $0) } }
            let redundant = RedundantRingConfiguration(
                nodeID: id,
                mode: mode,
                generation: Dialect.generation,
                tokenRetransmit: configuration.timers.tokenRetransmit
            )
            hosts[id] = Host(node: TotemNode(configuration: configuration, seed: 0), ring: RedundantRing(configuration: redundant))
        }
        for id in ids { perform(id) { host, now in host.node.start(at: now, into: &host.effects) } }
    }

    var ids: [UInt32] { hosts.keys.sorted() }

    private static func address(_ id: UInt32, _ interface: Int) -> IPAddress { IPAddress(ipv4: 0x0A4D_0200 + UInt32(interface) << 8 + id) }

    /// Whether all form one ring.
    var isRing: Bool { hosts.values.allSatisfy { $0.node.state == .operational && $0.node.members == ids } }

    /// Who takes network `interface` for faulty.
    func faulty(_ interface: Int) -> [UInt32] { ids.filter { hosts[$0]?.ring.isFaulty(interface) ?? false } }

    mutating func send(_ text: String, from id: UInt32) {
        perform(id) { host, now in
            var text = text
            text.withUTF8 { try? host.node.send(UnsafeRawBufferPointer($0), group: "a", at: now, into: &host.effects) }
        }
    }

    /// Says everywhere that faulty networks are to be used again.
    mutating func reenable() {
        for id in ids { perform(id) { host, _ in host.ring.reenable(into: &host.ringEffects) } }
    }

    /// Runs until `condition` holds or `limit` has passed; says whether it holds.
    mutating func run(_ limit: Interval, until condition: (Self) -> Bool = { _ in false }) -> Bool {
        let end = now + limit
        while !condition(self) {
            var next = flights.first?.due
            for host in hosts.values {
                for deadline in [host.node.nextDeadline, host.ring.nextDeadline] {
                    guard let deadline else { continue }
                    next = next.map { min($0, deadline) } ?? deadline
                }
            }
            guard let next, next <= end else {
                now = end
                return condition(self)
            }
            now = max(now, next)
            step()
        }
        return true
    }

    private mutating func step() {
        while let flight = flights.first, flight.due <= now {
            flights.removeFirst()
            let source = Endpoint(Self.address(flight.source, flight.interface), 5405)
            perform(flight.target) { host, now in
                flight.bytes.withUnsafeBytes { bytes in
                    let reception = host.ring.receive(bytes, from: source, over: flight.interface, at: now, into: &host.ringEffects)
                    if reception.passesUp {
                        host.node.receive(bytes, from: source, arrival: Arrival(interface: flight.interface), at: now, into: &host.effects)
                    }
                    host.ring.monitor(reception, at: now, into: &host.ringEffects)
                }
            }
        }
        for id in ids {
            perform(id) { host, now in
                host.ring.advance(to: now, into: &host.ringEffects)
                host.node.advance(to: now, into: &host.effects)
            }
        }
    }

    private mutating func perform(_ id: UInt32, _ body: (inout Host, Instant) -> Void) {
        guard var host = hosts[id] else { return }
        body(&host, now)
        while !host.effects.isEmpty || !host.ringEffects.isEmpty {
            let (effects, ringEffects) = (host.effects, host.ringEffects)
            host.effects.removeAll()
            host.ringEffects.removeAll()
            for effect in effects.effects { take(effect, effects, of: id, &host) }
            for effect in ringEffects.effects {
                switch effect {
                case .transmit(let range, let destination):
                    transmit(ringEffects.bytes(range), from: id, to: destination.node, over: destination.interface)
                case .event(.token(let range, let source, let interface)):
                    ringEffects.withBytes(range) {
                        host.node.receive($0, from: source, arrival: Arrival(interface: interface), at: now, into: &host.effects)
                    }
                case .event(let event):
                    switch event {
                    case .faulty, .recovered: faults[id, default: []].append(event)
                    case .token, .problem, .problemForgotten, .refused: break
                    }
                }
            }
        }
        hosts[id] = host
    }

    private mutating func take(_ effect: TotemEffects.Effect, _ effects: TotemEffects, of id: UInt32, _ host: inout Host) {
        switch effect {
        case .transmit(let range, let destination):
            let interfaces = host.ring.interfaces(for: destination, at: now, into: &host.ringEffects)
            for interface in 0..<host.ring.interfaceCount where interfaces.contains(number: interface) {
                if case .node(let target) = destination {
                    transmit(effects.bytes(range), from: id, to: target, over: interface)
                } else {
                    for target in ids where target != id { transmit(effects.bytes(range), from: id, to: target, over: interface) }
                }
            }
        case .event(.membership(let membership)):
            guard !membership.isTransitional else { return }
            rings[id, default: []].append(membership.members)
            host.ring.membersChanged(to: membership.members)
            // There are no services that had to synchronise.
            host.node.completeSynchronisation()
        case .event(.message(_, _, let payload, _)):
            delivered[id, default: []].append(String(decoding: effects.bytes(payload), as: UTF8.self))
        case .event(.refused(let refusal)): refusals.append(refusal)
        case .event: break
        }
    }

    private mutating func transmit(_ bytes: [UInt8], from source: UInt32, to target: UInt32, over interface: Int) {
        guard !cut[interface].contains(source), !cut[interface].contains(target),
            random.next() % 100 >= lossPercentage[interface]
        else { return }
        order += 1
        // The networks are not equally fast, so that packets overtake each other.
        let due = now + .microseconds(20 + 15 * Int64(interface) + Int64(random.next() % 10))
        let flight = Flight(due: due, order: order, source: source, target: target, interface: interface, bytes: bytes)
        let place = flights.lastIndex { ($0.due, $0.order) < (due, order) }.map { $0 + 1 } ?? 0
        flights.insert(flight, at: place)
    }
}
