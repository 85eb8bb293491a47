import Bridging
import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// What the bridge asks of the legacy side.
extension CmanSide {
    mutating func carryOut(_ order: SideOrder, at now: Instant, into effects: inout BridgeEffects) {
        switch order {
        case .admit(let identity):
            admit(identity, at: now, into: &effects)
        case .withdraw(let node, let departure):
            guard let index = index(of: node) else { return gone(node) }
            proxies[index].isLeaving = true
            run(index, at: now, into: &effects) { $0.leave(reason: CmanLeaveReason(departure), at: now, into: &$1) }
        case .drop(let node):
            removeProxies(at: now) { $0.id == node }
            gone(node)
        case .send(let message, let tag):
            send(message, tag, at: now, into: &effects)
        case .acknowledge(let receipt):
            for (proxy, tag) in received.release(receipt) {
                guard let index = index(of: proxy) else { continue }
                run(index, at: now, into: &effects) { $0.acknowledge(tag, at: now, into: &$1) }
            }
        case .openPort(let port, let proxy):
            prober.add([port])
            prober.hurry(at: now)
            guard let index = index(of: proxy) else { return }
            proxies[index].node.openPort(port)
        case .closePort(let port, let proxy):
            guard let index = index(of: proxy) else { return }
            run(index, at: now, into: &effects) { $0.closePort(port, at: now, into: &$1) }
        case .kill(let node, let killer):
            guard let index = proxies.firstIndex(where: { $0.id == killer && $0.isMember }) ?? authority else { return }
            run(index, at: now, into: &effects) { $0.kill(node: node, at: now, into: &$1) }
        case .setVotes(let votes, let proxy):
            guard let index = index(of: proxy) else { return }
            reconfigure(.nodeVotes, votes, index, at: now, into: &effects)
        case .setExpectedVotes(let votes, let proxy):
            guard let index = index(of: proxy) else { return }
            reconfigure(.expectedVotes, votes, index, at: now, into: &effects)
        }
        removeEndedProxies(at: now)
        reportChanges(at: now)
    }

    private mutating func gone(_ node: UInt32) { reports.append(.proxy(node, .gone(.withdrawn))) }

    private mutating func reconfigure(
        _ parameter: CmanParameter,
        _ value: UInt32,
        _ index: Int,
        at now: Instant,
        into effects: inout BridgeEffects
    ) {
        var isAccepted = false
        run(index, at: now, into: &effects) { isAccepted = $0.reconfigure(parameter, value: value, at: now, into: &$1) }
        if !isAccepted { reports.append(.refused(.reconfiguration, node: proxies[index].id)) }
    }

    private mutating func send(_ message: SideMessage, _ tag: SendTag, at now: Instant, into effects: inout BridgeEffects) {
        guard let index = index(of: message.source) else {
            reports.append(.sendFailed(from: message.source, tag, .proxyLost))
            return
        }
        var failure: CmanSendError?
        var engineTag: CmanTag?
        run(index, at: now, into: &effects) { node, engineEffects in
            message.payload.withUnsafeBytes { payload in
                do throws(CmanSendError) {
                    engineTag = try node.send(
                        payload,
                        from: message.sourcePort,
                        to: message.targetPort,
                        node: message.target,
                        at: now,
                        into: &engineEffects
                    )
                } catch {
                    failure = error
                }
            }
        }
        if let engineTag { proxies[index].sent.append(engineTag, tag) }
        if let failure { reports.append(.sendFailed(from: message.source, tag, Refusal(failure))) }
    }
}

extension CmanLeaveReason {
    /// How the legacy protocol says it.
    init(_ departure: Departure) {
        self =
            switch departure {
            case .left, .unobserved: .down
            case .removed: .removed
            case .killed: .killed
            case .died: .dead
            }
    }
}
