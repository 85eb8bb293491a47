import CmanNode
import EngineKit
import WireFormat

/// Hosts that each run one legacy member, and what they saw.
final class LegacyCluster: EngineEnvironment {
    typealias Engine = CmanNode

    /// The subnet broadcast of one of the cluster's networks.
    private static func group(_ network: Int) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A01_FFFF + UInt32(network) << 16), 6809) }

    /// Ports of the workload: one that is never blocked, one that waits for quorum, one whose acknowledgements are held.
    static let ports: [UInt8] = [5, 11, 12]
    private static let heldPort: UInt8 = 12

    /// The longest time that a held acknowledgement is held.
    private static let holding = Interval.milliseconds(800)

    /// What is scheduled.
    private enum Task {
        case script(Script<LegacyCommand>.Action)
        case acknowledge(host: Int, incarnation: Int, CmanTag)
        case start(host: Int)
    }

    let network: VirtualNetwork
    private(set) var history: LegacyHistory
    private(set) var hosts: [EngineHost<LegacyCluster>] = []
    private let networks: Int
    private var random: RandomSource
    private var tasks: [Task] = []
    private var sent: [Int]
    private var labels: [[CmanTag: MessageLabel]]
    /// The node that is being called has agreed on membership.
    private var hasNewView = false
    /// Hosts that left in order and are not to come back.
    private(set) var stayDown: Set<Int> = []

    init(profiles: [CmanConfiguration.Profile], networks: Int, seed: UInt64) {
        let count = profiles.count
        var random = RandomSource(seed: seed)
        network = VirtualNetwork(seed: random.next())
        history = LegacyHistory(nodeIDs: (0..<count).map { UInt32($0 + 1) }, profiles: profiles)
        self.networks = networks
        sent = Array(repeating: 0, count: count)
        labels = Array(repeating: [:], count: count)
        self.random = random
        for number in 0..<count {
            let host = EngineHost(environment: self, network: network, number: number)
            hosts.append(host)
            _ = network.attach(host)
            for index in 0..<networks {
                network.bind(endpoint(number, on: index), to: number, network: index)
                network.join(Self.group(index), host: number, network: index)
            }
            network.takeDown(number)
        }
    }

    private func endpoint(_ host: Int, on network: Int) -> Endpoint {
        Endpoint(IPAddress(ipv4: 0x0A01_0001 + UInt32(host) + UInt32(network) << 16), 6809)
    }

    private func process(_ host: EngineHost<LegacyCluster>) -> ProcessID {
        ProcessID(host: host.number, incarnation: host.incarnation)
    }

    private func note(_ fact: LegacyHistory.Fact, of host: EngineHost<LegacyCluster>) {
        history.add(fact, of: process(host), at: network.now)
    }

    /// Whether the node of a host is a member outside any transition.
    func isSettled(_ host: EngineHost<LegacyCluster>) -> Bool { host.engine?.state == .member }

    /// Ids of the members that a host knows, itself included.
    func members(of host: EngineHost<LegacyCluster>) -> [UInt32] {
        host.engine?.members.filter { $0.state == .member }.map(\.id) ?? []
    }

    // MARK: Running

    /// Schedules the steps of `script`.
    func schedule(_ script: Script<LegacyCommand>) {
        for step in script.steps { schedule(.script(step.action), at: step.time) }
    }

    /// Starts `host` at `time` unless it runs then.
    func scheduleStart(of host: Int, at time: Instant) {
        schedule(.start(host: host), at: time)
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
        case .script(.fault(.crash(let host))): end(hosts[host])
        case .script(.fault(.restart(let host))), .start(let host): start(hosts[host])
        case .script(.fault(let fault)): network.apply(fault)
        case .script(.command(let command)): perform(command)
        case .acknowledge(let host, let incarnation, let tag):
            guard hosts[host].incarnation == incarnation else { return }
            hosts[host].command { engine, now, effects in engine.acknowledge(tag, at: now, into: &effects) }
        }
    }

    private func perform(_ command: LegacyCommand) {
        switch command {
        case .send(let host, let port, let target, let length): send(length, from: hosts[host], port: port, to: target)
        case .leave(let host, let removed):
            hosts[host].command { engine, now, effects in engine.leave(removed: removed, at: now, into: &effects) }
            stayDown.insert(host)
        case .rejoin(let host):
            stayDown.remove(host)
            guard hosts[host].engine?.state == .left || hosts[host].engine?.state == .rejected else { return }
            end(hosts[host])
            start(hosts[host])
        case .kill(let host, let target):
            hosts[host].command { engine, now, effects in engine.kill(node: history.nodeIDs[target], at: now, into: &effects) }
        case .probe(let host, let target, let port):
            hosts[host].command { engine, now, effects in
                engine.probeListener(node: history.nodeIDs[target], port: port, at: now, into: &effects)
            }
        }
    }

    private func start(_ host: EngineHost<LegacyCluster>) {
        guard host.engine == nil, !stayDown.contains(host.number) else { return }
        var configuration = CmanConfiguration(
            clusterName: "simulated",
            nodeName: "node\(host.number + 1)",
            addresses: (0..<networks).map { endpoint(host.number, on: $0) }
        )
        configuration.wantedNodeID = history.nodeIDs[host.number]
        configuration.expectedVotes = UInt32(hosts.count)
        configuration.profile = history.profiles[host.number]
        configuration.listeningPorts = Set(Self.ports)
        configuration.heldPorts = [Self.heldPort]
        host.start(CmanNode(configuration: configuration, seed: random.next()))
        sent[host.number] = 0
        labels[host.number] = [:]
        note(.state("started"), of: host)
        host.command { engine, now, effects in engine.join(at: now, into: &effects) }
    }

    /// Ends a host without a word.
    func end(_ host: EngineHost<LegacyCluster>) {
        guard host.engine != nil else { return }
        note(.state("ended"), of: host)
        history.end(process(host), at: network.now)
        host.crash()
    }

    /// Lets every member enter a barrier that takes all of them.
    func enterBarrier(_ name: String) {
        for host in hosts {
            let count = members(of: host).count
            host.command { engine, now, effects in
                engine.enterBarrier(name: name, count: count, timeout: .seconds(20), at: now, into: &effects)
            }
        }
    }

    private func send(_ length: Int, from host: EngineHost<LegacyCluster>, port: UInt8, to target: Int?) {
        let label = MessageLabel(host: host.number, incarnation: host.incarnation, number: sent[host.number] + 1)
        let payload = label.payload(length: length)
        let node = target.map { history.nodeIDs[$0] } ?? 0
        let members = members(of: host)
        let isAccepted = host.command { engine, now, effects in
            payload.withUnsafeBytes { bytes in
                do throws(CmanSendError) {
                    let tag = try engine.send(bytes, from: port, to: port, node: node, at: now, into: &effects)
                    labels[host.number][tag] = label
                    note(.sent(label, port: port, target: node, members: members), of: host)
                    return true
                } catch {
                    return false
                }
            }
        }
        if isAccepted == true { sent[host.number] += 1 }
    }

    // MARK: Engines

    func transmit(
        _ datagram: UnsafeRawBufferPointer,
        to destination: CmanDestination,
        by engine: borrowing CmanNode,
        on host: EngineHost<LegacyCluster>
    ) {
        switch destination {
        case .group(let interface):
            network.transmit(datagram, from: endpoint(host.number, on: interface), host: host.number, to: Self.group(interface))
        case .endpoint(let target, let interface):
            network.transmit(datagram, from: endpoint(host.number, on: interface), host: host.number, to: target)
        }
    }

    func observe(
        _ event: CmanEvent,
        in effects: borrowing Effects<CmanDestination, CmanEvent>,
        by engine: borrowing CmanNode,
        on host: EngineHost<LegacyCluster>
    ) {
        switch event {
        case .joined(let id): note(.joined(id: id), of: host)
        case .left(let reason):
            note(.left(reason), of: host)
            hasNewView = false
        case .memberUp(let member): note(.member(member.id, isUp: true), of: host)
        case .memberDown(let member, let reason):
            note(.member(member.id, isUp: false), of: host)
            hasNewView = false
            note(.state("reason \(reason)"), of: host)
        case .transitionEnded: hasNewView = true
        case .message(let message): receive(message, effects.withBytes(message.payload) { MessageLabel(payload: $0) }, on: host)
        case .sent(let tag):
            if let label = labels[host.number].removeValue(forKey: tag) { note(.acknowledged(label, members: members(of: host)), of: host) }
        case .sendFailed(let tag, let error):
            if let label = labels[host.number].removeValue(forKey: tag) { note(.failed(label, error), of: host) }
        case .barrier(let name, let result): note(.barrier(name, result), of: host)
        case .state(let state): note(.state(state.rawValue), of: host)
        case .quorum, .heard, .transitionBegan, .unheard, .portClosed, .listener, .reconfigured, .refused: break
        }
    }

    private func receive(_ message: CmanUserMessage, _ label: MessageLabel?, on host: EngineHost<LegacyCluster>) {
        if let label {
            note(.delivered(label, port: message.targetPort, isUnicast: message.target != 0), of: host)
        } else {
            note(.deliveredDamaged(from: message.source), of: host)
        }
        if let tag = message.heldAcknowledgement {
            let time = network.now + random.interval(upTo: Self.holding)
            schedule(.acknowledge(host: host.number, incarnation: host.incarnation, tag), at: time)
        }
    }

    /// A view is what the node knows when all it had to do is done; one that is over by then is nobody's view.
    func settle(_ engine: inout CmanNode, on host: EngineHost<LegacyCluster>) {
        guard hasNewView else { return }
        hasNewView = false
        let members = engine.members.filter { $0.state == .member }.map(\.id)
        note(.view(generation: engine.generation, members: members, quorum: engine.quorum), of: host)
    }

    func arrival(at destination: Endpoint, viaGroup: Bool, host: EngineHost<LegacyCluster>) -> Arrival {
        let interface = (0..<networks).first { destination == Self.group($0) || destination == endpoint(host.number, on: $0) }
        return Arrival(interface: interface ?? 0, viaGroup: viaGroup)
    }
}
