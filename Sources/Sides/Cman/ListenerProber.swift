import EngineKit

/// When to ask which native members whether somebody listens on which ports.
struct ListenerProber: Sendable {
    /// Period of probing; LISTENREQ is acknowledged traffic, which holds up a proxy's other messages.
    static let period = Interval.seconds(10)

    /// Ports of interest: mapped by name, listened to on the other side, or seen in messages.
    private(set) var ports: Set<UInt8>
    private(set) var nextDeadline: Instant?
    private var pending: Set<Probe> = []

    struct Probe: Sendable, Hashable, Comparable {
        var node: UInt32
        var port: UInt8

        static func < (left: Probe, right: Probe) -> Bool { (left.node, left.port) < (right.node, right.port) }
    }

    init(ports: Set<UInt8>) { self.ports = ports }

    mutating func add(_ ports: Set<UInt8>) { self.ports.formUnion(ports) }

    /// Probes at once: after a transition, or because a port became interesting.
    mutating func hurry(at now: Instant) { nextDeadline = now }

    /// What to probe at `now`; nothing twice while an answer is outstanding.
    mutating func takeDue(natives: some Sequence<UInt32>, at now: Instant) -> [Probe] {
        guard let nextDeadline, nextDeadline <= now else { return [] }
        self.nextDeadline = now + Self.period
        var due: [Probe] = []
        for node in natives {
            for port in ports where pending.insert(Probe(node: node, port: port)).inserted { due.append(Probe(node: node, port: port)) }
        }
        return due.sorted()
    }

    mutating func answered(_ probe: Probe) { pending.remove(probe) }

    mutating func forget(_ node: UInt32) { pending = pending.filter { $0.node != node } }

    /// Whoever was asking is gone: nothing is outstanding.
    mutating func forgetPending() { pending.removeAll() }
}
