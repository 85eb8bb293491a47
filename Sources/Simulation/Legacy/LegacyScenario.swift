import CmanNode
import EngineKit

/// Clusters of legacy members.
///
/// The protocol knows no merge: after a partition, and after nodes were taken for dead, an operator (or fencing) has to restart
/// those that are not in the cluster that goes on. The run does that once, when the faults are over, and then expects one cluster.
public struct LegacyScenario: Scenario {
    public let name: String
    /// Number of nodes; each seed draws one.
    public var hosts: ClosedRange<Int>
    /// Networks that every node is on.
    public var networks: Int { mix.networks }
    /// Whose behaviour they show.
    public var profiles: LegacyProfiles
    /// What goes wrong.
    public var mix: FaultMix
    /// Most messages of a run.
    public var messages: Int
    /// Whether nodes leave, are killed and are probed.
    public var hasAdministration: Bool
    /// Whether nodes that left come back.
    public var hasReturns: Bool
    /// Whether faults begin while the cluster forms.
    public var disturbsStart: Bool

    /// Whether the faults are such that no member may be lost to them.
    public var isHarmless: Bool

    /// How long a node that left stays away at the most before it returns.
    private static let absence = Interval.seconds(40)
    /// Nodes start within this time.
    private static let startSpan = Interval.seconds(4)
    /// A cluster has formed by then.
    private static let formation = Interval.seconds(100)
    /// How long what is left of faults may take until the operator looks: a death is seen after 26 s, a transition takes 15 s.
    private static let aftermath = Interval.seconds(90)
    /// The longest time that the cluster may take to become whole again.
    private static let convergenceLimit = Interval.seconds(240)
    /// How long nothing may change afterwards.
    private static let stability = Interval.seconds(60)
    /// Datagrams that a whole run may take: everybody hears everybody. The busiest healthy run takes a fifth of it.
    private func deliveryLimit(_ hosts: Int) -> Int { 8000 * hosts * hosts }

    /// Clusters of nodes that suffer `mix`.
    public init(
        name: String,
        hosts: ClosedRange<Int>,
        profiles: LegacyProfiles = .all(.ringbridge),
        mix: FaultMix,
        messages: Int = 150,
        hasAdministration: Bool = false,
        hasReturns: Bool = false,
        disturbsStart: Bool = false,
        isHarmless: Bool = false
    ) {
        self.name = name
        self.hosts = hosts
        self.profiles = profiles
        self.mix = mix
        self.messages = messages
        self.hasAdministration = hasAdministration
        self.hasReturns = hasReturns
        self.disturbsStart = disturbsStart
        self.isHarmless = isHarmless
    }

    /// The profiles of the hosts of `seed`. What is drawn here is drawn from numbers of its own.
    private func drawProfiles(seed: UInt64) -> [CmanConfiguration.Profile] {
        var random = RandomSource(seed: ~seed)
        let count = hosts.lowerBound + (hosts.count > 1 ? random.below(hosts.count) : 0)
        return profiles.profiles(count, random: &random)
    }

    public func script(seed: UInt64) -> Script<LegacyCommand> {
        let hosts = drawProfiles(seed: seed).count
        var random = RandomSource(seed: seed)
        var faults = random.fork()
        var script = Script<LegacyCommand>()
        let start = Instant(nanoseconds: 1_000_000_000)
        for host in 0..<hosts { script.add(.restart(host: host), at: start + random.interval(upTo: Self.startSpan)) }
        let begin = disturbsStart ? start : start + Self.formation
        let span = mix.span + mix.duration.upperBound
        var time = begin
        for _ in 0..<random.below(messages + 1) {
            time = random.chance(0.7) ? time + random.interval(upTo: .milliseconds(20)) : begin + random.interval(upTo: span)
            let target = random.chance(0.3) ? random.below(hosts) : nil
            script.add(
                .send(
                    host: random.below(hosts),
                    port: random.choice(LegacyCluster.ports),
                    to: target,
                    length: MessageLabel.size + random.below(1480 - MessageLabel.size + 1)
                ),
                at: time
            )
        }
        if hasAdministration { addAdministration(to: &script, hosts: hosts, from: begin, span: span, random: &random) }
        script.add(mix.schedule(hosts: 0..<hosts, from: begin, random: &faults))
        return script.sorted()
    }

    private func addAdministration(
        to script: inout Script<LegacyCommand>,
        hosts: Int,
        from begin: Instant,
        span: Interval,
        random: inout RandomSource
    ) {
        for _ in 0..<random.below(4) {
            let host = random.below(hosts)
            let other = (host + 1 + random.below(hosts - 1)) % hosts
            let time = begin + random.interval(upTo: span)
            switch random.below(4) {
            case 0:
                script.add(.leave(host: host, removed: random.chance(0.5)), at: time)
                if hasReturns, random.chance(0.7) { script.add(.rejoin(host: host), at: time + random.interval(upTo: Self.absence)) }
            case 1: script.add(.kill(host: host, target: other), at: time)
            default: script.add(.probe(host: host, target: other, port: random.choice([5, 77])), at: time)
            }
        }
    }

    public func run(seed: UInt64, script: Script<LegacyCommand>, tap: VirtualNetwork.Tap?) -> RunResult {
        let profiles = drawProfiles(seed: seed)
        let hosts = profiles.count
        let cluster = LegacyCluster(profiles: profiles, networks: networks, seed: seed)
        cluster.network.tap = tap
        cluster.schedule(script)
        cluster.network.run(until: script.steps.last?.time ?? cluster.network.now, perform: cluster.perform)
        cluster.network.apply(.heal)
        for host in 0..<hosts { cluster.network.apply(.resume(host: host)) }
        cluster.run(for: Self.aftermath)
        cluster.fence()
        cluster.run(for: Self.convergenceLimit)
        var violations = cluster.convergenceViolations(trustsQuorum: mix.damage == 0)
        if violations.isEmpty {
            let views = cluster.generations
            cluster.enterBarrier("quiet")
            cluster.run(for: Self.stability)
            if cluster.generations != views {
                violations.append(Violation("a healthy cluster stays", "generations \(views) became \(cluster.generations)"))
            }
            violations += cluster.barrierViolations("quiet")
        }
        if cluster.network.deliveries > deliveryLimit(hosts) {
            let exception: HistoricalException? = cluster.history.mastersMeet(.kernel, .daemon) ? .disputedElection : nil
            violations.append(Violation("traffic is bounded", "\(cluster.network.deliveries) datagrams", exception: exception))
        }
        if isHarmless { violations += cluster.deathViolations }
        // Nothing is promised of what was said through a network that changes it.
        if mix.damage == 0 {
            violations += LegacyInvariants.violations(of: cluster.history, expectsCompletion: violations.isEmpty && cluster.isQuorate)
        }
        let exceptions = Set(violations.compactMap(\.exception))
        violations.removeAll { $0.exception != nil }
        return RunResult(
            violations: violations,
            exceptions: HistoricalException.allCases.filter(exceptions.contains),
            digest: cluster.network.digest,
            deliveries: cluster.network.deliveries,
            trace: violations.isEmpty ? [] : cluster.history.trace
        )
    }
}
