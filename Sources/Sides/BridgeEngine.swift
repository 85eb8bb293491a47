import Bridging
import CmanNode
import EngineKit
import WireFormat

/// A whole bridge without I/O: the legacy side, the Totem side and the core between them, as one value.
///
/// How to run one:
/// 1. `init`, then `start` once. Datagrams that arrive earlier are not handed in.
/// 2. After every call carry out what `effects` holds, in order, and empty it. A `transmit` names the proxy that sends and where to
///    in its protocol's terms; `BridgeDestination` says from which address. A datagram may reach other proxies of this bridge: let
///    it (the kernel loops broadcasts and multicasts back, and delivers unicasts between local addresses).
/// 3. Hand every datagram to `receive`, once, with the socket that it came in on. Datagrams of the group sockets need no filter:
///    the engine gives each to every proxy of the side except the one it comes from. Never hand a datagram that came in on a
///    proxy's own socket to any other proxy.
/// 4. Call `advance` no later than `nextDeadline`.
/// 5. `BridgeEvent.acquireAddress` is answered by `addressHeld` or `addressRefused`. A proxy exists from then until
///    `releaseAddress`, which needs no answer. Should a foreign host claim a held address, say `addressLost`.
/// 6. `stop` withdraws all proxies in order; `BridgeEvent.stopped` tells when the last one is gone (bounded by
///    `BridgeLimits.drain` and `withdraw`).
///
/// Time never goes backwards, and the same calls give the same effects.
public struct BridgeEngine: Sendable {
    /// The largest payload that a legacy receiver reads (reference/cman-wire.md 1.8), in bytes.
    static let largestPayload = 1480

    private var bridge: Bridge
    private var cman: CmanSide
    private var corosync: CorosyncSide
    private var actions: [BridgeAction] = []
    private var reports: [SideReport] = []
    private var hasReportedStop = false

    /// A bridge that does nothing until `start`. `seed` feeds the proxies' random numbers.
    public init(configuration: BridgeEngineConfiguration, seed: UInt64) {
        var core = BridgeConfiguration(
            nodes: configuration.nodes.map { BridgeNode(id: $0.id, name: $0.name, votes: $0.votes) },
            traits: PerSide(
                first: SideTraits(
                    name: "cman",
                    proxiesFormAlone: false,
                    readmission: configuration.cman.timers.duplicateJoin + .seconds(1),
                    sendWindow: 2,
                    largestPayload: Self.largestPayload
                ),
                second: SideTraits(
                    name: "corosync",
                    proxiesFormAlone: true,
                    readmission: .seconds(1),
                    sendWindow: 64,
                    largestPayload: Self.largestPayload
                )
            ),
            ports: configuration.ports.ports
        )
        core.limits = configuration.limits
        bridge = Bridge(configuration: core)
        cman = CmanSide(configuration: configuration, seed: seed)
        corosync = CorosyncSide(configuration: configuration, seed: ~seed)
    }

    /// Begins. Nothing is sent before a native member is heard.
    public mutating func start(at now: Instant, into effects: inout BridgeEffects) {
        settle(at: now, into: &effects)
    }

    /// Takes a datagram. The bytes need to stay valid during the call only.
    public mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        arrival: BridgeArrival,
        at now: Instant,
        into effects: inout BridgeEffects
    ) {
        let (side, interface, proxy): (SideID, Int, UInt32?) =
            switch arrival {
            case .group(let side, let interface): (side, interface, nil)
            case .proxy(let node, let side, let interface): (side, interface, node)
            }
        switch side {
        case .first: cman.receive(datagram, from: source, interface: interface, proxy: proxy, at: now, into: &effects)
        case .second: corosync.receive(datagram, from: source, interface: interface, proxy: proxy, at: now, into: &effects)
        }
        settle(at: now, into: &effects)
    }

    /// Lets every timer that is due at `now` expire.
    public mutating func advance(to now: Instant, into effects: inout BridgeEffects) {
        bridge.advance(to: now, into: &actions)
        cman.advance(to: now, into: &effects)
        corosync.advance(to: now, into: &effects)
        settle(at: now, into: &effects)
    }

    /// When `advance` must be called next; nil while no timer runs.
    public var nextDeadline: Instant? {
        var earliest = bridge.nextDeadline
        if let deadline = cman.nextDeadline { earliest = earliest.map { min($0, deadline) } ?? deadline }
        if let deadline = corosync.nextDeadline { earliest = earliest.map { min($0, deadline) } ?? deadline }
        return earliest
    }

    /// The address that `node` has on `side` is held and announced, and its sockets are open; answers `acquireAddress`.
    public mutating func addressHeld(_ node: UInt32, on side: SideID, at now: Instant, into effects: inout BridgeEffects) {
        bridge.addressHeld(node, on: side, at: now, into: &actions)
        settle(at: now, into: &effects)
    }

    /// The address cannot be taken; answers `acquireAddress`. `holder` says who has it (a link-layer address) or what went wrong.
    public mutating func addressRefused(
        _ node: UInt32,
        on side: SideID,
        holder: String,
        at now: Instant,
        into effects: inout BridgeEffects
    ) {
        bridge.addressRefused(node, on: side, holder: holder, at: now, into: &actions)
        settle(at: now, into: &effects)
    }

    /// A foreign host, `holder`, claims an address that is held: its proxy leaves, and `releaseAddress` follows.
    public mutating func addressLost(
        _ node: UInt32,
        on side: SideID,
        holder: String,
        at now: Instant,
        into effects: inout BridgeEffects
    ) {
        bridge.addressLost(node, on: side, holder: holder, at: now, into: &actions)
        settle(at: now, into: &effects)
    }

    /// Withdraws every proxy, in order.
    public mutating func stop(at now: Instant, into effects: inout BridgeEffects) {
        bridge.stop(at: now, into: &actions)
        settle(at: now, into: &effects)
    }

    /// Whether `stop` was called and no proxy is left.
    public var isStopped: Bool { bridge.isStopped }

    /// What there is to see at `now`.
    public func status(at now: Instant) -> BridgeStatus { bridge.status(at: now) }

    /// Members of the ring of Totem proxy `node`, ascending, the proxy included; nil while the ring changes. With `udpu` a datagram for
    /// `TotemDestination.members` goes to these, and while there are none to all nodes.
    public func ringMembers(of node: UInt32) -> [UInt32]? {
        corosync.ringMembers(of: node)
    }

    /// Packets that proxies refused, by side; each was told as `BridgeEvent.refusedPacket`.
    public var refusedPackets: PerSide<UInt64> { PerSide(first: cman.refusedPackets, second: corosync.refusedPackets) }

    /// Carries actions to the sides and their reports back to the core until nothing is left.
    private mutating func settle(at now: Instant, into effects: inout BridgeEffects) {
        repeat {
            // What an action leads to is appended behind it.
            var position = 0
            while position < actions.count {
                carryOut(actions[position], at: now, into: &effects)
                position += 1
            }
            actions.removeAll(keepingCapacity: true)
            hearReports(of: .cman, at: now)
            hearReports(of: .corosync, at: now)
        } while !actions.isEmpty
        if isStopped, !hasReportedStop {
            hasReportedStop = true
            effects.report(.stopped)
        }
    }

    private mutating func carryOut(_ action: BridgeAction, at now: Instant, into effects: inout BridgeEffects) {
        switch action {
        case .order(let order, .first): cman.carryOut(order, at: now, into: &effects)
        case .order(let order, .second): corosync.carryOut(order, at: now, into: &effects)
        case .acquireAddress(let node, let side): effects.report(.acquireAddress(node: node, side: side))
        case .releaseAddress(let node, let side): effects.report(.releaseAddress(node: node, side: side))
        case .alarm(let alarm): effects.report(.alarm(alarm))
        case .note(let note): effects.report(.note(note))
        }
    }

    private mutating func hearReports(of side: SideID, at now: Instant) {
        switch side {
        case .first: swap(&reports, &cman.reports)
        case .second: swap(&reports, &corosync.reports)
        }
        for report in reports { bridge.take(report, from: side, at: now, into: &actions) }
        reports.removeAll(keepingCapacity: true)
    }
}
