import Bridging
import CmanNode
import EngineKit
import Sides
import TotemNode
import WireFormat

/// The host of the bridge: it holds addresses of proxies, and keeps for the next process what this one asks it to store.
final class BridgeHost: SimulatedHost {
    /// How long it takes to probe for an address and to announce it.
    private static let probing = Interval.milliseconds(600)

    let number: Int
    private(set) var engine: BridgeEngine?
    /// Addresses that are held.
    private(set) var held: [SideID: Set<UInt32>] = [.cman: [], .corosync: []]
    /// Called with what is worth a line in a trace.
    var note: (String) -> Void = { _ in }
    /// Schedules the answer to `acquireAddress`.
    var answer: (UInt32, SideID, Interval) -> Void = { _, _, _ in }

    private let network: VirtualNetwork
    private let transport: RingTransport
    private var configuration: BridgeEngineConfiguration
    private var pending: [SideID: Set<UInt32>] = [.cman: [], .corosync: []]
    private var effects = BridgeEffects(capacity: 4096)

    init(network: VirtualNetwork, number: Int, configuration: BridgeEngineConfiguration, transport: RingTransport) {
        self.network = network
        self.number = number
        self.configuration = configuration
        self.transport = transport
    }

    var nextDeadline: Instant? { engine?.nextDeadline }

    func start(seed: UInt64) {
        engine = BridgeEngine(configuration: configuration, seed: seed)
        network.bringUp(number)
        call { engine, now, effects in engine.start(at: now, into: &effects) }
    }

    /// The process ends without a word; the next one begins without addresses.
    func crash() {
        for side in [SideID.cman, .corosync] {
            for node in held[side] ?? [] { network.release(endpoint(node, side), of: number) }
            held[side] = []
            pending[side] = []
        }
        engine = nil
        network.takeDown(number)
    }

    /// The end of probing for the address of `node` on `side`.
    func finishProbing(_ node: UInt32, _ side: SideID) {
        guard pending[side]?.remove(node) != nil else { return }
        if let holder = network.holder(of: endpoint(node, side)), holder != number, network.isUp(holder) {
            call { engine, now, effects in
                engine.addressRefused(node, on: side, holder: "host \(holder)", at: now, into: &effects)
            }
        } else {
            network.bind(endpoint(node, side), to: number)
            held[side]?.insert(node)
            call { engine, now, effects in engine.addressHeld(node, on: side, at: now, into: &effects) }
        }
    }

    private func endpoint(_ node: UInt32, _ side: SideID) -> Endpoint {
        side == .cman ? BridgedCluster.legacyEndpoint(node) : RingTransport.endpoint(of: node)
    }

    private func call(_ body: (inout BridgeEngine, Instant, inout BridgeEffects) -> Void) {
        guard var engine else { return }
        self.engine = nil
        body(&engine, network.now, &effects)
        carryOut(by: engine)
        self.engine = engine
        network.rearm(number)
    }

    func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        to destination: Endpoint,
        viaGroup: Bool,
        on network: VirtualNetwork
    ) {
        let side: SideID = destination.port == RingTransport.port ? .corosync : .cman
        let arrival: BridgeArrival =
            viaGroup ? .group(side: side) : .proxy((destination.address.ipv4Number ?? 0) & 0xFFFF, side: side)
        call { engine, now, effects in engine.receive(datagram, from: source, arrival: arrival, at: now, into: &effects) }
    }

    func advance(on network: VirtualNetwork) {
        call { engine, now, effects in engine.advance(to: now, into: &effects) }
    }

    private func carryOut(by engine: BridgeEngine) {
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, to: .cman(let proxy, let destination)):
                let target: Endpoint = if case .endpoint(let endpoint, _) = destination { endpoint } else { BridgedCluster.legacyGroup }
                effects.withBytes(range) {
                    network.transmit($0, from: BridgedCluster.legacyEndpoint(proxy), host: number, to: target)
                }
            case .transmit(let range, to: .corosync(let proxy, let destination)):
                let members = engine.ringMembers(of: proxy) ?? transport.nodeIDs
                effects.withBytes(range) {
                    transport.transmit($0, to: destination, from: proxy, members: members, host: number, on: network)
                }
            case .event(let event): carryOut(event)
            }
        }
        effects.removeAll()
    }

    private func carryOut(_ event: BridgeEvent) {
        switch event {
        case .acquireAddress(let node, let side):
            pending[side]?.insert(node)
            answer(node, side, Self.probing)
        case .releaseAddress(let node, let side):
            pending[side]?.remove(node)
            held[side]?.remove(node)
            network.release(endpoint(node, side), of: number)
        case .storeRingSequence(let proxy, let sequence): configuration.corosync.storedRingSequences[proxy] = sequence
        case .storeReliableSequence(let sender, let sequence): configuration.reliableSequences[sender] = sequence
        case .alarm, .note, .stopped: note("\(event)")
        case .refusedPacket: break
        }
    }
}
