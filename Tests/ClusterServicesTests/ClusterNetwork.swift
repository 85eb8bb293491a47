import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// A small network of corosync 3.
typealias ClusterNetwork = DialectNetwork<Corosync3>

/// A small network of whole processors on virtual time: seeded delay and loss, partitions, crashes.
struct DialectNetwork<Dialect: TotemDialect> {
    /// A message as a processor delivered it.
    struct Delivery: Hashable, CustomStringConvertible {
        var group: String
        var sender: CPGProcess
        var payload: [UInt8]

        var description: String { "\(group) \(sender.node)/\(sender.pid) \(String(decoding: payload.prefix(20), as: UTF8.self))" }
    }

    private struct Flight {
        var due: Instant
        var order: Int
        var source: UInt32
        var target: UInt32
        var bytes: [UInt8]
    }

    private struct Host {
        var processor: ClusterProcessor<Dialect>
        var storedSequence: UInt64 = 0
    }

    private(set) var now = Instant.zero
    private var hosts: [UInt32: Host] = [:]
    private var flights: [Flight] = []
    private var order = 0
    private var random: RandomSource
    private var effects = ProcessorEffects()
    private let nodes: [UInt32]
    private let configure: (inout ProcessorConfiguration) -> Void

    /// Part of the datagrams that are lost, 0...100.
    var lossPercentage: UInt64 = 0
    /// Whether a datagram from the first to the second node passes.
    var passes: (UInt32, UInt32) -> Bool = { _, _ in true }
    /// What every processor reported, oldest first.
    private(set) var events: [UInt32: [ProcessorEvent]] = [:]
    /// The messages among it.
    private(set) var deliveries: [UInt32: [Delivery]] = [:]

    init(nodes: [UInt32], seed: UInt64, configure: @escaping (inout ProcessorConfiguration) -> Void = { _ in }) {
        self.nodes = nodes
        self.configure = configure
        random = RandomSource(seed: seed)
    }

    subscript(id: UInt32) -> ClusterProcessor<Dialect>? { hosts[id]?.processor }

    private static func address(of node: UInt32) -> IPAddress { IPAddress(ipv4: 0x0A4D_0200 | node) }

    // MARK: Commands

    mutating func start(_ ids: UInt32...) {
        for id in ids {
            var configuration = ProcessorConfiguration(nodeID: id, nodes: nodes)
            configuration.totem.timers = TotemTimers(token: .milliseconds(1000))
            for node in nodes { configuration.totem.addresses[node] = [Self.address(of: node)] }
            configuration.totem.storedRingSequence = hosts[id]?.storedSequence ?? 0
            configure(&configuration)
            hosts[id] = Host(processor: ClusterProcessor<Dialect>(configuration: configuration, seed: 0))
            perform(id) { $0.start(at: $1, into: &$2) }
        }
    }

    mutating func crash(_ id: UInt32) { hosts[id] = nil }

    /// Lets a processor do something.
    mutating func perform(_ id: UInt32, _ body: (inout ClusterProcessor<Dialect>, Instant, inout ProcessorEffects) -> Void) {
        // Taken out meanwhile, so that nothing is copied.
        guard var host = hosts.removeValue(forKey: id) else { return }
        body(&host.processor, now, &effects)
        hosts[id] = host
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, let destination): transmit(effects.bytes(range), from: id, to: destination)
            case .event(let event):
                events[id, default: []].append(event)
                if case .storeRingSequence(let sequence) = event { hosts[id]?.storedSequence = sequence }
                if case .message(let group, let sender, let payload) = event {
                    deliveries[id, default: []].append(Delivery(group: group, sender: sender, payload: effects.bytes(payload)))
                }
            }
        }
        effects.removeAll()
    }

    mutating func join(_ group: String, _ id: UInt32, pid: UInt32 = 100) {
        perform(id) { $0.join(group: group, pid: pid, at: $1, into: &$2) }
    }

    /// Sends `payload` from `id`; says why not when it cannot be.
    @discardableResult
    mutating func send(_ payload: [UInt8], to group: String, from id: UInt32, pid: UInt32 = 100) -> TotemSendError? {
        var failure: TotemSendError?
        perform(id) { processor, now, effects in
            payload.withUnsafeBytes { bytes in
                do throws(TotemSendError) {
                    try processor.send(bytes, group: group, from: pid, at: now, into: &effects)
                } catch {
                    failure = error
                }
            }
        }
        return failure
    }

    @discardableResult
    mutating func send(_ text: String, to group: String, from id: UInt32) -> TotemSendError? {
        send(Array(text.utf8), to: group, from: id)
    }

    // MARK: Time

    /// Runs until `condition` holds or `limit` has passed; says whether it holds.
    @discardableResult
    mutating func run(_ limit: Interval, until condition: (DialectNetwork) -> Bool = { _ in false }) -> Bool {
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

    private var nextInstant: Instant? {
        var next = flights.first?.due
        for host in hosts.values {
            guard let deadline = host.processor.nextDeadline else { continue }
            next = next.map { min($0, deadline) } ?? deadline
        }
        return next
    }

    private mutating func step() {
        while let flight = flights.first, flight.due <= now {
            flights.removeFirst()
            perform(flight.target) { processor, now, effects in
                flight.bytes.withUnsafeBytes {
                    let source = Endpoint(Self.address(of: flight.source), 5405)
                    processor.receive($0, from: source, arrival: Arrival(), at: now, into: &effects)
                }
            }
        }
        for id in hosts.keys.sorted() where (hosts[id]?.processor.nextDeadline).map({ $0 <= now }) ?? false {
            perform(id) { $0.advance(to: $1, into: &$2) }
        }
    }

    private mutating func transmit(_ bytes: [UInt8], from id: UInt32, to destination: TotemDestination) {
        let targets: [UInt32] =
            switch destination {
            case .everyone, .members: nodes.filter { $0 != id }
            case .node(let node): [node]
            }
        for target in targets where passes(id, target) && random.next() % 100 >= lossPercentage {
            let due = now + .microseconds(20 + Int64(random.next() % 10))
            order += 1
            let place = flights.lastIndex { ($0.due, $0.order) < (due, order) }.map { $0 + 1 } ?? 0
            flights.insert(Flight(due: due, order: order, source: id, target: target, bytes: bytes), at: place)
        }
    }

    // MARK: Observations

    /// Whether exactly `ids` form one ring with synchronised services.
    func isCluster(_ ids: UInt32...) -> Bool {
        guard let first = ids.first.flatMap({ hosts[$0]?.processor }) else { return false }
        return ids.allSatisfy { id in
            guard let processor = hosts[id]?.processor else { return false }
            return processor.state == .operational && processor.members == ids.sorted() && processor.ring == first.ring
                && processor.isSynchronised
        }
    }

    /// Changes of group `group` as `id` saw them.
    func changes(of group: String, at id: UInt32) -> [CPGMembership] {
        (events[id] ?? []).compactMap { event in
            if case .group(let membership) = event, membership.group == group { membership } else { nil }
        }
    }

    /// What was refused anywhere.
    var refusals: [ProcessorRefusal] { events.keys.sorted().flatMap { refusals(at: $0) } }

    /// What `id` refused.
    func refusals(at id: UInt32) -> [ProcessorRefusal] {
        (events[id] ?? []).compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }
    }
}
