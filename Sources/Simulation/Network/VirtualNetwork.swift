import EngineKit
import WireFormat

/// Hosts, the links between them, and a clock that jumps from one event to the next.
///
/// Everything random is drawn from one seed and everything happens in one thread, so that a run can be repeated exactly.
public final class VirtualNetwork {
    /// How many datagrams a paused host's sockets keep; a kernel's default buffer holds about as many small ones.
    public static let pausedBacklogLimit = 256

    /// Time under way from a host to itself, which nothing disturbs.
    private static let loopbackDelay = Interval.microseconds(10)

    /// How often a host may be woken at one and the same time before it counts as stuck.
    private static let wakesPerInstant = 1000

    private struct Station {
        var host: any SimulatedHost
        var isUp = true
        var isPaused = false
        var backlog: [PacketPool.Slot] = []
        var wake: Instant?
        var lastWake: Instant?
        var wakesAtThatTime = 0
    }

    /// The present time.
    public private(set) var now: Instant
    /// Everything that hosts received, in order.
    public private(set) var digest = Digest()
    /// Datagrams that reached a host.
    public private(set) var deliveries = 0
    /// Set when virtual time stood still: this host wanted to be called again and again without getting anywhere.
    public private(set) var stalledHost: Int?
    /// Sees every datagram that a host puts on the network, before any of it is lost.
    public var tap: Tap?

    /// Sees a datagram: time, source, destination, bytes.
    public typealias Tap = (Instant, Endpoint, Endpoint, UnsafeRawBufferPointer) -> Void

    private var random: RandomSource
    private var queue = EventQueue()
    private var packets = PacketPool()
    private var stations: [Station] = []
    private var holders: [Endpoint: Int] = [:]
    private var groups: [Endpoint: [GroupMember]] = [:]
    private var profile = LinkProfile.local
    private var linkProfiles: [Link: LinkProfile] = [:]
    private var blocked: Set<Link> = []
    /// Which of several networks an address or group is on; those that are not named are on network 0.
    private var networks: [Endpoint: Int] = [:]
    private var cut: Set<Int> = []

    /// Who hears a group, in the order in which they joined.
    private struct GroupMember {
        var host: Int
        /// Whether it hears itself.
        var loopback: Bool
    }

    /// One direction between two hosts.
    private struct Link: Hashable {
        var from: Int
        var to: Int
    }

    /// A network without hosts, whose clock stands at `start`.
    public init(seed: UInt64, start: Instant = Instant(nanoseconds: 1_000_000_000)) {
        random = RandomSource(seed: seed)
        now = start
    }

    // MARK: Hosts

    /// Number of hosts that were attached.
    public var hostCount: Int { stations.count }

    /// Attaches a host and tells its number.
    public func attach(_ host: any SimulatedHost) -> Int {
        stations.append(Station(host: host))
        return stations.count - 1
    }

    /// Gives `endpoint`, on one of several networks, to `host`, whoever had it before.
    public func bind(_ endpoint: Endpoint, to host: Int, network: Int = 0) {
        holders[endpoint] = host
        networks[endpoint] = network
    }

    /// Takes `endpoint` from `host`; nothing happens when it belongs to another.
    public func release(_ endpoint: Endpoint, of host: Int) {
        if holders[endpoint] == host { holders[endpoint] = nil }
    }

    /// The host that has `endpoint`.
    public func holder(of endpoint: Endpoint) -> Int? { holders[endpoint] }

    /// Makes `host` hear what others send to `group` on one of several networks; with `loopback` also what it sends itself.
    public func join(_ group: Endpoint, host: Int, network: Int = 0, loopback: Bool = false) {
        networks[group] = network
        guard groups[group]?.contains(where: { $0.host == host }) != true else { return }
        groups[group, default: []].append(GroupMember(host: host, loopback: loopback))
    }

    /// Whether `host` runs, paused or not.
    public func isUp(_ host: Int) -> Bool { stations[host].isUp }

    /// Whether `host` is stopped for the moment.
    public func isPaused(_ host: Int) -> Bool { stations[host].isPaused }

    /// Stops `host` for good: what is under way to it is lost.
    public func takeDown(_ host: Int) {
        stations[host].isUp = false
        stations[host].isPaused = false
        dropBacklog(of: host)
    }

    /// Lets `host` run again after `takeDown`.
    public func bringUp(_ host: Int) {
        stations[host].isUp = true
        stations[host].wake = nil
    }

    /// Stops `host` as SIGSTOP does: its timers stand still and its sockets fill.
    public func pause(_ host: Int) {
        if stations[host].isUp { stations[host].isPaused = true }
    }

    /// Lets a paused host go on: it finds the present time, timers that are long due, and what its sockets kept.
    /// Which of the two it looks at first is drawn.
    public func resume(_ host: Int) {
        guard stations[host].isPaused else { return }
        stations[host].isPaused = false
        stations[host].wake = nil
        let timersFirst = random.chance(0.5)
        if timersFirst { rearm(host) }
        for slot in stations[host].backlog { queue.schedule(.arrival(packet: slot, host: host), at: now) }
        stations[host].backlog.removeAll(keepingCapacity: true)
        if !timersFirst { rearm(host) }
    }

    private func dropBacklog(of host: Int) {
        for slot in stations[host].backlog { packets.release(slot) }
        stations[host].backlog.removeAll(keepingCapacity: true)
    }

    // MARK: Links

    /// Makes every link behave like `profile`, except those set one by one.
    public func setProfile(_ profile: LinkProfile) {
        self.profile = profile
    }

    /// Makes the direction from one host to another behave like `profile`; nil for like every other link.
    public func setProfile(_ profile: LinkProfile?, from: Int, to: Int) {
        linkProfiles[Link(from: from, to: to)] = profile
    }

    /// Lets nothing pass from one host to another, or lets it pass again.
    public func setBlocked(_ isBlocked: Bool, from: Int, to: Int) {
        if isBlocked {
            blocked.insert(Link(from: from, to: to))
        } else {
            blocked.remove(Link(from: from, to: to))
        }
    }

    /// Lets nothing pass on one of several networks.
    public func cut(network: Int) {
        cut.insert(network)
    }

    /// Lets everything pass everywhere, without loss.
    public func heal() {
        blocked.removeAll()
        cut.removeAll()
        linkProfiles.removeAll()
        profile = .local
    }

    // MARK: Datagrams

    /// Sends a datagram from `host` to an endpoint, or to a group: then every other host of the group gets a copy.
    public func transmit(_ datagram: UnsafeRawBufferPointer, from source: Endpoint, host: Int, to destination: Endpoint) {
        tap?(now, source, destination, datagram)
        guard cut.isEmpty || !cut.contains(networks[destination] ?? 0) else { return }
        if let members = groups[destination] {
            let slot = packets.store(datagram, from: source, to: destination, viaGroup: true)
            for member in members where member.host != host || member.loopback { pass(slot, from: host, to: member.host) }
            packets.recycle(slot)
        } else if let target = holders[destination] {
            let slot = packets.store(datagram, from: source, to: destination, viaGroup: false)
            pass(slot, from: host, to: target)
            packets.recycle(slot)
        }
    }

    private func pass(_ slot: PacketPool.Slot, from: Int, to: Int) {
        guard from != to else {
            packets.retain(slot)
            return queue.schedule(.arrival(packet: slot, host: to), at: now + Self.loopbackDelay)
        }
        let link = Link(from: from, to: to)
        guard blocked.isEmpty || !blocked.contains(link) else { return }
        let profile = linkProfiles.isEmpty ? profile : linkProfiles[link] ?? profile
        guard !random.chance(profile.loss) else { return }
        for _ in 0..<(random.chance(profile.duplication) ? 2 : 1) {
            let copy = random.chance(profile.damage) ? packets.damage(slot, random: &random) : slot
            packets.retain(copy)
            queue.schedule(.arrival(packet: copy, host: to), at: now + profile.delay + random.interval(upTo: profile.jitter))
        }
    }

    // MARK: Time

    /// Makes step `number` happen at `time`.
    public func schedule(step number: Int, at time: Instant) {
        queue.schedule(.step(number), at: max(time, now))
    }

    /// Makes sure that `host` is called when its next timer is due. To be called after everything that may have set a timer.
    public func rearm(_ host: Int) {
        guard stations[host].isUp, let deadline = stations[host].host.nextDeadline else { return }
        if let wake = stations[host].wake, wake <= deadline { return }
        let wake = max(deadline, now)
        stations[host].wake = wake
        queue.schedule(.wake(host: host), at: wake)
    }

    /// Lets everything happen that is due until `end`, and sets the clock to `end`.
    public func run(until end: Instant, perform: (Int) -> Void) {
        while stalledHost == nil, let time = queue.nextTime, time <= end, let (_, event) = queue.takeNext() {
            now = time
            switch event {
            case .arrival(let slot, let host): arrive(slot, at: host)
            case .wake(let host): wake(host)
            case .step(let number): perform(number)
            }
        }
        now = max(now, end)
    }

    private func arrive(_ slot: PacketPool.Slot, at host: Int) {
        guard stations[host].isUp, isAddressed(slot, host) else { return packets.release(slot) }
        if stations[host].isPaused {
            guard stations[host].backlog.count < Self.pausedBacklogLimit else { return packets.release(slot) }
            stations[host].backlog.append(slot)
            return
        }
        let packet = packets[slot]
        deliveries += 1
        digest.add(now.nanoseconds)
        digest.add(host)
        packet.bytes.withUnsafeBytes { bytes in
            digest.add(bytes)
            stations[host].host.receive(bytes, from: packet.source, to: packet.destination, viaGroup: packet.viaGroup, on: self)
        }
        packets.release(slot)
        rearm(host)
    }

    /// An address may have moved while the datagram was under way.
    private func isAddressed(_ slot: PacketPool.Slot, _ host: Int) -> Bool {
        packets[slot].viaGroup || holders[packets[slot].destination] == host
    }

    private func wake(_ host: Int) {
        // Wakes that were overtaken by an earlier one, or that belong to a life before a crash, are recognised by their time.
        guard stations[host].wake == now else { return }
        stations[host].wake = nil
        guard stations[host].isUp, !stations[host].isPaused, let deadline = stations[host].host.nextDeadline else { return }
        if deadline <= now {
            stations[host].wakesAtThatTime = stations[host].lastWake == now ? stations[host].wakesAtThatTime + 1 : 0
            stations[host].lastWake = now
            if stations[host].wakesAtThatTime > Self.wakesPerInstant { stalledHost = host }
            stations[host].host.advance(on: self)
        }
        rearm(host)
    }
}
