import Bridging
import ClusterServices
import CmanNode
import EngineKit
import Sides
import TotemNode
import WireFormat

/// A cluster half way through its upgrade: native members of both sides, and the bridge between them.
///
/// Of `n` nodes, node `k` has host `k` for its life on the legacy side and host `n + k` for the one on the Totem side; the bridge is
/// host `2n`.
final class BridgedCluster {
    static let name = "alpha"
    static let port: UInt8 = 20
    static let legacyGroup = Endpoint(IPAddress(ipv4: 0x0A01_FFFF), 6809)

    static func legacyEndpoint(_ node: UInt32) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A01_0000 + node), 6809) }

    /// A node that moves is started on its new side this long after it left the old one, or later if the bridge still has its address.
    private static let moveTime = Interval.seconds(5)

    /// The longest time until the bridge has given up the address of a node that left the other side.
    private static let releaseLimit = Interval.seconds(120)

    /// Loss that nobody may lose its membership for: four copies of a message or their acknowledgements in a row are never lost.
    private static let bearableLoss = 0.03

    private enum Task {
        case script(Script<BridgedCommand>.Action)
        case finishProbing(UInt32, SideID)
        case startNode(Int, wasLegacy: Bool, since: Instant)
    }

    let network: VirtualNetwork
    /// Node id of each host that is a node's.
    let nodeIDs: [UInt32]
    let count: Int
    private(set) var history: LegacyHistory
    var ringHistory: RingHistory
    private(set) var violations: [Violation] = []
    private(set) var legacyHosts: [EngineHost<LegacyPart>] = []
    private(set) var totemHosts: [EngineHost<TotemPart>] = []
    /// Whether each node lives on the legacy side.
    private(set) var isLegacy: [Bool]
    /// Nodes that were hit by a fault or moved: others have a reason to lose them.
    private(set) var disturbed: Set<UInt32> = []

    /// A crash of the bridge may cost messages (design promise 1) that it acknowledged early.
    private(set) var hasBridgeCrashed = false
    /// Nodes that have left one side and have not come back on the other.
    private var moving: Set<Int> = []

    private let profile: CmanConfiguration.Profile
    private var random: RandomSource
    private var tasks: [Task] = []
    private var sent: [ProcessID: Int] = [:]
    private var parts: (legacy: LegacyPart, totem: TotemPart)?
    private var bridgeHost: BridgeHost?

    init(legacy: Int, totem: Int, transport kind: RingTransport.Kind, profile: CmanConfiguration.Profile, seed: UInt64) {
        var random = RandomSource(seed: seed)
        network = VirtualNetwork(seed: random.next())
        self.random = random
        self.profile = profile
        count = legacy + totem
        let ids = (0..<UInt32(count)).map { $0 + 1 }
        nodeIDs = ids + ids
        isLegacy = (0..<count).map { $0 < legacy }
        history = LegacyHistory(nodeIDs: nodeIDs)
        ringHistory = RingHistory(nodeIDs: nodeIDs)
        let transport = RingTransport(kind: kind, nodeIDs: ids)
        let parts = (legacy: LegacyPart(cluster: self), totem: TotemPart(cluster: self, transport: transport))
        self.parts = parts
        legacyHosts = (0..<count).map { EngineHost(environment: parts.legacy, network: network, number: $0) }
        totemHosts = (0..<count).map { EngineHost(environment: parts.totem, network: network, number: count + $0) }
        attach(transport)
    }

    private func attach(_ transport: RingTransport) {
        for host in legacyHosts {
            network.join(Self.legacyGroup, host: network.attach(host))
            network.takeDown(host.number)
        }
        for host in totemHosts {
            let number = network.attach(host)
            if transport.kind == .udp { network.join(RingTransport.group, host: number) }
            network.takeDown(number)
        }
        let configuration = BridgeEngineConfiguration(
            clusterName: Self.name,
            nodes: transport.nodeIDs.map {
                .init(
                    id: $0,
                    name: "node\($0)",
                    cmanAddresses: [Self.legacyEndpoint($0)],
                    totemAddress: RingTransport.endpoint(of: $0).address
                )
            }
        )
        let bridge = BridgeHost(network: network, number: 2 * count, configuration: configuration, transport: transport)
        let number = network.attach(bridge)
        network.join(Self.legacyGroup, host: number, loopback: true)
        if transport.kind == .udp { network.join(RingTransport.group, host: number, loopback: true) }
        network.takeDown(number)
        bridge.answer = { [unowned self] node, side, delay in schedule(.finishProbing(node, side), at: network.now + delay) }
        bridge.note = { [unowned self] text in note(.state("bridge: \(text)"), of: ProcessID(host: number, incarnation: 1)) }
        bridgeHost = bridge
    }

    /// The bridge, while its process runs.
    var bridge: BridgeEngine? { bridgeHost?.engine }

    func note(_ fact: LegacyHistory.Fact, of process: ProcessID) {
        history.add(fact, of: process, at: network.now)
    }

    // MARK: Running

    func schedule(_ script: Script<BridgedCommand>) {
        for step in script.steps { schedule(.script(step.action), at: step.time) }
    }

    /// Starts machine `machine` at `time` unless it runs then.
    func scheduleStart(of machine: Int, at time: Instant) {
        schedule(.script(.fault(.restart(host: machine))), at: time)
    }

    private func schedule(_ task: Task, at time: Instant) {
        tasks.append(task)
        network.schedule(step: tasks.count - 1, at: time)
    }

    func run(for interval: Interval) {
        network.run(until: network.now + interval, perform: perform)
    }

    func perform(_ number: Int) {
        switch tasks[number] {
        case .script(.fault(let fault)): apply(fault)
        case .script(.command(.send(let node, let target, let length))): send(length, from: node, to: target)
        case .script(.command(.move(let node))): move(node)
        case .finishProbing(let node, let side): bridgeHost?.finishProbing(node, side)
        case .startNode(let node, let wasLegacy, let since): startMoved(node, wasLegacy: wasLegacy, since: since)
        }
    }

    /// Hosts of machine `machine`: a node's, or the bridge's.
    private func hosts(of machine: Int) -> Set<Int> { machine == count ? [2 * count] : [machine, count + machine] }

    private func runningHost(of machine: Int) -> Int {
        machine == count ? 2 * count : isLegacy[machine] ? machine : count + machine
    }

    /// Faults name machines: nodes from 0, and behind them the bridge.
    private func apply(_ fault: Fault) {
        switch fault {
        case .links(let profile) where profile.loss <= Self.bearableLoss: break
        case .isolate, .block, .link, .links: disturbed.formUnion(nodeIDs)
        default: break
        }
        switch fault {
        case .crash(let machine): crash(machine)
        case .restart(let machine): start(machine)
        case .pause(let machine):
            disturb(machine)
            network.apply(.pause(host: runningHost(of: machine)))
        case .resume(let machine):
            for host in hosts(of: machine) { network.apply(.resume(host: host)) }
        case .isolate(let machines): network.apply(.isolate(hosts: machines.reduce(into: []) { $0.formUnion(hosts(of: $1)) }))
        case .block(let from, let to):
            for source in hosts(of: from) {
                for target in hosts(of: to) where source != target { network.apply(.block(from: source, to: target)) }
            }
        case .link(let profile, let from, let to):
            for source in hosts(of: from) {
                for target in hosts(of: to) { network.apply(.link(profile, from: source, to: target)) }
            }
        case .links, .cut, .heal: network.apply(fault)
        }
    }

    private func disturb(_ machine: Int) {
        if machine < count { disturbed.insert(nodeIDs[machine]) } else { disturbed.formUnion(nodeIDs) }
    }

    /// Starts machine `machine` unless it runs.
    func start(_ machine: Int) {
        guard machine < count else {
            if bridgeHost?.engine == nil { bridgeHost?.start(seed: random.next()) }
            return
        }
        let node = nodeIDs[machine]
        guard let parts, !moving.contains(machine), legacyHosts[machine].engine == nil, totemHosts[machine].engine == nil else { return }
        if isLegacy[machine] {
            let host = legacyHosts[machine]
            take(Self.legacyEndpoint(node), for: host.number)
            parts.legacy.forget(machine)
            host.start(parts.legacy.engine(of: node, profile: profile, seed: random.next()))
            note(.state("started"), of: host.process)
            host.command { engine, now, effects in engine.join(at: now, into: &effects) }
        } else {
            let host = totemHosts[machine]
            take(RingTransport.endpoint(of: node), for: host.number)
            host.start(parts.totem.engine(of: node, seed: random.next()))
            note(.state("started"), of: host.process)
            parts.totem.start(host)
        }
    }

    private func take(_ endpoint: Endpoint, for host: Int) {
        if let holder = network.holder(of: endpoint), holder == 2 * count, network.isUp(holder) {
            violations.append(
                Violation("no double identity", "the bridge holds \(endpoint) when its host starts at \(network.now.seconds)")
            )
        }
        network.bind(endpoint, to: host)
    }

    func crash(_ machine: Int) {
        disturb(machine)
        guard machine < count else {
            hasBridgeCrashed = true
            bridgeHost?.crash()
            return
        }
        end(machine)
    }

    private func end(_ machine: Int) {
        if legacyHosts[machine].engine != nil {
            end(legacyHosts[machine]) { network.release(Self.legacyEndpoint(nodeIDs[machine]), of: $0) }
        }
        if totemHosts[machine].engine != nil {
            end(totemHosts[machine]) { network.release(RingTransport.endpoint(of: nodeIDs[machine]), of: $0) }
        }
    }

    private func end<Part>(_ host: EngineHost<Part>, release: (Int) -> Void) {
        note(.state("ended"), of: host.process)
        history.end(host.process, at: network.now)
        ringHistory.end(host.process)
        host.crash()
        release(host.number)
    }

    private func move(_ node: Int) {
        guard !moving.contains(node) else { return }
        disturb(node)
        if let engine = legacyHosts[node].engine, engine.state == .member {
            legacyHosts[node].command { engine, now, effects in engine.leave(removed: false, at: now, into: &effects) }
        } else if let engine = totemHosts[node].engine, engine.isSynchronised {
            totemHosts[node].command { engine, now, effects in engine.leave(at: now, into: &effects) }
        } else {
            return
        }
        moving.insert(node)
        schedule(.startNode(node, wasLegacy: isLegacy[node], since: network.now), at: network.now + Self.moveTime)
    }

    /// The second half of a move: the operator looks whether the bridge has given up the address.
    private func startMoved(_ node: Int, wasLegacy: Bool, since: Instant) {
        if isLegacy[node] == wasLegacy {
            end(node)
            isLegacy[node].toggle()
        }
        let side: SideID = isLegacy[node] ? .cman : .corosync
        guard bridgeHost?.held[side]?.contains(nodeIDs[node]) == true else {
            moving.remove(node)
            return start(node)
        }
        if network.now - since > Self.releaseLimit {
            violations.append(Violation("addresses are given up", "node \(nodeIDs[node]) on \(side) is held since \(since.seconds)"))
        } else {
            schedule(.startNode(node, wasLegacy: wasLegacy, since: since), at: network.now + .seconds(1))
        }
    }

    private func send(_ length: Int, from node: Int, to target: Int?) {
        let process = isLegacy[node] ? legacyHosts[node].process : totemHosts[node].process
        let label = MessageLabel(host: process.host, incarnation: process.incarnation, number: sent[process, default: 0] + 1)
        let payload = label.payload(length: length)
        let targetID = target.map { nodeIDs[$0] } ?? 0
        guard target != node, let parts else { return }
        // Written down for the total order too; a processor that is alone delivers at once.
        ringHistory.add(.sent(label), of: process, at: network.now)
        let isAccepted =
            isLegacy[node]
            ? parts.legacy.send(payload, label: label, to: targetID, from: legacyHosts[node])
            : parts.totem.send(payload, label: label, to: targetID, from: totemHosts[node])
        if isAccepted { sent[process, default: 0] += 1 }
    }
}

extension EngineHost {
    /// The present life of the host.
    var process: ProcessID { ProcessID(host: number, incarnation: incarnation) }
}
