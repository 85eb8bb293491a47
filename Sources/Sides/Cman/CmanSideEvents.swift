import Bridging
import CmanNode
import EngineKit
import WireFormat

/// What the proxies' engines report.
extension CmanSide {
    mutating func take(_ event: CmanEvent, of index: Int, at now: Instant, into effects: inout BridgeEffects) {
        let proxy = proxies[index].id
        let isAuthority = index == authority
        switch event {
        case .joined:
            isStale = true
            proxies[index].isMember = true
            reports.append(.proxy(proxy, .member))
            if authority == index { prober.hurry(at: now) }
        case .left(let reason):
            isStale = true
            proxies[index].end = reason
        case .memberDown(let member, let reason):
            departures[member.id] = Departure(reason)
            isStale = true
        case .transitionEnded:
            isStale = true
            if isAuthority { prober.hurry(at: now) }
        case .quorum:
            isStale = true
        case .message(let message):
            take(message, of: index, at: now, into: &effects)
        case .unheard(let source, let target, let port):
            // Of a broadcast every proxy tells: one of them counts it, unless another carries it.
            guard natives[source] != nil, target != 0 || isAuthority && !proxies.contains(where: { $0.node.isListening(port) }) else {
                return
            }
            let isMapped = configuration.ports.entry(for: port) != nil
            reports.append(isMapped ? .unheard(node: source) : .refused(.unmappedPort, node: source))
        case .sent(let tag):
            guard let bridgeTag = proxies[index].sent.take(tag) else { return }
            reports.append(.ordered(from: proxy, bridgeTag))
        case .sendFailed(let tag, let error):
            guard let bridgeTag = proxies[index].sent.take(tag) else { return }
            reports.append(.sendFailed(from: proxy, bridgeTag, Refusal(error)))
        case .portClosed(let node, let port):
            guard isAuthority, natives[node] != nil else { return }
            reports.append(.listening(node: node, port: port, false))
        case .listener(let node, let port, let isListening):
            prober.answered(ListenerProber.Probe(node: node, port: port))
            guard let isListening, natives[node] != nil else { return }
            reports.append(.listening(node: node, port: port, isListening))
        case .reconfigured(let node, let parameter, let value):
            isStale = true
            // Votes of members are compared anyway; the version of the configuration is each host's own.
            guard isAuthority, parameter == 1, natives[node] != nil else { return }
            reports.append(.expectedVotes(value, by: node))
        case .refused(let refusal):
            guard tellsRefusals else { return }
            refusedPackets += 1
            effects.report(.refusedPacket(side: .cman, proxy: proxy, reason: "\(refusal)"))
        case .state, .memberUp, .transitionBegan:
            isStale = true
        case .heard, .barrier:
            break
        }
    }

    private mutating func take(_ message: CmanUserMessage, of index: Int, at now: Instant, into effects: inout BridgeEffects) {
        // Of another proxy: from the other side, where it has been ordered.
        if self.index(of: message.source) != nil { return acknowledge(message.heldAcknowledgement, of: index, at: now) }
        guard natives[message.source] != nil || isMember(message.source, of: index) else {
            reports.append(.refused(.sourceNotMember, node: message.source))
            return acknowledge(message.heldAcknowledgement, of: index, at: now)
        }
        switch received.receive(message, by: proxies[index].id, at: now) {
        case .new(let receipt):
            // A sender that this proxy knows before it is reported is reported first.
            if natives[message.source] == nil { reportMembers() }
            if receipt != nil { effects.report(.storeReliableSequence(sender: message.source, message.sequence)) }
            prober.add([message.targetPort])
            // Whoever sends from a port has it open.
            if message.sourcePort > 2 { reports.append(.listening(node: message.source, port: message.sourcePort, true)) }
            reports.append(
                .message(
                    SideMessage(
                        source: message.source,
                        target: message.target,
                        sourcePort: message.sourcePort,
                        targetPort: message.targetPort,
                        payload: engineEffects.bytes(message.payload),
                        receipt: receipt
                    )
                )
            )
        case .released:
            acknowledge(message.heldAcknowledgement, of: index, at: now)
        case .copy, .stale:
            break
        }
    }

    private func isMember(_ node: UInt32, of index: Int) -> Bool {
        proxies[index].node.members.contains { $0.id == node && $0.state == .member }
    }

    private mutating func acknowledge(_ tag: CmanTag?, of index: Int, at now: Instant) {
        guard let tag else { return }
        proxies[index].node.acknowledge(tag, at: now, into: &engineEffects)
    }
}

extension Refusal {
    /// Why the legacy engine did not send.
    init(_ error: CmanSendError) {
        self =
            switch error {
            case .notMember: .proxyLost
            case .noSuchNode: .noSuchTarget
            case .tooLarge: .tooLarge
            case .queueFull: .queueFull
            case .reservedPort: .unmappedPort
            }
    }
}
