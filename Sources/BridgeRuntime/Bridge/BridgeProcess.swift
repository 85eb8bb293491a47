import Bridging
import EngineKit
import Logging
import Sides
import WireFormat

/// Runs a bridge: sockets, addresses, state file, admin endpoint and the engine between them, on one thread.
public struct BridgeProcess: LoopParticipant {
    /// What `run` is told besides the configuration.
    public struct Options: Sendable {
        /// Stop in order when the standard input ends: for starters that may die without a word.
        public var stopsWithInput = false

        /// Runs until a signal.
        public init() {}
    }

    private let settings: BridgeSettings
    private let logger: Logger
    private let registry: EventLoop.Registry
    private let interfaces: PerSide<NetworkInterface>
    private let sockets: BridgeSockets
    private let addresses: AddressManager
    private let state: StateFile
    private let admin: AdminEndpoint
    private var snapshots: SnapshotSchedule
    private var refusals = PerSide(both: RefusalLog())

    private var engine: BridgeEngine
    private var effects = BridgeEffects()
    private var hasStopped = false
    private var deadlineOfStop: Instant?
    private var isInterrupted = false
    private var input = LineInput()

    private static let inputToken = EventLoop.Token(rawValue: 3)
    private static let firstAddressToken: UInt64 = 1 << 48
    /// How long an orderly stop may take, the drain of queues included, before the process ends without it.
    private static let stopLimit = Interval.seconds(40)

    /// Runs the bridge that `settings` describes; returns the exit code.
    public static func run(_ settings: BridgeSettings, options: Options) throws -> Int32 {
        let logger = Logger(label: "bridge") { _ in LineLogHandler() }
        for warning in settings.warnings { logger.warning("\(warning)") }
        let loop = try EventLoop(handlingSignals: true)
        var process = try BridgeProcess(settings, registry: loop.registry, logger: logger)
        if options.stopsWithInput, !loop.registry.watchStandardInput(as: inputToken) {
            throw SystemCallError("watch the standard input: it is a file", code: 1)
        }
        process.begin()
        defer { process.giveBackAddresses() }
        try loop.run(&process)
        logger.info("stopped")
        return process.isInterrupted ? 1 : 0
    }

    private init(_ settings: BridgeSettings, registry: EventLoop.Registry, logger: Logger) throws {
        self.settings = settings
        self.registry = registry
        self.logger = logger
        interfaces = PerSide(
            first: try Self.interface(
                named: settings.legacyInterface,
                of: settings.nodes.map(\.legacyAddress),
                "legacy.interface",
                settings
            ),
            second: try Self.interface(named: settings.totemInterface, of: settings.nodes.map(\.totemAddress), "totem.interface", settings)
        )
        try RuntimeFolder.make(containing: settings.stateFile)
        try RuntimeFolder.make(containing: settings.adminSocket)
        state = try StateFile(path: settings.stateFile)
        let recorder = try settings.capture.map { try PacketRecorder(path: $0, direction: settings.captureDirection, logger: logger) }
        sockets = try BridgeSockets(settings, interfaces: interfaces, registry: registry, recorder: recorder)
        let policy: AddressManager.Policy =
            if let hook = settings.addressHook { .hook(hook) } else if settings.manageAddresses { .managed } else { .present }
        addresses = AddressManager(policy: policy, registry: registry, firstToken: Self.firstAddressToken)
        engine = BridgeEngine(configuration: settings.engineConfiguration(state: state), seed: UInt64.random(in: 0 ... .max))
        snapshots = SnapshotSchedule()
        admin = try AdminEndpoint(path: settings.adminSocket)
    }

    private static func interface(
        named name: String?,
        of addresses: [IPAddress],
        _ key: String,
        _ settings: BridgeSettings
    ) throws -> NetworkInterface {
        if let name { return try NetworkInterface(named: name) }
        for address in addresses {
            if let interface = try? NetworkInterface.holding(address).interface { return interface }
        }
        throw ConfigurationError(
            settings.place,
            "no interface of this host holds any of its addresses",
            remedy: "write \(key)"
        )
    }

    private mutating func begin() {
        let now = MonotonicClock.now()
        logger.info(
            "bridge of cluster \(settings.cluster): \(settings.nodes.count) nodes, legacy on \(interfaces.first.name), Totem on \(interfaces.second.name)"
        )
        for side in SideID.allCases {
            for node in settings.nodes {
                guard let address = sockets.address(of: node.id, on: side),
                    addresses.removeLeftover(address, from: interfaces[side])
                else { continue }
                logger.warning("removed \(address) of \(node.name) from \(interfaces[side].name): an earlier process had left it there")
            }
        }
        engine.start(at: now, into: &effects)
        settle(at: now)
        publish(at: now)
    }

    /// At the end nothing is held any more, unless the end came in the middle.
    private func giveBackAddresses() {
        for address in addresses.releaseAll(at: MonotonicClock.now()) {
            logger.error("\(address) may still be on this host: call the address hook with release, or its node cannot use it")
        }
        for (address, outcome) in addresses.takeOutcomes() {
            if case .stuck(let reason) = outcome { tellStuck(address, reason) }
        }
    }

    private func tellStuck(_ address: IPAddress, _ reason: String) {
        logger.error("\(address) is still on this host: \(reason); remove it by hand, or its node cannot use it")
    }

    // MARK: The loop

    public var nextDeadline: Instant? {
        var earliest = snapshots.nextDeadline
        for deadline in [engine.nextDeadline, addresses.nextDeadline, deadlineOfStop] {
            if let deadline, deadline < earliest { earliest = deadline }
        }
        return earliest
    }

    public var isFinished: Bool { isInterrupted || hasStopped && !addresses.isReleasing }

    public mutating func ready(_ token: EventLoop.Token, at now: Instant) {
        if token == Self.inputToken {
            _ = input.read(from: 0)
            guard input.isAtEnd else { return }
            registry.forgetStandardInput()
            if deadlineOfStop == nil { stopRequested(at: now) }
        } else if token.rawValue > Self.firstAddressToken {
            addresses.ready(token)
            settle(at: now)
        } else {
            sockets.receive(token) { datagram, source, arrival in
                engine.receive(datagram, from: source, arrival: arrival, at: now, into: &effects)
                settle(at: now)
            }
        }
    }

    public mutating func advance(to now: Instant) {
        addresses.advance(to: now)
        engine.advance(to: now, into: &effects)
        settle(at: now)
        if snapshots.isDue(at: now) { publish(at: now) }
        if let deadlineOfStop, deadlineOfStop <= now, !isFinished {
            logger.error("not everything could be withdrawn within \(Self.stopLimit)")
            isInterrupted = true
        }
    }

    public mutating func stopRequested(at now: Instant) {
        guard deadlineOfStop == nil else {
            isInterrupted = true
            return
        }
        logger.info("stopping: proxies are withdrawn in order")
        deadlineOfStop = now + Self.stopLimit
        engine.stop(at: now, into: &effects)
        settle(at: now)
    }

    private mutating func publish(at now: Instant) {
        snapshots.published(at: now)
        admin.publish(
            StatusDocument(
                engine.status(at: now),
                settings: settings,
                refusedPackets: engine.refusedPackets,
                sockets: sockets.counters,
                process: admin.process,
                time: WallClock.now()
            )
        )
    }

    // MARK: Effects

    /// Carries out effects, and tells the engine what became of addresses, until neither has anything left.
    private mutating func settle(at now: Instant) {
        carryOut(at: now)
        while addresses.hasOutcomes {
            for (address, outcome) in addresses.takeOutcomes() {
                guard let (node, side) = sockets.owner(of: address) else { continue }
                take(outcome, of: node, on: side, address, at: now)
                carryOut(at: now)
            }
        }
    }

    private mutating func take(_ outcome: AddressManager.Outcome, of node: UInt32, on side: SideID, _ address: IPAddress, at now: Instant) {
        switch outcome {
        case .held:
            do throws(SystemCallError) {
                try sockets.open(node, on: side)
                logger.info("address \(address) of node \(node) is held")
                engine.addressHeld(node, on: side, at: now, into: &effects)
            } catch {
                addresses.release(address, at: now)
                engine.addressRefused(node, on: side, holder: error.description, at: now, into: &effects)
            }
        case .refused(let holder): engine.addressRefused(node, on: side, holder: holder, at: now, into: &effects)
        case .lost(let holder): engine.addressLost(node, on: side, holder: holder, at: now, into: &effects)
        case .stuck(let reason): tellStuck(address, reason)
        }
    }

    private mutating func carryOut(at now: Instant) {
        guard !effects.isEmpty else { return }
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, let destination):
                effects.withBytes(range) { datagram in
                    sockets.send(datagram, to: destination) { engine.ringMembers(of: $0) }
                }
            case .event(let event): handle(event, at: now)
            }
        }
        effects.removeAll()
        sockets.flush()
    }

    private mutating func handle(_ event: BridgeEvent, at now: Instant) {
        switch event {
        case .acquireAddress(let node, let side):
            guard let address = sockets.address(of: node, on: side) else { return }
            addresses.acquire(address, on: interfaces[side], at: now)
        case .releaseAddress(let node, let side):
            guard let address = sockets.address(of: node, on: side) else { return }
            sockets.close(node, on: side)
            addresses.release(address, at: now)
            logger.info("address \(address) of node \(node) is given back")
        case .storeRingSequence(let proxy, let sequence): state.store(sequence, .ringSequence, of: proxy)
        case .storeReliableSequence(let sender, let sequence): state.store(UInt64(sequence), .reliableSequence, of: sender)
        case .alarm(let alarm):
            logger.warning("\(BridgeWords.describe(alarm, nodes: settings.nodes))")
            snapshots.hasNews = true
        case .note(let note):
            logger.info("\(BridgeWords.describe(note, nodes: settings.nodes))")
            snapshots.hasNews = true
        case .refusedPacket(let side, let proxy, let reason):
            guard let others = refusals[side].admit(at: now) else { return }
            logger.warning(
                "the \(BridgeWords.name(of: side)) proxy of node \(proxy) refused a packet: \(reason)\(others > 0 ? "; \(others) others since the last such line" : "")"
            )
        case .stopped: hasStopped = true
        }
    }
}

/// When the admin endpoint gets a fresh picture: soon after news, and regularly otherwise.
struct SnapshotSchedule {
    private var last = Instant.zero
    /// Set when something has changed that an operator may wait for.
    var hasNews = false

    private static let period = Interval.milliseconds(500)
    private static let afterNews = Interval.milliseconds(50)

    /// When the next one is due.
    var nextDeadline: Instant { last + (hasNews ? Self.afterNews : Self.period) }

    func isDue(at now: Instant) -> Bool { nextDeadline <= now }

    mutating func published(at now: Instant) {
        last = now
        hasNews = false
    }
}
