import EngineKit
import TotemNode
import TotemWire

/// What the workload tells the processors of a ring to do.
public enum RingCommand: Sendable, Hashable, CustomStringConvertible {
    /// A host sends its next message, of so many bytes.
    case send(host: Int, length: Int)
    /// A host leaves in order and stays away.
    case leave(host: Int)

    public var description: String {
        switch self {
        case .send(let host, let length): "host \(host) sends \(length) bytes"
        case .leave(let host): "host \(host) leaves"
        }
    }
}

/// Rings of bare Totem processors, judged by extended virtual synchrony.
public struct RingScenario: Scenario {
    public let name: String
    /// Their generation.
    public var generation: TotemGeneration
    /// Number of processors.
    public var hosts: Int
    /// Their transport.
    public var transport: RingTransport.Kind
    /// What goes wrong.
    public var mix: FaultMix
    /// Most messages of a run.
    public var messages = 200
    /// Whether a processor leaves in order now and then.
    public var leaves: Bool
    /// Whether every other processor has the other byte order.
    public var hasForeignHosts = false

    /// Faults begin this long after the processors were started.
    static let quietStart = Interval.seconds(2)
    /// The longest time that a whole and healthy network may take to form one ring and to deliver what waits.
    static let convergenceLimit = Interval.seconds(90)
    /// Datagrams that a whole run may take; the busiest healthy one takes less than a tenth of it.
    static let deliveryLimit = 500_000
    /// How long nothing may change afterwards.
    static let stability = Interval.seconds(10)

    /// Rings of `hosts` processors of `generation` that suffer `mix`.
    public init(
        name: String,
        generation: TotemGeneration = .corosync3,
        hosts: Int,
        transport: RingTransport.Kind,
        mix: FaultMix,
        leaves: Bool = false
    ) {
        self.name = name
        self.generation = generation
        self.hosts = hosts
        self.transport = transport
        self.mix = mix
        self.leaves = leaves
    }

    public func script(seed: UInt64) -> Script<RingCommand> {
        var random = RandomSource(seed: seed)
        var faults = random.fork()
        var script = Script<RingCommand>()
        let start = Instant(nanoseconds: 1_000_000_000)
        let count = random.below(messages + 1)
        let span = mix.span + mix.duration.upperBound
        var time = start
        for _ in 0..<count {
            // Bursts and pauses: the window, the holding of the token and its cancelling all get their turn.
            time = random.chance(0.7) ? time + random.interval(upTo: .milliseconds(2)) : start + random.interval(upTo: span)
            script.add(.send(host: random.below(hosts), length: length(&random)), at: time)
        }
        if leaves, random.chance(0.3) {
            script.add(.leave(host: random.below(hosts)), at: start + random.interval(upTo: span))
        }
        script.add(mix.schedule(hosts: 0..<hosts, from: start + Self.quietStart, random: &faults))
        return script.sorted()
    }

    private func length(_ random: inout RandomSource) -> Int {
        switch random.below(20) {
        case 0: MessageLabel.size + random.below(60_000)
        case 1...4: MessageLabel.size + random.below(5000)
        default: MessageLabel.size + random.below(300)
        }
    }

    public func run(seed: UInt64, script: Script<RingCommand>, tap: VirtualNetwork.Tap?) -> RunResult {
        switch generation {
        case .totem2005: run(OpenAIS2005.self, seed, script, tap)
        case .openais080: run(OpenAIS080.self, seed, script, tap)
        case .corosync1: run(Corosync1.self, seed, script, tap)
        case .corosync2: run(Corosync2.self, seed, script, tap)
        case .corosync3: run(Corosync3.self, seed, script, tap)
        }
    }

    private func run<Dialect: TotemDialect>(
        _ dialect: Dialect.Type,
        _ seed: UInt64,
        _ script: Script<RingCommand>,
        _ tap: VirtualNetwork.Tap?
    ) -> RunResult {
        let cluster = RingCluster<Dialect>(hosts: hosts, transport: transport, hasForeignHosts: hasForeignHosts, seed: seed)
        cluster.network.tap = tap
        cluster.run(script)
        cluster.repair()
        cluster.network.run(until: cluster.network.now + Self.convergenceLimit, perform: cluster.perform)
        var violations = cluster.convergenceViolations()
        let rings = cluster.rings
        cluster.network.run(until: cluster.network.now + Self.stability, perform: cluster.perform)
        if violations.isEmpty, cluster.rings != rings {
            violations.append(Violation("a healthy ring stays", "\(rings) became \(cluster.rings)"))
        }
        if cluster.network.deliveries > Self.deliveryLimit {
            violations.append(Violation("traffic is bounded", "\(cluster.network.deliveries) datagrams"))
        }
        violations += ExtendedVirtualSynchrony.violations(of: cluster.history, expectsSelfDelivery: violations.isEmpty)
        return RunResult(
            violations: violations,
            digest: cluster.network.digest,
            deliveries: cluster.network.deliveries,
            trace: violations.isEmpty ? [] : cluster.history.trace
        )
    }
}
