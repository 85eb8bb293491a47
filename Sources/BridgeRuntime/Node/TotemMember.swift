import ClusterServices
import EngineKit
import Glibc
import Logging
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

/// A member of a ring of openais or corosync with its sockets and one process that takes part in groups.
final class TotemMember<Dialect: TotemDialect>: ClusterMember {
    private let configuration: NodeConfiguration
    private let corosync: NodeConfiguration.Corosync
    private let output: ReportOutput
    private let logger: Logger
    private let transport: RingTransport<Dialect>
    private let state: StateFile?
    private let pid = UInt32(getpid())

    private var engine: ClusterProcessor<Dialect>
    private var effects = ProcessorEffects()
    private var waiting = WaitingMessages()
    private var measurement: Measurement?
    private var joined: Set<String> = []
    private var wasLeft = false
    /// Why the ring is to be left as soon as the effects at hand are carried out.
    private var expulsion: String?
    private var leaveReason = "leave"
    /// Whether a member has told all to use faulty networks again.
    private var mustReenable = false
    private var knownMembers: [UInt32] = []

    init(
        _ configuration: NodeConfiguration,
        _ corosync: NodeConfiguration.Corosync,
        output: ReportOutput,
        registry: EventLoop.Registry,
        recorder: PacketRecorder?,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.corosync = corosync
        self.output = output
        self.logger = logger
        transport = try RingTransport(
            configuration.id,
            corosync,
            registry: registry,
            recorder: recorder,
            output: output,
            logger: logger
        )
        state = try configuration.stateFolder.map { folder throws(SystemCallError) in
            try StateFile(path: "\(folder)/\(configuration.name).state")
        }
        engine = Self.engine(configuration, corosync, storedRing: state?.all(.ringSequence)[configuration.id] ?? 0)
    }

    private static func engine(
        _ configuration: NodeConfiguration,
        _ corosync: NodeConfiguration.Corosync,
        storedRing: UInt64
    ) -> ClusterProcessor<Dialect> {
        var settings = ProcessorConfiguration(nodeID: configuration.id, nodes: corosync.peers.map(\.id).sorted())
        settings.totem.timers = corosync.timers
        settings.totem.addresses = Dictionary(corosync.peers.map { ($0.id, $0.addresses) }, uniquingKeysWith: { first, _ in first })
        settings.totem.networkMTU = Dialect.generation.networkMTU(
            ofPackets: corosync.networkMTU,
            family: configuration.local.address.family,
            networks: corosync.networks.count,
            envelope: corosync.security.map { $0.scheme.largestOverhead } ?? 0
        )
        settings.totem.storedRingSequence = storedRing
        settings.configurationVersion = corosync.configVersion == 0 ? nil : corosync.configVersion
        if corosync.hasQuorum, Dialect.generation >= .corosync1 {
            var quorum = VoteQuorumConfiguration(votes: configuration.votes, expectedVotes: configuration.expectedVotes)
            quorum.twoNode = corosync.twoNode
            quorum.waitForAll = corosync.waitForAll
            settings.quorum = quorum
        } else {
            settings.quorum = nil
        }
        // A processor that starts twice in a row must not use the same ring sequence numbers for different rings.
        return ClusterProcessor<Dialect>(configuration: settings, seed: UInt64.random(in: 0 ... .max))
    }

    var nextDeadline: Instant? {
        if waiting.isInterrupted { return .zero }
        guard let deadline = transport.nextDeadline else { return engine.nextDeadline }
        return min(deadline, engine.nextDeadline ?? deadline)
    }

    var hasLeft: Bool { wasLeft }

    func start(at now: Instant) {
        wasLeft = false
        leaveReason = "leave"
        engine.start(at: now, into: &effects)
        carryOut(at: now)
    }

    func ready(_ token: EventLoop.Token, at now: Instant) {
        transport.receive(token, at: now) { receive($0, from: $1, $2, at: now) }
        transport.flush()
        sendWaiting(at: now)
    }

    private func receive(_ datagram: UnsafeRawBufferPointer, from source: Endpoint, _ arrival: Arrival, at now: Instant) {
        engine.receive(datagram, from: source, arrival: arrival, at: now, into: &effects)
        carryOut(at: now)
    }

    func advance(to now: Instant) {
        transport.advance(to: now) { receive($0, from: $1, $2, at: now) }
        engine.advance(to: now, into: &effects)
        carryOut(at: now)
        transport.flush()
        sendWaiting(at: now)
    }

    // MARK: Commands

    func perform(_ command: NodeCommand, at now: Instant) {
        switch command {
        case .send(let channel, let node, let payload, let count):
            guard accepts(channel, node) else { return }
            join(name(of: channel), at: now)
            waiting.add(WaitingMessages.Message(channel: channel, node: node, payload: payload, count: count))
            sendWaiting(at: now)
        case .load(let channel, let count, let size, let tag):
            join(name(of: channel), at: now)
            waiting.add(WaitingMessages.Message(channel: channel, node: 0, payload: tag, count: count, size: size))
            sendWaiting(at: now)
        case .measure(let kind, let channel, let count, let size):
            guard measurement == nil else { return fail("something is being measured already") }
            join(name(of: channel), at: now)
            measurement = Measurement(kind, group: name(of: channel), count: count, size: size, at: now)
            sendWaiting(at: now)
        case .listen(let channel):
            let group = name(of: channel)
            guard joined.insert(group).inserted, engine.join(group: group, pid: pid, at: now, into: &effects) else {
                return fail("\(group) is joined already, or no name of a group")
            }
        case .close(let channel):
            let group = name(of: channel)
            guard joined.remove(group) != nil, engine.leave(group: group, pid: pid, at: now, into: &effects) else {
                return fail("\(group) is not joined")
            }
        case .probe(let node, let port):
            let isListening = engine.processes(in: name(of: .port(port))).contains { $0.node == node }
            output.report(NodeReport("listener").with("node", node).with("port", port).with("listening", isListening))
        case .members: reportMembers()
        case .quorum: engine.quorum.map(report) ?? fail("there is no quorum provider")
        case .status: reportStatus()
        case .kill(let node):
            do throws(TotemSendError) {
                try engine.kill(node: node, reason: "asked for by an operator", at: now, into: &effects)
            } catch {
                fail("\(error)")
            }
        case .leave: engine.leave(at: now, into: &effects)
        case .start:
            guard wasLeft else { return fail("the node has not left") }
            engine = Self.engine(configuration, corosync, storedRing: state?.all(.ringSequence)[configuration.id] ?? engine.ring.sequence)
            joined.removeAll()
            waiting.removeAll()
            measurement = nil
            return start(at: now)
        case .reenable: transport.reenable(at: now) { receive($0, from: $1, $2, at: now) }
        case .quit: break
        }
        carryOut(at: now)
    }

    /// CPG delivers only what a member of the group sends.
    private func join(_ group: String, at now: Instant) {
        if joined.insert(group).inserted { engine.join(group: group, pid: pid, at: now, into: &effects) }
    }

    private func accepts(_ channel: NodeCommand.Channel, _ node: UInt32) -> Bool {
        if case .group = channel, node != 0 {
            fail("a group has no unicast; use a port number for the header of cman")
            return false
        }
        return true
    }

    /// A port's group, with the header of cman in front of every payload (design section 4).
    private func name(of channel: NodeCommand.Channel) -> String {
        switch channel {
        case .port(let port): "cman.\(port)"
        case .group(let name): name
        }
    }

    private func sendWaiting(at now: Instant) {
        sendMeasured(at: now)
        waiting.drain { message in
            let payload = message.nextPayload
            do throws(TotemSendError) {
                try withFramed(payload, message) { bytes throws(TotemSendError) in
                    try engine.send(bytes, group: name(of: message.channel), from: pid, at: now, into: &effects)
                }
                if message.size == nil || message.next == message.count {
                    output.report(NodeReport("sent").with("number", UInt64(message.next)))
                }
                carryOut(at: now)
                return .sent
            } catch {
                if error == .queueFull { return .full }
                fail("not sent: \(error)")
                return .failed
            }
        }
    }

    /// Sends what a measurement wants to send now, as far as there is room and nobody else waits too long.
    private func sendMeasured(at now: Instant) {
        guard let running = measurement else { return }
        var isFull = false
        for _ in 0..<Measurement.turn where !isFull && measurement?.wantsToSend == true {
            measurement?.sent(at: MonotonicClock.now())
            running.payload.withUnsafeBytes { payload in
                do throws(TotemSendError) {
                    try engine.send(payload, group: running.group, from: pid, at: now, into: &effects)
                } catch {
                    isFull = true
                    measurement?.wasNotSent()
                }
            }
            carryOut(at: now)
        }
    }

    /// Whether a message belongs to what is being measured; it is then not reported.
    private func countMeasured(_ group: String, _ process: CPGProcess) -> Bool {
        guard measurement?.group == group else { return false }
        guard process.node == configuration.id, process.pid == pid else { return true }
        if let report = measurement?.returned(at: MonotonicClock.now()) {
            output.report(report)
            measurement = nil
        }
        return true
    }

    /// Calls `body` with the payload, on a port behind the header of cman.
    private func withFramed(
        _ payload: [UInt8],
        _ message: WaitingMessages.Message,
        _ body: (UnsafeRawBufferPointer) throws(TotemSendError) -> Void
    ) throws(TotemSendError) {
        var framed = payload
        if case .port(let port) = message.channel {
            var header = CmanOnTotemHeader(
                source: Int32(bitPattern: configuration.id),
                sourcePort: port,
                target: Int32(bitPattern: message.node),
                targetPort: port
            )
            framed = [UInt8](repeating: 0, count: CmanOnTotemHeader.byteCount) + payload
            let isWritten = framed.withUnsafeMutableBytes { room in
                var writer = WireWriter(room)
                do throws(WireError) { try header.visit(&writer) } catch { return false }
                return true
            }
            guard isWritten else { throw .tooLarge(payload.count) }
        }
        var failure: TotemSendError?
        framed.withUnsafeBytes { bytes in
            do throws(TotemSendError) { try body(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    // MARK: Effects

    private func carryOut(at now: Instant) {
        guard !effects.isEmpty else { return }
        let members = engine.state == .operational ? engine.members : nil
        // The token must not wait until this node's client has been told of what came before it; but what concerns the sending itself
        // keeps its place, and a new ring's number is stored before anybody hears of it.
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, let destination):
                effects.withBytes(range) { transport.send($0, to: destination, members: members, at: now) }
            case .event(.storeRingSequence(let sequence)): state?.store(sequence, .ringSequence, of: configuration.id)
            case .event(.membership(let membership)) where !membership.isTransitional:
                transport.membersChanged(to: membership.members)
            case .event: break
            }
        }
        transport.flush()
        for case .event(let event) in effects.effects { handle(event) }
        effects.removeAll()
        if mustReenable {
            mustReenable = false
            transport.reenable(at: now) { receive($0, from: $1, $2, at: now) }
        }
        guard let reason = expulsion else { return }
        // A daemon exits without a word; to say so spares the others the wait for the token.
        expulsion = nil
        leaveReason = reason
        engine.leave(at: now, into: &effects)
        carryOut(at: now)
    }

    private func handle(_ event: ProcessorEvent) {
        switch event {
        case .ring(let state):
            output.report(NodeReport("state").with("state", state.rawValue))
            if state == .left {
                wasLeft = true
                output.report(NodeReport("left").with("reason", leaveReason))
            }
        case .membership(let membership): reportChanges(membership)
        case .synchronised(let ring): output.report(NodeReport("synchronised").with("ring", ring.description))
        case .quorum(let quorum): report(quorum)
        case .group(let group): report(group)
        case .message(let group, let process, let payload):
            guard !countMeasured(group, process) else { return }
            effects.withBytes(payload) { report($0, group: group, from: process) }
        case .unheard: break
        case .killed(let node):
            output.report(NodeReport("killed").with("by", node))
            expulsion = "killed"
        case .outdatedConfiguration(let own, let newest):
            logger.error("config_version is \(own), another node has \(newest): update the configuration, and start again")
            output.report(NodeReport("outdated-configuration").with("own", own).with("newest", newest))
            expulsion = "outdated configuration"
        case .seesDisallowed(let node):
            logger.error("node \(node) sees disallowed nodes: this one must not stay")
            output.report(NodeReport("sees-disallowed").with("node", node))
            expulsion = "sees disallowed nodes"
        case .configuration(let order, let node):
            logger.notice("node \(node) orders: \(order)")
            if case .reenableRings = order { mustReenable = true }
        case .storeExpectedVotes, .cman: break
        case .duplicateIdentity(let source):
            logger.error("another processor, \(source), uses node id \(configuration.id)")
            output.report(NodeReport("duplicate-identity").with("from", source.description))
        case .storeRingSequence: break  // Done before anything was sent.
        case .refused(let refusal): logger.warning("refused: \(refusal)")
        }
    }

    private func fail(_ text: String) {
        output.report(NodeReport("error").with("text", text))
    }

    private func peerName(_ id: UInt32) -> String { corosync.peers.first { $0.id == id }?.name ?? "" }

    private func reportChanges(_ membership: TotemMembership) {
        guard !membership.isTransitional else { return }
        for id in knownMembers where !membership.members.contains(id) {
            output.report(NodeReport("member-down").with("id", id).with("name", peerName(id)).with("reason", "left the ring"))
        }
        for id in membership.members where !knownMembers.contains(id) {
            output.report(NodeReport("member-up").with("id", id).with("name", peerName(id)))
        }
        knownMembers = membership.members
        output.report(NodeReport("ring").with("ring", membership.ring.description).with("members", membership.members))
    }

    private func report(_ quorum: VoteQuorum) {
        output.report(
            NodeReport("quorum").with("quorate", quorum.isQuorate).with("needed", quorum.quorum).with("votes", quorum.totalVotes)
                .with("expected", quorum.expectedVotes)
        )
    }

    private func report(_ group: CPGMembership) {
        output.report(
            NodeReport("group").with("group", group.group).with("nodes", group.members.map(\.node))
                .with("joined", group.joined.map(\.process.node)).with("left", group.left.map(\.process.node))
        )
    }

    private func report(_ payload: UnsafeRawBufferPointer, group: String, from process: CPGProcess) {
        var report = NodeReport("message").with("from", process.node).with("group", group)
        var body = payload
        if group.hasPrefix("cman."), joined.contains(group) {
            var header = CmanOnTotemHeader()
            var reader = WireReader(payload)
            do throws(WireError) {
                try header.visit(&reader)
            } catch {
                return logger.warning("refused: a message of \(process.node) in \(group) without the header of cman: \(error)")
            }
            guard header.srcid == Int32(bitPattern: process.node) else {
                return logger.warning("refused: a message of \(process.node) in \(group) that claims to come from \(header.srcid)")
            }
            guard header.tgtid == 0 || header.tgtid == Int32(bitPattern: configuration.id) else { return }
            body = UnsafeRawBufferPointer(rebasing: payload[reader.offset...])
            report = report.with("port", header.tgtport).with("to", UInt32(bitPattern: header.tgtid))
        }
        report = report.with("length", UInt64(body.count)).with("fnv1a32", MessagePayload.hash(body))
        output.report(MessagePayload.text(body).map { report.with("text", $0) } ?? report)
    }

    private func reportMembers() {
        let members = engine.members.map { NodeReport("member").with("id", $0).with("name", peerName($0)) }
        output.report(NodeReport("members").with("members", members))
    }

    private func reportStatus() {
        let networks = transport.status.map { NodeReport("network").with("faulty", $0.isFaulty).with("problems", UInt64($0.problems)) }
        output.report(
            NodeReport("status").with("protocol", "corosync").with("dialect", Dialect.name.description).with("id", configuration.id)
                .with("name", configuration.name).with("state", engine.state.rawValue).with("ring", engine.ring.description)
                .with("members", engine.members).with("synchronised", engine.isSynchronised).with("sent", transport.sent)
                .with("send_failures", transport.failed).with("unconfirmed", transport.unconfirmed).with("networks", networks)
        )
    }
}
