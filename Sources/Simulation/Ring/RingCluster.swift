import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Hosts that each run one bare Totem processor of a generation, and what they saw.
final class RingCluster<Dialect: TotemDialect>: EngineEnvironment {
    typealias Engine = TotemNode<Dialect>

    private static var group: StaticString { "simulation" }

    let network: VirtualNetwork
    private(set) var history: RingHistory
    private var hosts: [EngineHost<RingCluster>] = []
    private let transport: RingTransport
    private var random: RandomSource
    private var actions: [Script<RingCommand>.Action] = []
    private var storedRingSequences: [UInt64]
    private var sent: [Int]
    private var stayDown: Set<Int> = []
    private let hasForeignHosts: Bool

    /// - Parameter hasForeignHosts: whether every other host has the other byte order.
    init(hosts count: Int, transport kind: RingTransport.Kind, hasForeignHosts: Bool, seed: UInt64) {
        var random = RandomSource(seed: seed)
        network = VirtualNetwork(seed: random.next())
        let numbers = (0..<count).map { UInt32($0 + 1) }
        var transport = RingTransport(kind: kind, nodeIDs: numbers)
        var ringOrder = numbers
        switch Dialect.generation {
        case .totem2005:
            // The node id is the address, and the order that of the address as a number of the host.
            transport.nodeIDs = numbers.map { RingTransport.endpoint(of: $0).address.ipv4Number ?? 0 }
            transport.idsAreAddresses = true
            ringOrder = transport.nodeIDs.sorted { $0.bigEndian < $1.bigEndian }
        case .openais080, .corosync1, .corosync2:
            transport.reversesAddresses = true
            ringOrder.reverse()
        case .corosync3: break
        }
        self.transport = transport
        self.hasForeignHosts = hasForeignHosts
        let nodeIDs = transport.nodeIDs
        history = RingHistory(nodeIDs: nodeIDs, ringOrder: ringOrder)
        storedRingSequences = Array(repeating: 0, count: count)
        sent = Array(repeating: 0, count: count)
        self.random = random
        for number in 0..<count {
            let host = EngineHost(environment: self, network: network, number: number)
            hosts.append(host)
            _ = network.attach(host)
            transport.attach(number, as: nodeIDs[number], to: network)
        }
    }

    /// Ring of each host that runs.
    var rings: [TotemRingID?] { hosts.map { $0.engine?.ring } }

    private func process(_ host: EngineHost<RingCluster>) -> ProcessID {
        ProcessID(host: host.number, incarnation: host.incarnation)
    }

    // MARK: Running

    /// Starts every processor and runs to the end of `script`.
    func run(_ script: Script<RingCommand>) {
        for host in hosts { start(host) }
        for step in script.steps {
            actions.append(step.action)
            network.schedule(step: actions.count - 1, at: step.time)
        }
        network.run(until: script.steps.last?.time ?? network.now, perform: perform)
    }

    /// Ends every fault: the network is whole, paused hosts go on, and hosts that crashed start again.
    func repair() {
        network.apply(.heal)
        for host in hosts {
            network.apply(.resume(host: host.number))
            if host.engine == nil, !stayDown.contains(host.number) { start(host) }
        }
    }

    func perform(_ number: Int) {
        switch actions[number] {
        case .fault(let fault): apply(fault)
        case .command(.send(let host, let length)): send(length, from: hosts[host])
        case .command(.leave(let host)):
            hosts[host].command { engine, now, effects in engine.leave(at: now, into: &effects) }
            stayDown.insert(host)
            end(hosts[host])
        }
    }

    private func apply(_ fault: Fault) {
        switch fault {
        case .crash(let host): end(hosts[host])
        case .restart(let host): if hosts[host].engine == nil, !stayDown.contains(host) { start(hosts[host]) }
        default: network.apply(fault)
        }
    }

    private func start(_ host: EngineHost<RingCluster>) {
        var configuration = TotemConfiguration(
            nodeID: transport.nodeIDs[host.number],
            nodes: transport.nodeIDs,
            generation: Dialect.generation
        )
        for node in transport.nodeIDs { configuration.addresses[node] = [transport.endpoint(of: node).address] }
        configuration.storedRingSequence = storedRingSequences[host.number]
        var node = TotemNode<Dialect>(configuration: configuration, seed: random.next())
        if hasForeignHosts, host.number % 2 == 1 { node.byteOrder = node.byteOrder == .little ? .big : .little }
        host.start(node)
        sent[host.number] = 0
        history.add(.state("started"), of: process(host), at: network.now)
        host.command { engine, now, effects in engine.start(at: now, into: &effects) }
    }

    private func end(_ host: EngineHost<RingCluster>) {
        guard host.engine != nil else { return }
        history.add(.state("ended"), of: process(host), at: network.now)
        history.end(process(host))
        host.crash()
    }

    private func send(_ length: Int, from host: EngineHost<RingCluster>) {
        let label = MessageLabel(host: host.number, incarnation: host.incarnation, number: sent[host.number] + 1)
        let payload = label.payload(length: length)
        // Written down first, because a processor that is alone delivers at once.
        let isSent = host.command { engine, now, effects in
            payload.withUnsafeBytes { bytes in
                do throws(TotemSendError) {
                    try engine.send(bytes, group: Self.group, at: now, into: &effects)
                    history.add(.sent(label), of: process(host), at: now)
                    return true
                } catch {
                    return false
                }
            }
        }
        if isSent == true { sent[host.number] += 1 }
    }

    // MARK: Engines

    func transmit(
        _ datagram: UnsafeRawBufferPointer,
        to destination: TotemDestination,
        by engine: borrowing TotemNode<Dialect>,
        on host: EngineHost<RingCluster>
    ) {
        transport.transmit(
            datagram,
            to: destination,
            from: transport.nodeIDs[host.number],
            members: engine.members,
            host: host.number,
            on: network
        )
    }

    func observe(
        _ event: TotemEvent,
        in effects: borrowing Effects<TotemDestination, TotemEvent>,
        by engine: borrowing TotemNode<Dialect>,
        on host: EngineHost<RingCluster>
    ) {
        switch event {
        case .state(let state): history.add(.state(state.rawValue), of: process(host), at: network.now)
        case .membership(let configuration):
            history.add(.configuration(configuration), of: process(host), at: network.now)
        case .message(let sender, _, let payload, _):
            let label = effects.withBytes(payload) { MessageLabel(payload: $0) }
            history.add(label.map { .delivered($0) } ?? .deliveredDamaged(from: sender), of: process(host), at: network.now)
        case .storeRingSequence(let sequence): storedRingSequences[host.number] = sequence
        case .duplicateIdentity, .refused: history.add(.state("\(event)"), of: process(host), at: network.now)
        case .tokenSent: break
        }
    }

    /// There are no services to synchronise, so that everybody is done where the regular configuration stands in the order.
    func settle(_ engine: inout TotemNode<Dialect>, on host: EngineHost<RingCluster>) {
        if engine.state == .operational { engine.completeSynchronisation() }
    }

    func arrival(at destination: Endpoint, viaGroup: Bool, host: EngineHost<RingCluster>) -> Arrival {
        Arrival(viaGroup: viaGroup)
    }

    // MARK: Judging

    /// What keeps the cluster from being one ring of all hosts that run.
    func convergenceViolations() -> [Violation] {
        if let host = network.stalledHost { return [Violation("time goes on", "host \(host) is woken for ever at \(network.now.seconds)")] }
        let running = hosts.filter { $0.engine != nil }
        let expected = running.map { transport.nodeIDs[$0.number] }
        return running.compactMap { host in
            guard let engine = host.engine else { return nil }
            if engine.state == .operational, engine.members.sorted() == expected, engine.ring == running.first?.engine?.ring { return nil }
            return Violation("one ring of all", "host \(host.number) is \(engine.state) in \(engine.ring) \(engine.members) of \(expected)")
        }
    }
}
