import Bridging
import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// What the bridge asks of the Totem side.
extension CorosyncSide {
    mutating func carryOut(_ order: SideOrder, at now: Instant, into effects: inout BridgeEffects) {
        switch order {
        case .admit(let identity):
            admit(identity, at: now, into: &effects)
        case .withdraw(let node, _):
            // The ring says of a member only that it is gone; LEAVE spares it the token timeout, however the node went.
            guard let index = index(of: node) else { return gone(node) }
            proxies[index].isLeaving = true
            run(index, at: now, into: &effects) { $0.leave(at: now, into: &$1) }
        case .drop(let node):
            guard index(of: node) != nil else { return gone(node) }
            removeProxies(at: now) { $0.id == node }
        case .send(let message, let tag):
            guard let index = index(of: message.source) else {
                reports.append(.sendFailed(from: message.source, tag, .proxyLost))
                return
            }
            if configuration.ports.entry(for: message.targetPort)?.mapping == .raw, message.target != 0 {
                reports.append(.sendFailed(from: message.source, tag, .unicastOnRawPort))
                return
            }
            join(message.targetPort, index, at: now, into: &effects)
            proxies[index].pending.append((message, tag))
            sendPending(index, at: now, into: &effects)
        case .acknowledge:
            // No sender on a ring waits.
            break
        case .openPort(let port, let proxy):
            guard let index = index(of: proxy) else { return }
            join(port, index, at: now, into: &effects)
        case .closePort(let port, let proxy):
            guard let index = index(of: proxy), proxies[index].joinedPorts.remove(port) != nil,
                let entry = configuration.ports.entry(for: port)
            else { return }
            run(index, at: now, into: &effects) { $0.leave(group: entry.group, pid: Self.processID, at: now, into: &$1) }
        case .kill(let node, let killer):
            guard let index = proxies.firstIndex(where: { $0.id == killer && $0.isReady }) ?? authority else { return }
            var isAccepted = true
            run(index, at: now, into: &effects) { processor, engineEffects in
                do throws(TotemSendError) {
                    try processor.kill(node: node, reason: "killed in the legacy cluster", at: now, into: &engineEffects)
                } catch {
                    isAccepted = false
                }
            }
            if !isAccepted { reports.append(.refused(.queueFull, node: killer)) }
        case .setVotes(let votes, let proxy):
            reconfigure(proxy, at: now, into: &effects) { $0.reconfigure(votes: votes, of: proxy, at: now, into: &$1) }
        case .setExpectedVotes(let votes, let proxy):
            reconfigure(proxy, at: now, into: &effects) { $0.reconfigure(expectedVotes: votes, at: now, into: &$1) }
        }
        reportChanges(at: now)
    }

    private mutating func gone(_ node: UInt32) { reports.append(.proxy(node, .gone(.withdrawn))) }

    private mutating func reconfigure(
        _ proxy: UInt32,
        at now: Instant,
        into effects: inout BridgeEffects,
        _ body: (inout ClusterProcessor<Corosync3>, inout ProcessorEffects) -> Bool
    ) {
        guard let index = index(of: proxy) else { return }
        var isAccepted = false
        run(index, at: now, into: &effects) { isAccepted = body(&$0, &$1) }
        if !isAccepted { reports.append(.refused(.reconfiguration, node: proxy)) }
    }

    /// The proxy's process joins the group of `port`, once.
    mutating func join(_ port: UInt8, _ index: Int, at now: Instant, into effects: inout BridgeEffects) {
        guard let entry = configuration.ports.entry(for: port), proxies[index].joinedPorts.insert(port).inserted else { return }
        run(index, at: now, into: &effects) { $0.join(group: entry.group, pid: Self.processID, at: now, into: &$1) }
    }

    /// Gives the processor what it has room for.
    mutating func sendPending(_ index: Int, at now: Instant, into effects: inout BridgeEffects) {
        while let (message, tag) = proxies[index].pending.first {
            guard let entry = configuration.ports.entry(for: message.targetPort) else { return }
            // Its port may have been closed while it waited; outside the group the proxy would not see it ordered.
            join(message.targetPort, index, at: now, into: &effects)
            let count = fill(message, entry.mapping)
            var failure: TotemSendError?
            var own: [UInt8] = []
            swap(&own, &scratch)
            // Before the call: the processor may deliver the message to itself at once.
            proxies[index].pending.removeFirst()
            proxies[index].outstanding.append(.init(tag: tag, port: message.targetPort, count: count))
            own.withUnsafeBytes { bytes in
                run(index, at: now, into: &effects) { processor, engineEffects in
                    do throws(TotemSendError) {
                        try processor.send(
                            UnsafeRawBufferPointer(rebasing: bytes[..<count]),
                            group: entry.group,
                            from: Self.processID,
                            at: now,
                            into: &engineEffects
                        )
                    } catch {
                        failure = error
                    }
                }
            }
            swap(&own, &scratch)
            guard let failure else { continue }
            proxies[index].outstanding.removeAll { $0.tag == tag }
            switch failure {
            case .queueFull, .notRunning:
                proxies[index].pending.insert((message, tag), at: 0)
                return
            case .tooLarge:
                reports.append(.sendFailed(from: message.source, tag, .tooLarge))
            }
        }
    }

    /// Writes a message into `scratch` as it travels in its group; returns its length.
    private mutating func fill(_ message: SideMessage, _ mapping: PortMap.Mapping) -> Int {
        var count = 0
        scratch.withUnsafeMutableBytes { buffer in
            message.payload.withUnsafeBytes { payload in
                var writer = WireWriter(buffer)
                do throws(WireError) {
                    if mapping == .cman {
                        var header = CmanOnTotemHeader(
                            source: Int32(bitPattern: message.source),
                            sourcePort: message.sourcePort,
                            target: Int32(bitPattern: message.target),
                            targetPort: message.targetPort
                        )
                        try header.visit(&writer)
                    }
                    try writer.append(payload)
                    count = writer.offset
                } catch {
                    count = 0
                }
            }
        }
        return count
    }
}
