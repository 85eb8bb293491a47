import EngineKit
import Simulation
import WireFormat

/// The simplest engine there is: it sends a numbered datagram to the group every 100 ms and reports what it hears.
struct BeaconEngine: NodeEngine {
    enum Destination: Sendable {
        case group
    }

    enum Event: Sendable {
        case heard(UInt8, from: Endpoint)
        case late(Interval)
    }

    static let period = Interval.milliseconds(100)

    private var next: Instant
    private var count: UInt8 = 0

    init(start: Instant) {
        next = start + Self.period
    }

    var nextDeadline: Instant? { next }

    mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        arrival: Arrival,
        at now: Instant,
        into effects: inout Effects<Destination, Event>
    ) {
        effects.report(.heard(datagram[0], from: source))
    }

    mutating func advance(to now: Instant, into effects: inout Effects<Destination, Event>) {
        if now > next { effects.report(.late(now - next)) }
        count &+= 1
        let range = withUnsafeBytes(of: count) { effects.keep($0) }
        effects.transmit(range, to: .group)
        next = now + Self.period
    }
}

/// Beacons on a network, and what each of them heard and when.
final class BeaconCluster: EngineEnvironment {
    typealias Engine = BeaconEngine

    static let group = Endpoint(IPAddress(ipv4: 0x0A00_00FF), 6809)

    let network: VirtualNetwork
    private(set) var hosts: [EngineHost<BeaconCluster>] = []
    private(set) var heard: [[(time: Instant, number: UInt8, from: Endpoint)]] = []
    private(set) var late: [Interval] = []

    init(count: Int, seed: UInt64) {
        network = VirtualNetwork(seed: seed)
        for number in 0..<count {
            let host = EngineHost(environment: self, network: network, number: number)
            hosts.append(host)
            heard.append([])
            _ = network.attach(host)
            network.join(Self.group, host: number)
            host.start(BeaconEngine(start: network.now))
            network.rearm(number)
        }
    }

    func address(_ host: Int) -> Endpoint { Endpoint(IPAddress(ipv4: 0x0A00_0001 + UInt32(host)), 6809) }

    func transmit(
        _ datagram: UnsafeRawBufferPointer,
        to destination: BeaconEngine.Destination,
        by engine: borrowing BeaconEngine,
        on host: EngineHost<BeaconCluster>
    ) {
        network.transmit(datagram, from: address(host.number), host: host.number, to: Self.group)
    }

    func observe(
        _ event: BeaconEngine.Event,
        in effects: borrowing Effects<BeaconEngine.Destination, BeaconEngine.Event>,
        by engine: borrowing BeaconEngine,
        on host: EngineHost<BeaconCluster>
    ) {
        switch event {
        case .heard(let number, let source): heard[host.number].append((network.now, number, source))
        case .late(let interval): late.append(interval)
        }
    }

    func arrival(at destination: Endpoint, viaGroup: Bool, host: EngineHost<BeaconCluster>) -> Arrival {
        Arrival(viaGroup: viaGroup)
    }

    func run(for interval: Interval) {
        network.run(until: network.now + interval) { _ in }
    }
}
