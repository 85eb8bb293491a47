import EngineKit

/// What kinds of faults a random schedule is made of, and how many.
public struct FaultMix: Sendable, Hashable {
    /// How many faults are begun at the most.
    public var count: Int
    /// Faults begin within this time.
    public var span: Interval
    /// How long a crash, pause, partition or bad link lasts.
    public var duration: ClosedRange<Interval>
    /// Whether hosts crash, and start again later.
    public var crashes = false
    /// Whether hosts are paused.
    public var pauses = false
    /// Whether the network falls apart, in both directions or in one.
    public var partitions = false
    /// How many networks there are; of several, one fails now and then, always the same.
    public var networks = 1
    /// The worst loss of a bad link, 0...1; 0 for no bad links.
    public var loss = 0.0
    /// The longest jitter of a bad link.
    public var jitter = Interval.zero

    /// The worst part of datagrams that a bad link damages, 0...1.
    public var damage = 0.0

    /// Faults of no kind yet.
    public init(count: Int, span: Interval, duration: ClosedRange<Interval>) {
        self.count = count
        self.span = span
        self.duration = duration
    }

    /// Draws a schedule for `hosts` that begins at `start`. Every fault ends; some hosts are hit several times.
    public func schedule(hosts: Range<Int>, from start: Instant, random: inout RandomSource) -> [(time: Instant, fault: Fault)] {
        var kinds: [Kind] = []
        if crashes { kinds.append(.crash) }
        if pauses { kinds.append(.pause) }
        if partitions { kinds += [.isolation, .oneWay] }
        if loss > 0 || jitter > .zero || damage > 0 { kinds += [.badNetwork, .badLink] }
        if networks > 1 { kinds.append(.cut) }
        guard !kinds.isEmpty, count > 0 else { return [] }
        let failing = networks > 1 ? random.below(networks) : 0
        var schedule: [(time: Instant, fault: Fault)] = []
        for _ in 0..<(1 + random.below(count)) {
            let begin = start + random.interval(upTo: span)
            let end = begin + random.interval(in: duration)
            let host = hosts.lowerBound + random.below(hosts.count)
            switch random.choice(kinds) {
            case .crash: schedule += [(begin, .crash(host: host)), (end, .restart(host: host))]
            case .pause: schedule += [(begin, .pause(host: host)), (end, .resume(host: host))]
            case .isolation:
                schedule += [(begin, .isolate(hosts: Set(hosts.filter { _ in random.chance(0.5) }))), (end, .heal)]
            case .oneWay:
                schedule += [(begin, .block(from: host, to: hosts.lowerBound + random.below(hosts.count))), (end, .heal)]
            case .cut: schedule += [(begin, .cut(network: failing)), (end, .heal)]
            case .badNetwork: schedule += [(begin, .links(badLink(&random))), (end, .heal)]
            case .badLink:
                let other = hosts.lowerBound + random.below(hosts.count)
                schedule += [(begin, .link(badLink(&random), from: host, to: other)), (end, .heal)]
            }
        }
        return schedule
    }

    private enum Kind {
        case crash, pause, isolation, oneWay, cut, badNetwork, badLink
    }

    private func badLink(_ random: inout RandomSource) -> LinkProfile {
        LinkProfile(
            loss: loss * Double(random.below(1001)) / 1000,
            duplication: random.chance(0.5) ? 0.05 : 0,
            delay: .microseconds(200),
            jitter: random.interval(upTo: jitter),
            damage: damage > 0 ? damage * Double(random.below(1001)) / 1000 : 0
        )
    }
}
