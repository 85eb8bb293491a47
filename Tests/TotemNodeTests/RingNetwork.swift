import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// A small network of Totem processors on virtual time: seeded delay, loss, partitions, crashes. It plays the part of the services
/// too: after each regular configuration every processor sends one `sync` message, and has synchronised when all of them are there.
struct RingNetwork {
    /// What a processor delivered, in order.
    enum Delivery: Hashable, CustomStringConvertible {
        case message(from: UInt32, text: String)
        case transitional(TotemRingID, members: [UInt32])
        case regular(TotemRingID, members: [UInt32])

        var description: String {
            switch self {
            case .message(let from, let text): "\(from):\(text.prefix(24))(\(text.utf8.count))"
            case .transitional(let ring, let members): "T\(ring)\(members)"
            case .regular(let ring, let members): "R\(ring)\(members)"
            }
        }
    }

    private struct Flight {
        var due: Instant
        var order: Int
        var source: UInt32
        var target: UInt32
        var bytes: [UInt8]
    }

    private struct Host {
        var node: TotemNode<Corosync3>
        var effects = TotemEffects()
        var synchronised: Set<UInt32> = []
        var mustSynchronise = false
    }

    private(set) var now = Instant.zero
    private var hosts: [UInt32: Host] = [:]
    private var flights: [Flight] = []
    private var order = 0
    private var random: RandomSource
    let configuration: TotemConfiguration
    var messageSequenceStart: UInt32 = 0

    /// Part of the datagrams that are lost, 0...100.
    var lossPercentage: UInt64 = 0
    /// Which datagrams pass: source, target, bytes.
    var passes: (UInt32, UInt32, [UInt8]) -> Bool = { _, _, _ in true }
    /// What every processor, dead ones included, delivered.
    private(set) var history: [UInt32: [Delivery]] = [:]
    private(set) var storedSequences: [UInt32: UInt64] = [:]
    private(set) var refusals: [TotemRefusal] = []
    private(set) var duplicates: [Endpoint] = []
    private var observer: ([UInt8]) -> Void = { _ in }
    private(set) var datagramsSent = 0

    init(nodes: [UInt32], seed: UInt64, networkMTU: Int = 1410) {
        var configuration = TotemConfiguration(nodeID: 0, nodes: nodes)
        configuration.timers = TotemTimers(token: .milliseconds(1000))
        configuration.networkMTU = networkMTU
        self.configuration = configuration
        random = RandomSource(seed: seed)
    }

    var running: [UInt32] { hosts.keys.sorted() }

    func node(_ id: UInt32) -> TotemNode<Corosync3>? { hosts[id]?.node }

    mutating func start(_ ids: UInt32...) {
        for id in ids {
            var own = configuration
            own.nodeID = id
            own.storedRingSequence = storedSequences[id] ?? 0
            var node = TotemNode<Corosync3>(configuration: own, seed: 0)
            node.messageSequenceStart = messageSequenceStart
            hosts[id] = Host(node: node)
            perform(id) { $0.start(at: $1, into: &$2) }
        }
    }

    mutating func crash(_ id: UInt32) { hosts[id] = nil }

    mutating func leave(_ id: UInt32) {
        perform(id) { $0.leave(at: $1, into: &$2) }
        hosts[id] = nil
    }

    /// Shows every datagram that is sent from now on.
    mutating func observe(_ observer: @escaping ([UInt8]) -> Void) { self.observer = observer }

    /// Hands a datagram to `target`.
    mutating func inject(_ bytes: [UInt8], from source: UInt32, to target: UInt32) {
        perform(target) { node, now, effects in
            bytes.withUnsafeBytes {
                node.receive($0, from: RingNetwork.endpoint(source), arrival: Arrival(), at: now, into: &effects)
            }
        }
    }

    /// Sends `text` from `id`; false when the queue has no room.
    @discardableResult
    mutating func send(_ text: String, from id: UInt32, group: StaticString = "a") -> Bool {
        var accepted = true
        perform(id) { node, now, effects in
            var text = text
            text.withUTF8 { bytes in
                do throws(TotemSendError) {
                    try node.send(UnsafeRawBufferPointer(bytes), group: group, at: now, into: &effects)
                } catch {
                    accepted = false
                }
            }
        }
        return accepted
    }

    /// Runs until `condition` holds or `limit` has passed; says whether it holds.
    @discardableResult
    mutating func run(_ limit: Interval, until condition: (RingNetwork) -> Bool = { _ in false }) -> Bool {
        let end = now + limit
        while true {
            if condition(self) { return true }
            guard let next = nextInstant, next <= end else {
                now = end
                return condition(self)
            }
            now = max(now, next)
            step()
        }
    }

    /// Whether exactly `ids` form one operational ring.
    func isRing(_ ids: [UInt32]) -> Bool {
        guard let first = ids.first.flatMap({ hosts[$0]?.node }) else { return false }
        return ids.allSatisfy { id in
            guard let host = hosts[id] else { return false }
            return host.node.state == .operational && host.node.members == ids.sorted() && host.node.ring == first.ring
                && !host.node.isWaitingForSynchronisation
        }
    }

    /// Messages that `id` delivered, in order.
    func messages(of id: UInt32) -> [Delivery] {
        (history[id] ?? []).filter { if case .message = $0 { true } else { false } }
    }

    private var nextInstant: Instant? {
        var next = flights.first?.due
        for host in hosts.values {
            guard let deadline = host.node.nextDeadline else { continue }
            next = next.map { min($0, deadline) } ?? deadline
        }
        return next
    }

    private mutating func step() {
        while let flight = flights.first, flight.due <= now {
            flights.removeFirst()
            perform(flight.target) { node, now, effects in
                flight.bytes.withUnsafeBytes {
                    node.receive($0, from: RingNetwork.endpoint(flight.source), arrival: Arrival(), at: now, into: &effects)
                }
            }
        }
        for id in running where (hosts[id]?.node.nextDeadline).map({ $0 <= now }) ?? false {
            perform(id) { $0.advance(to: $1, into: &$2) }
        }
    }

    static func endpoint(_ id: UInt32) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A4D_0200 | id), 5405) }

    private mutating func perform(_ id: UInt32, _ body: (inout TotemNode<Corosync3>, Instant, inout TotemEffects) -> Void) {
        guard var host = hosts[id] else { return }
        body(&host.node, now, &host.effects)
        let effects = host.effects
        host.effects.removeAll()
        hosts[id] = host
        var wantsToSynchronise = false
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, let destination): transmit(effects.bytes(range), from: id, to: destination)
            case .event(let event): handle(event, of: id, effects, &wantsToSynchronise)
            }
        }
        if wantsToSynchronise { send("\(hosts[id]?.node.ring.description ?? "")", from: id, group: "sync") }
    }

    private mutating func handle(_ event: TotemEvent, of id: UInt32, _ effects: TotemEffects, _ wantsToSynchronise: inout Bool) {
        switch event {
        case .membership(let membership):
            if membership.isTransitional {
                history[id, default: []].append(.transitional(membership.ring, members: membership.members))
            } else {
                history[id, default: []].append(.regular(membership.ring, members: membership.members))
                hosts[id]?.synchronised = []
                wantsToSynchronise = true
            }
        case .message(let from, let group, let payload, _):
            let text = String(decoding: effects.bytes(payload), as: UTF8.self)
            if effects.bytes(group) == Array("sync".utf8) {
                guard text == hosts[id]?.node.ring.description else { return }
                hosts[id]?.synchronised.insert(from)
                if hosts[id]?.synchronised == Set(hosts[id]?.node.members ?? []) { hosts[id]?.node.completeSynchronisation() }
            } else {
                history[id, default: []].append(.message(from: from, text: text))
            }
        case .storeRingSequence(let sequence):
            storedSequences[id] = sequence
        case .refused(let refusal):
            refusals.append(refusal)
        case .duplicateIdentity(let source):
            duplicates.append(source)
        case .state, .tokenSent:
            break
        }
    }

    private mutating func transmit(_ bytes: [UInt8], from id: UInt32, to destination: TotemDestination) {
        let targets: [UInt32] =
            switch destination {
            case .everyone: configuration.nodes.filter { $0 != id }
            case .members: configuration.nodes.filter { $0 != id }
            case .node(let node): [node]
            }
        for target in targets {
            datagramsSent += 1
            observer(bytes)
            guard passes(id, target, bytes), random.next() % 100 >= lossPercentage else { continue }
            let due = now + .microseconds(20 + Int64(random.next() % 10))
            order += 1
            let flight = Flight(due: due, order: order, source: id, target: target, bytes: bytes)
            let place = flights.lastIndex { ($0.due, $0.order) < (due, order) }.map { $0 + 1 } ?? 0
            flights.insert(flight, at: place)
        }
    }
}
