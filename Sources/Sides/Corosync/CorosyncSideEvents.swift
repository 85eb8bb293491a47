import Bridging
import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// What the proxies' processors report.
extension CorosyncSide {
    /// The group that would carry barriers across; whoever joins it waits for somebody who will not come.
    private static let barrierGroup = "cman.barrier"

    mutating func take(_ event: ProcessorEvent, of index: Int, at now: Instant, into effects: inout BridgeEffects) {
        let proxy = proxies[index].id
        switch event {
        case .message, .unheard, .refused, .storeRingSequence: break
        default: isStale = true
        }
        switch event {
        case .ring(let state):
            if state == .left { proxies[index].end = proxies[index].end ?? .withdrawn }
        case .membership(let membership):
            proxies[index].stream.membership(membership)
            if !membership.isTransitional { reported.keep(rings: Set(proxies.map(\.stream.ring))) }
        case .synchronised:
            proxies[index].stream.synchronised()
            changedPorts.formUnion(listeners.keys)
            guard !proxies[index].isMember else { return }
            proxies[index].isMember = true
            reports.append(.proxy(proxy, .member))
        case .group(let membership):
            guard let port = configuration.ports.port(for: membership.group) else {
                if membership.group == Self.barrierGroup, index == authority { refuseBarriers(of: membership.joined) }
                return
            }
            proxies[index].stream.groupChanged(port)
            changedPorts.insert(port)
        case .message(let group, let process, let payload):
            take(payload, group: group, from: process, of: index, at: now)
        case .unheard(let group, let process):
            noteUnheard(group, process, by: index)
        case .killed(let killer):
            if natives[killer] != nil { reports.append(.killed(proxy: proxy, by: killer)) }
            proxies[index].end = .killed
        case .outdatedConfiguration(let own, let newest):
            proxies[index].end = .expelled("config_version \(own), the ring has \(newest)")
        case .duplicateIdentity(let source):
            reports.append(.doubleIdentity(proxy, holder: "\(source)"))
        case .storeRingSequence(let sequence):
            ringSequences[proxy] = sequence
            effects.report(.storeRingSequence(proxy: proxy, sequence))
        case .refused(let refusal):
            guard tellsRefusals else { return }
            refusedPackets += 1
            effects.report(.refusedPacket(side: .corosync, proxy: proxy, reason: "\(refusal)"))
        case .quorum, .seesDisallowed, .configuration, .storeExpectedVotes, .cman:
            break
        }
    }

    private mutating func refuseBarriers(of processes: [CPGMembership.Change]) {
        for change in processes where self.index(of: change.process.node) == nil {
            reports.append(.refused(.barrier, node: change.process.node))
        }
    }

    /// A message that no proxy carries: no program behind them listens. Every processor sees it; one of them counts.
    private mutating func noteUnheard(_ group: String, _ process: CPGProcess, by index: Int) {
        guard let port = configuration.ports.port(for: group) else { return }
        // The processors that are in the group count it too. One that joins while a ring ends, when changes of groups begin no new count,
        // goes on with the number that the others have.
        _ = proxies[index].stream.delivered(port)
        guard index == authority, natives[process.node] != nil else { return }
        let isCarried = proxies[index].processor.processes(in: group).contains { self.index(of: $0.node) != nil }
        if !isCarried { reports.append(.unheard(node: process.node)) }
    }

    private mutating func take(_ payload: ByteRange, group: String, from process: CPGProcess, of index: Int, at now: Instant) {
        guard let port = configuration.ports.port(for: group) else { return }
        let (stretch, number) = proxies[index].stream.delivered(port)
        if process.node == proxies[index].id {
            settle(port, payload.count, of: index)
            return
        }
        guard reported.take(stretch, number), self.index(of: process.node) == nil else { return }
        // A member that this processor knows before it is reported is reported first.
        if natives[process.node] == nil { reportMembers(at: now) }
        switch engineEffects.withBytes(payload, { message($0, port: port, from: process.node) }) {
        case .success(let message): reports.append(.message(message))
        case .failure(let refusal): reports.append(.refused(refusal.refusal, node: process.node))
        }
    }

    private struct RefusedMessage: Error {
        var refusal: Refusal
    }

    /// What a payload of the group of `port` says.
    private func message(_ payload: UnsafeRawBufferPointer, port: UInt8, from sender: UInt32) -> Result<SideMessage, RefusedMessage> {
        guard let entry = configuration.ports.entry(for: port) else { return .failure(RefusedMessage(refusal: .unmappedPort)) }
        let header: CmanOnTotemHeader
        let content: UnsafeRawBufferPointer
        switch entry.mapping {
        case .raw:
            header = CmanOnTotemHeader(source: Int32(bitPattern: sender), sourcePort: port, target: 0, targetPort: port)
            content = payload
        case .cman:
            guard let read = try? CmanOnTotemHeader(reading: payload) else { return .failure(RefusedMessage(refusal: .malformed)) }
            header = read
            content = UnsafeRawBufferPointer(rebasing: payload[CmanOnTotemHeader.byteCount...])
        }
        guard UInt32(exactly: header.srcid) == sender else { return .failure(RefusedMessage(refusal: .sourceMismatch)) }
        guard header.tgtport == port else { return .failure(RefusedMessage(refusal: .portMismatch)) }
        guard let target = UInt32(exactly: header.tgtid) else { return .failure(RefusedMessage(refusal: .malformed)) }
        guard content.count <= BridgeEngine.largestPayload else { return .failure(RefusedMessage(refusal: .tooLarge)) }
        return .success(
            SideMessage(source: sender, target: target, sourcePort: header.srcport, targetPort: port, payload: Array(content))
        )
    }

    /// A proxy's own message came back in its place in the order.
    private mutating func settle(_ port: UInt8, _ count: Int, of index: Int) {
        while !proxies[index].outstanding.isEmpty {
            let first = proxies[index].outstanding.removeFirst()
            guard first.port == port, first.count == count else {
                // Its own processor has skipped it, which no processor does.
                reports.append(.sendFailed(from: proxies[index].id, first.tag, .proxyLost))
                continue
            }
            reports.append(.ordered(from: proxies[index].id, first.tag))
            return
        }
    }
}
