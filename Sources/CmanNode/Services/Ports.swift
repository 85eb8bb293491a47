import CmanWire
import EngineKit
import WireFormat

/// A question whether a program listens on a port of another node (reference/cman-wire.md 3.2).
struct ListenerProbe: Sendable {
    var tag: UInt16
    var node: UInt32
    var port: UInt8
    /// It waits for the end of a transition.
    var isWaiting: Bool
}

extension CmanNode {
    private static var maximumProbes: Int { 1024 }

    /// A program listens on `port` from now on. Nobody is told: the others ask.
    public mutating func openPort(_ port: UInt8) {
        guard port > CmanPort.serviceManager else { return }
        ports.insert(port)
    }

    /// The program that listened on `port` is gone; tells all members.
    public mutating func closePort(_ port: UInt8, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        guard port > CmanPort.serviceManager, ports.contains(port) else { return }
        ports.remove(port)
        guard role.takesPart else { return }
        announceClosed(port, at: now, into: &effects)
    }

    /// Says PORTCLOSED whether or not the port was open, for replaying what was recorded.
    package mutating func announceClosed(_ port: UInt8, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        var message = CmanPortClosed()
        message.port = port
        send(.portClosed(message), to: .everyone, sourcePort: 0, into: &effects)
    }

    /// Asks `node` whether a program listens on `port`; `CmanEvent.listener` has the answer. During a transition the question waits.
    public mutating func probeListener(node: UInt32, port: UInt8, at now: Instant, into effects: inout CmanEffects) {
        probeListener(node: node, port: port, tag: nil, at: now, into: &effects)
    }

    /// The same with a given tag, for replaying what was recorded.
    package mutating func probeListener(node: UInt32, port: UInt8, tag: UInt16?, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        if node == id, id != 0 {
            effects.report(.listener(node: node, port: port, isListening: isListening(port)))
            return
        }
        guard role.takesPart, probes.count < Self.maximumProbes, let index = table.index(ofID: node), table[index].state == .member else {
            effects.report(.listener(node: node, port: port, isListening: nil))
            return
        }
        if tag == nil { nextProbeTag &+= 1 }
        probes.append(ListenerProbe(tag: tag ?? nextProbeTag, node: node, port: port, isWaiting: role.isInTransition))
        if !role.isInTransition { sendProbe(probes[probes.count - 1], into: &effects) }
    }

    private mutating func sendProbe(_ probe: ListenerProbe, into effects: inout CmanEffects) {
        var query = CmanListenQuery()
        query.port = probe.port
        query.tag = probe.tag
        send(.listenReq(query), to: .node(probe.node), flags: .replyExpected, into: &effects)
    }

    mutating func sendWaitingProbes(into effects: inout CmanEffects) {
        for index in probes.indices where probes[index].isWaiting {
            probes[index].isWaiting = false
            sendProbe(probes[index], into: &effects)
        }
    }

    /// Whether messages to `port` are taken here: by a program, or by the node itself.
    public func isListening(_ port: UInt8) -> Bool {
        port == CmanPort.membership || port == CmanPort.serviceManager && rules.servesServiceManager || ports.contains(port)
    }

    mutating func answerListenerQuery(_ query: CmanListenQuery, from sender: Sender, into effects: inout CmanEffects) {
        // A stranger would never acknowledge the answer, which would hold up all reliable messages (bug B12).
        guard sender.id != 0 || !rules.refusesStrangers else {
            effects.report(.refused(.stranger(message: "listenreq", from: sender.endpoint)))
            return
        }
        guard let target = answerTarget(sender) else { return }
        var answer = query
        answer.listening = isListening(query.port) ? 1 : 0
        send(.listenResp(answer), to: target, into: &effects)
    }

    mutating func takeListenerAnswer(_ answer: CmanListenQuery, from sender: Sender, into effects: inout CmanEffects) {
        guard let index = probes.firstIndex(where: { $0.tag == answer.tag && $0.node == sender.id }) else { return }
        let probe = probes.remove(at: index)
        effects.report(.listener(node: probe.node, port: probe.port, isListening: answer.listening != 0))
    }

    mutating func forgetProbes(of node: UInt32, into effects: inout CmanEffects) {
        for probe in probes where probe.node == node { effects.report(.listener(node: node, port: probe.port, isListening: nil)) }
        probes.removeAll { $0.node == node }
    }

    /// Ends what programs wait for, when the node leaves.
    mutating func abortServices(into effects: inout CmanEffects) {
        for probe in probes { effects.report(.listener(node: probe.node, port: probe.port, isListening: nil)) }
        probes.removeAll()
        for barrier in barriers where !barrier.isCompletion {
            effects.report(.barrier(name: String(decoding: barrier.name, as: UTF8.self), .aborted))
        }
        barriers.removeAll()
    }
}
