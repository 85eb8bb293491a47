import EngineKit
import Logging
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

/// Everything between one Totem processor and the wire: the sockets of its networks, the redundant ring protocol that chooses between
/// them, and the envelopes around its packets.
final class RingTransport<Dialect: TotemDialect> {
    /// Takes a datagram for the processor: plain bytes, sender, way.
    typealias Receiver = (UnsafeRawBufferPointer, Endpoint, Arrival) -> Void

    private let networks: [TotemSockets<Dialect>]
    private let sealer: EnvelopeSealer?
    private let opener: EnvelopeOpener?
    private let logger: Logger
    private let output: ReportOutput

    private var ring: RedundantRing<Dialect>
    private var effects = RedundantRing<Dialect>.Output()
    /// What is being carried out while `effects` takes what comes of it.
    private var current = RedundantRing<Dialect>.Output()
    /// What was read in this turn.
    private var receptions: [RingReception] = []
    private var salts = SaltSource()
    private var sealed: [UInt8] = []
    private var refusals = RefusalLog()

    /// Datagrams that the key does not confirm.
    private(set) var unconfirmed: UInt64 = 0

    /// Opens the sockets of processor `id` and has them watched.
    init(
        _ id: UInt32,
        _ corosync: NodeConfiguration.Corosync,
        registry: EventLoop.Registry,
        recorder: PacketRecorder?,
        output: ReportOutput,
        logger: Logger
    ) throws {
        let security = corosync.security
        sealer = try security.map { try EnvelopeSealer($0.scheme, key: $0.key) }
        opener = sealer.map { EnvelopeOpener(for: $0) }
        self.logger = logger
        self.output = output
        var configuration = corosync.redundantRing
        configuration.nodeID = id
        ring = RedundantRing(configuration: configuration)
        var networks: [TotemSockets<Dialect>] = []
        for (number, network) in corosync.networks.enumerated() {
            let endpoints = corosync.peers.map { ($0.id, Endpoint($0.addresses[number], network.port)) }
            let peers = Dictionary(endpoints, uniquingKeysWith: { first, _ in first })
            guard let local = peers[id] else { continue }
            let sockets = try TotemSockets<Dialect>(
                local: local,
                interface: try NetworkInterface.holding(local.address).interface,
                group: network.group.map { Endpoint($0, network.port) },
                hops: network.hops,
                peers: peers,
                nodeID: id,
                isSealed: security?.scheme.needsKey ?? false,
                recorder: recorder
            )
            try registry.watch(sockets.node.descriptor, as: MemberToken.node(of: number))
            if let group = sockets.group { try registry.watch(group.descriptor, as: MemberToken.group(of: number)) }
            networks.append(sockets)
        }
        self.networks = networks
    }

    /// When `advance` must be called next.
    var nextDeadline: Instant? { ring.nextDeadline }

    /// Datagrams that the kernel took.
    var sent: UInt64 { networks.reduce(0) { $0 + $1.sent } }
    /// Datagrams that the kernel refused.
    var failed: UInt64 { networks.reduce(0) { $0 + $1.failed } }

    /// Each network: whether it is faulty, and its problem counter.
    var status: [(isFaulty: Bool, problems: Int)] { networks.indices.map { (ring.isFaulty($0), ring.problemCount(of: $0)) } }

    // MARK: Receiving

    /// Reads what waits at the socket that is watched under `token`, and with two networks at all the others: before anything that
    /// may be a token, the multicasts of every network are taken, as in the daemons (recv_flush totemrrp.c:1228@ne), and what
    /// waits on both networks is counted together.
    func receive(_ token: EventLoop.Token, at now: Instant, _ receiver: Receiver) {
        guard let (number, viaGroup) = MemberToken.network(of: token), networks.indices.contains(number) else { return }
        if networks.count == 1 {
            networks[number].receive(viaGroup: viaGroup) { take($0, from: $1, over: number, viaGroup: $2, at: now, receiver) }
        } else {
            for (number, sockets) in networks.enumerated() {
                sockets.receiveMulticasts { take($0, from: $1, over: number, viaGroup: $2, at: now, receiver) }
            }
            for (number, sockets) in networks.enumerated() {
                sockets.receive(viaGroup: false) { take($0, from: $1, over: number, viaGroup: $2, at: now, receiver) }
            }
        }
        ring.monitor(receptions, at: now, into: &effects)
        receptions.removeAll(keepingCapacity: true)
        carryOut(at: now, receiver)
    }

    private func take(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        over number: Int,
        viaGroup: Bool,
        at now: Instant,
        _ receiver: Receiver
    ) {
        var plain = datagram
        if let opener {
            guard let opened = opener.open(datagram) else {
                unconfirmed += 1
                guard let others = refusals.admit(at: now) else { return }
                return logger.warning("refused: a datagram of \(source) that the key does not confirm (\(others) more since the last line)")
            }
            plain = opened
        }
        let reception = ring.receive(plain, from: source, over: number, at: now, into: &effects)
        if reception.passesUp { receiver(plain, source, Arrival(interface: number, viaGroup: viaGroup)) }
        receptions.append(reception)
        carryOut(at: now, receiver)
    }

    /// Lets every timer that is due expire.
    func advance(to now: Instant, _ receiver: Receiver) {
        ring.advance(to: now, into: &effects)
        carryOut(at: now, receiver)
    }

    private func carryOut(at now: Instant, _ receiver: Receiver) {
        while !effects.isEmpty {
            swap(&effects, &current)
            for effect in current.effects {
                switch effect {
                case .transmit(let range, let destination):
                    current.withBytes(range) { send($0, to: .node(destination.node), over: RingInterfaces(destination.interface), nil) }
                case .event(let event): handle(event, receiver)
                }
            }
            current.removeAll()
        }
    }

    private func handle(_ event: RedundantRingEvent, _ receiver: Receiver) {
        switch event {
        case .token(let range, let source, let interface):
            current.withBytes(range) { receiver($0, source, Arrival(interface: interface)) }
        case .problem(let interface, let token, let count, let threshold):
            logger.info("network \(interface) missed token \(token): problem \(count) of \(threshold)")
        case .problemForgotten(let interface, let count): logger.info("network \(interface) has \(count) problems left")
        case .faulty(let interface):
            logger.error("network \(interface) is faulty")
            output.report(NodeReport("network").with("number", UInt64(interface)).with("faulty", true))
        case .recovered(let interface):
            logger.notice("network \(interface) is used again")
            output.report(NodeReport("network").with("number", UInt64(interface)).with("faulty", false))
        case .refused(let error, let source): logger.warning("refused: a ring test of \(source): \(error)")
        }
    }

    // MARK: Sending

    /// Sends what the processor wants sent. `members` are the members of the ring, or nil while it changes.
    func send(_ datagram: UnsafeRawBufferPointer, to destination: TotemDestination, members: [UInt32]?, at now: Instant) {
        send(datagram, to: destination, over: ring.interfaces(for: destination, at: now, into: &effects), members)
    }

    private func send(
        _ datagram: UnsafeRawBufferPointer,
        to destination: TotemDestination,
        over interfaces: RingInterfaces,
        _ members: [UInt32]?
    ) {
        guard let sealer else {
            for (number, sockets) in networks.enumerated() where interfaces.contains(number: number) {
                sockets.send(datagram, to: destination, members: members)
            }
            return
        }
        sealed.removeAll(keepingCapacity: true)
        do throws(EnvelopeSealer.Failure) {
            try sealer.seal(datagram, salt: EnvelopeSalt(using: &salts), into: &sealed)
        } catch {
            return logger.error("a packet was not sent: \(error)")
        }
        for (number, sockets) in networks.enumerated() where interfaces.contains(number: number) {
            sealed.withUnsafeBytes { sockets.send($0, to: destination, members: members) }
        }
    }

    /// Sends what was gathered.
    func flush() {
        for sockets in networks { sockets.flush() }
    }

    /// Tells who is in the ring now.
    func membersChanged(to members: [UInt32]) { ring.membersChanged(to: members) }

    /// Uses every network again; in openais nothing else does it.
    func reenable(at now: Instant, _ receiver: Receiver) {
        ring.reenable(into: &effects)
        carryOut(at: now, receiver)
    }
}
