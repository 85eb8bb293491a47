import CmanNode
import EngineKit
import Logging
import WireFormat

/// A legacy member with its sockets.
final class LegacyMember: ClusterMember {
    private let configuration: NodeConfiguration
    private let cman: NodeConfiguration.Cman
    private let output: ReportOutput
    private let logger: Logger
    private let sockets: CmanSockets

    private var engine: CmanNode
    private var effects = CmanEffects()
    private var waiting = WaitingMessages()
    private var wasLeft = false

    init(
        _ configuration: NodeConfiguration,
        _ cman: NodeConfiguration.Cman,
        output: ReportOutput,
        registry: EventLoop.Registry,
        recorder: PacketRecorder?,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.cman = cman
        self.output = output
        self.logger = logger
        let (interface, broadcast) = try NetworkInterface.holding(configuration.local.address)
        guard let group = cman.group ?? broadcast else {
            throw ConfigurationError(
                configuration.place,
                "\(interface.name) has no broadcast address",
                remedy: "write a multicast address as group"
            )
        }
        sockets = try CmanSockets(local: configuration.local, interface: interface, group: group, recorder: recorder)
        try registry.watch(sockets.node.descriptor, as: MemberToken.node)
        try registry.watch(sockets.group.descriptor, as: MemberToken.group)
        engine = Self.engine(configuration, cman)
    }

    private static func engine(_ configuration: NodeConfiguration, _ cman: NodeConfiguration.Cman) -> CmanNode {
        var settings = CmanConfiguration(
            clusterName: configuration.cluster,
            nodeName: configuration.name,
            addresses: [configuration.local]
        )
        settings.wantedNodeID = configuration.id
        settings.votes = UInt8(clamping: configuration.votes)
        settings.expectedVotes = configuration.expectedVotes
        settings.configVersion = cman.configVersion
        settings.twoNode = cman.twoNode
        settings.obeysStrangers = cman.obeysStrangers
        settings.timers = cman.timers
        return CmanNode(configuration: settings, seed: UInt64.random(in: 0 ... .max))
    }

    var nextDeadline: Instant? { waiting.isInterrupted ? .zero : engine.nextDeadline }

    var hasLeft: Bool { wasLeft }

    func start(at now: Instant) {
        wasLeft = false
        engine.join(at: now, into: &effects)
        carryOut(at: now)
    }

    func ready(_ token: EventLoop.Token, at now: Instant) {
        let viaGroup = token == MemberToken.group
        sockets.receive(viaGroup: viaGroup) { datagram, source in
            engine.receive(datagram, from: source, arrival: Arrival(viaGroup: viaGroup), at: now, into: &effects)
            carryOut(at: now)
        }
        sendWaiting(at: now)
    }

    func advance(to now: Instant) {
        engine.advance(to: now, into: &effects)
        carryOut(at: now)
        sendWaiting(at: now)
    }

    // MARK: Commands

    func perform(_ command: NodeCommand, at now: Instant) {
        switch command {
        case .send(let channel, let node, let payload, let count):
            guard port(of: channel) != nil else { return }
            waiting.add(WaitingMessages.Message(channel: channel, node: node, payload: payload, count: count))
            sendWaiting(at: now)
        case .load(let channel, let count, let size, let tag):
            guard port(of: channel) != nil else { return }
            waiting.add(WaitingMessages.Message(channel: channel, node: 0, payload: tag, count: count, size: size))
            sendWaiting(at: now)
        case .measure: fail("a legacy member measures nothing")
        case .listen(let channel):
            if let port = port(of: channel) { engine.openPort(port) }
        case .close(let channel):
            if let port = port(of: channel) { engine.closePort(port, at: now, into: &effects) }
        case .probe(let node, let port): engine.probeListener(node: node, port: port, at: now, into: &effects)
        case .members:
            let members = engine.members.filter { $0.state == .member }.map(Self.describe)
            output.report(NodeReport("members").with("members", members))
        case .quorum: report(engine.quorum)
        case .status: reportStatus()
        case .kill(let node): engine.kill(node: node, at: now, into: &effects)
        case .leave(let removed): engine.leave(removed: removed, at: now, into: &effects)
        case .start:
            guard wasLeft else { return fail("the node has not left") }
            engine = Self.engine(configuration, cman)
            waiting.removeAll()
            return start(at: now)
        case .reenable: fail("a legacy member has no faulty networks")
        case .quit: break
        }
        carryOut(at: now)
    }

    private func port(of channel: NodeCommand.Channel) -> UInt8? {
        guard case .port(let port) = channel, port > 2 else {
            fail("a legacy member has ports 3 to 255")
            return nil
        }
        return port
    }

    private func sendWaiting(at now: Instant) {
        waiting.drain { message in
            guard case .port(let port) = message.channel else { return .failed }
            do throws(CmanSendError) {
                let tag = try send(message.nextPayload, port: port, node: message.node, at: now)
                output.report(NodeReport("queued").with("tag", tag.number).with("number", UInt64(message.next)))
                carryOut(at: now)
                return .sent
            } catch {
                if error == .queueFull { return .full }
                fail("not sent: \(error)")
                return .failed
            }
        }
    }

    private func send(_ payload: [UInt8], port: UInt8, node: UInt32, at now: Instant) throws(CmanSendError) -> CmanTag {
        let result = payload.withUnsafeBytes { bytes in
            Result { () throws(CmanSendError) in
                try engine.send(bytes, from: port, to: port, node: node, at: now, into: &effects)
            }
        }
        return try result.get()
    }

    // MARK: Effects

    private func carryOut(at now: Instant) {
        guard !effects.isEmpty else { return }
        for effect in effects.effects {
            switch effect {
            case .transmit(let range, let destination): effects.withBytes(range) { sockets.send($0, to: destination) }
            case .event(let event): handle(event)
            }
        }
        effects.removeAll()
        sockets.flush()
    }

    private func handle(_ event: CmanEvent) {
        switch event {
        case .state(let state): output.report(NodeReport("state").with("state", state.rawValue))
        case .joined(let id): output.report(NodeReport("joined").with("id", id))
        case .left(let reason):
            wasLeft = true
            output.report(NodeReport("left").with("reason", "\(reason)"))
        case .memberUp(let member): output.report(NodeReport("member-up").with("id", member.id).with("name", member.name))
        case .memberDown(let member, let reason):
            output.report(NodeReport("member-down").with("id", member.id).with("name", member.name).with("reason", "\(reason)"))
        case .heard(let id, let source, let members, let generation, let isQuorate):
            logger.debug("heard node \(id) at \(source): \(members) members, generation \(generation), quorate \(isQuorate)")
        case .transitionBegan: output.report(NodeReport("transition").with("phase", "began"))
        case .transitionEnded(let generation):
            output.report(NodeReport("transition").with("phase", "ended").with("generation", generation))
        case .quorum(let quorum): report(quorum)
        case .message(let message): report(message)
        case .unheard(let source, _, let port): output.report(NodeReport("unheard").with("from", source).with("port", port))
        case .sent(let tag): output.report(NodeReport("sent").with("tag", tag.number))
        case .sendFailed(let tag, let error):
            output.report(NodeReport("send-failed").with("tag", tag.number).with("reason", "\(error)"))
        case .portClosed(let node, let port): output.report(NodeReport("port-closed").with("node", node).with("port", port))
        case .listener(let node, let port, let isListening):
            let report = NodeReport("listener").with("node", node).with("port", port)
            output.report(isListening.map { report.with("listening", $0) } ?? report.with("gone", true))
        case .barrier(let name, let result): output.report(NodeReport("barrier").with("name", name).with("result", "\(result)"))
        case .reconfigured(let node, let parameter, let value):
            output.report(NodeReport("reconfigured").with("by", node).with("parameter", parameter).with("value", value))
        case .refused(let refusal): logger.warning("refused: \(refusal)")
        }
    }

    private func fail(_ text: String) {
        output.report(NodeReport("error").with("text", text))
    }

    private func report(_ message: CmanUserMessage) {
        effects.withBytes(message.payload) { bytes in
            let report = NodeReport("message").with("from", message.source).with("port", message.targetPort).with("to", message.target)
                .with("length", UInt64(bytes.count)).with("fnv1a32", MessagePayload.hash(bytes))
            output.report(MessagePayload.text(bytes).map { report.with("text", $0) } ?? report)
        }
    }

    private func report(_ quorum: CmanQuorum) {
        output.report(
            NodeReport("quorum").with("quorate", quorum.isQuorate).with("needed", quorum.quorum).with("votes", quorum.totalVotes)
                .with("expected", quorum.expectedVotes)
        )
    }

    private static func describe(_ member: CmanMember) -> NodeReport {
        NodeReport("member").with("id", member.id).with("name", member.name)
    }

    private func reportStatus() {
        output.report(
            NodeReport("status").with("protocol", "cman").with("id", engine.id).with("name", configuration.name)
                .with("state", engine.state.rawValue).with("generation", engine.generation)
                .with("members", engine.members.filter { $0.state == .member }.map(\.id)).with("transition", engine.isInTransition)
                .with("sent", sockets.sent).with("send_failures", sockets.failed)
        )
    }
}
