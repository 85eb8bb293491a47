import Bridging
import CmanNode
import EngineKit
import Sides
import TotemNode

/// Clusters half way through an upgrade, judged by the bridge's promises (design section 4).
public struct BridgedScenario: Scenario {
    public let name: String
    /// Native legacy members at the beginning.
    public var legacy: Int
    /// Native processors at the beginning.
    public var totem: Int
    /// Transport of the ring.
    public var transport: RingTransport.Kind
    /// Whose behaviour the legacy members show.
    public var profile: CmanConfiguration.Profile
    /// What goes wrong. Faults of machine `legacy + totem` hit the bridge.
    public var mix: FaultMix
    /// Whether faults hit the bridge too.
    public var disturbsBridge: Bool
    /// Most nodes that move to the other side.
    public var moves: Int
    /// Most messages of a run.
    public var messages: Int

    /// All members have found each other by then.
    private static let formation = Interval.seconds(180)
    /// How long what is left of faults may take until the operator looks.
    private static let aftermath = Interval.seconds(120)
    /// The longest time that the cluster may take to become whole again.
    private static let convergenceLimit = Interval.seconds(400)
    /// Datagrams that a whole run may take; the busiest healthy one takes a fifth of it.
    private static let deliveryLimit = 2_000_000

    /// Clusters of `legacy` and `totem` native members that suffer `mix`.
    public init(
        name: String,
        legacy: Int,
        totem: Int,
        transport: RingTransport.Kind = .udpu,
        profile: CmanConfiguration.Profile = .ringbridge,
        mix: FaultMix,
        disturbsBridge: Bool = false,
        moves: Int = 0,
        messages: Int = 120
    ) {
        self.name = name
        self.legacy = legacy
        self.totem = totem
        self.transport = transport
        self.profile = profile
        self.mix = mix
        self.disturbsBridge = disturbsBridge
        self.moves = moves
        self.messages = messages
    }

    private var nodes: Int { legacy + totem }

    public func script(seed: UInt64) -> Script<BridgedCommand> {
        var random = RandomSource(seed: seed)
        var faults = random.fork()
        var script = Script<BridgedCommand>()
        let start = Instant(nanoseconds: 1_000_000_000)
        for machine in 0...nodes { script.add(.restart(host: machine), at: start + random.interval(upTo: .seconds(3))) }
        let begin = start + Self.formation
        let span = mix.span + mix.duration.upperBound
        var time = begin
        for _ in 0..<random.below(messages + 1) {
            time = random.chance(0.7) ? time + random.interval(upTo: .milliseconds(20)) : begin + random.interval(upTo: span)
            let length = MessageLabel.size + random.below(random.chance(0.2) ? 1400 : 100)
            script.add(
                .send(node: random.below(nodes), to: random.chance(0.3) ? random.below(nodes) : nil, length: length),
                at: time
            )
        }
        for _ in 0..<random.below(moves + 1) {
            script.add(.move(node: random.below(nodes)), at: begin + random.interval(upTo: span))
        }
        script.add(mix.schedule(hosts: 0..<(disturbsBridge ? nodes + 1 : nodes), from: begin, random: &faults))
        return script.sorted()
    }

    public func run(seed: UInt64, script: Script<BridgedCommand>, tap: VirtualNetwork.Tap?) -> RunResult {
        let cluster = BridgedCluster(legacy: legacy, totem: totem, transport: transport, profile: profile, seed: seed)
        cluster.network.tap = tap
        cluster.schedule(script)
        cluster.network.run(until: script.steps.last?.time ?? cluster.network.now, perform: cluster.perform)
        cluster.repair()
        cluster.run(for: Self.aftermath)
        cluster.fence()
        cluster.run(for: Self.convergenceLimit)
        var violations = cluster.violations + cluster.convergenceViolations()
        let isWhole = violations.isEmpty
        if cluster.network.deliveries > Self.deliveryLimit {
            violations.append(Violation("traffic is bounded", "\(cluster.network.deliveries) datagrams"))
        }
        violations += cluster.messageViolations(expectsDelivery: isWhole && !cluster.hasBridgeCrashed)
        violations += cluster.membershipViolations()
        if let status = cluster.bridge?.status(at: cluster.network.now), !violations.isEmpty {
            cluster.note(.state("bridge: \(status.counters)"), of: ProcessID(host: 2 * nodes, incarnation: 1))
        }
        return RunResult(
            violations: violations,
            digest: cluster.network.digest,
            deliveries: cluster.network.deliveries,
            trace: violations.isEmpty ? [] : cluster.history.trace
        )
    }
}
