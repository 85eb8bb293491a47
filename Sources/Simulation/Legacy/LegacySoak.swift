import CmanNode
import EngineKit

/// A legacy cluster that nothing happens to for a long time, but for a network that loses datagrams: nobody may be taken for dead.
public struct LegacySoak: Scenario {
    public let name: String
    /// Number of nodes.
    public var hosts: Int
    /// How long it goes on.
    public var span: Interval
    /// Part of the datagrams that every link loses, 0...1.
    public var loss: Double
    /// Mean time between two messages of a program.
    public var pause: Interval

    /// Nodes start within this time.
    private static let startSpan = Interval.seconds(4)
    /// The cluster has formed by then, on a network that loses nothing yet.
    private static let formation = Interval.seconds(200)

    /// A cluster of `hosts` nodes that runs for `span`.
    public init(name: String, hosts: Int, span: Interval, loss: Double, pause: Interval = .seconds(60)) {
        self.name = name
        self.hosts = hosts
        self.span = span
        self.loss = loss
        self.pause = pause
    }

    public func script(seed: UInt64) -> Script<LegacyCommand> {
        var random = RandomSource(seed: seed)
        var script = Script<LegacyCommand>()
        let start = Instant(nanoseconds: 1_000_000_000)
        for host in 0..<hosts { script.add(.restart(host: host), at: start + random.interval(upTo: Self.startSpan)) }
        let begin = start + Self.formation
        script.add(.links(LinkProfile(loss: loss, jitter: .milliseconds(2))), at: begin)
        var time = begin
        while time < begin + span {
            script.add(
                .send(
                    host: random.below(hosts),
                    port: random.choice(LegacyCluster.ports),
                    to: random.chance(0.3) ? random.below(hosts) : nil,
                    length: MessageLabel.size + random.below(1000)
                ),
                at: time
            )
            time = time + random.interval(upTo: pause * 2)
        }
        return script.sorted()
    }

    public func run(seed: UInt64, script: Script<LegacyCommand>, tap: VirtualNetwork.Tap?) -> RunResult {
        let cluster = LegacyCluster(profiles: Array(repeating: .ringbridge, count: hosts), networks: 1, seed: seed)
        cluster.network.tap = tap
        cluster.schedule(script)
        cluster.network.run(until: script.steps.last?.time ?? cluster.network.now, perform: cluster.perform)
        cluster.network.apply(.heal)
        cluster.run(for: .seconds(60))
        var violations = cluster.convergenceViolations()
        violations += cluster.deathViolations
        violations += LegacyInvariants.violations(of: cluster.history, expectsCompletion: violations.isEmpty)
        return RunResult(
            violations: violations,
            digest: cluster.network.digest,
            deliveries: cluster.network.deliveries,
            trace: violations.isEmpty ? [] : cluster.history.trace
        )
    }
}
