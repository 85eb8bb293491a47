import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Brings processors into the state that the daemons of a capture have when it begins in the middle of an idle ring: they form that
/// ring among themselves and let its token rest.
struct TotemReplayStart {
    /// The processors, by node id, and the instant at which the representative last had the token in its hands.
    private(set) var nodes: [UInt32: TotemNode] = [:]
    private(set) var visit = Instant.zero

    /// Forms the ring that `token`, the first recorded one, belongs to.
    init(token: OrfToken<Corosync3>, members: [UInt32], among configured: [UInt32], timers: TotemTimers) {
        var flights: [(due: Instant, target: UInt32, bytes: [UInt8])] = []
        var now = Instant.zero
        for id in members {
            var configuration = TotemConfiguration(nodeID: id, nodes: configured)
            configuration.timers = timers
            // A processor counts 1 when it starts, and a ring's number is the highest of its members' and 4: first each processor forms
            // a ring of its own, then all of them one.
            configuration.storedRingSequence = token.ring.sequence &- 9
            var node = TotemNode(configuration: configuration)
            node.messageSequenceStart = token.sequence
            nodes[id] = node
        }
        func perform(_ id: UInt32, _ body: (inout TotemNode, inout TotemNode.Output) -> Void) {
            guard var node = nodes[id] else { return }
            var effects = TotemNode.Output()
            body(&node, &effects)
            for effect in effects.effects {
                guard case .transmit(let range, let destination) = effect else { continue }
                let targets = if case .node(let target) = destination { [target] } else { members.filter { $0 != id } }
                for target in targets { flights.append((now + .microseconds(50), target, effects.bytes(range))) }
            }
            node.completeSynchronisation()
            nodes[id] = node
        }
        for id in members { perform(id) { $0.start(at: now, into: &$1) } }
        let representative = members.min() ?? 0
        // Forming takes a second; afterwards every hold interval is like the other.
        let settled = Instant.zero + .seconds(3)
        while true {
            let deadline = nodes.values.compactMap(\.nextDeadline).min() ?? settled
            now = max(now, min(deadline, flights.first?.due ?? deadline))
            if let flight = flights.first, flight.due <= now {
                flights.removeFirst()
                let before = nodes[representative]?.counters.tokens
                perform(flight.target) { node, effects in
                    flight.bytes.withUnsafeBytes {
                        node.receive($0, from: Endpoint(IPAddress(ipv4: 0), 0), arrival: Arrival(), at: now, into: &effects)
                    }
                }
                let isVisit = flight.target == representative && nodes[representative]?.counters.tokens != before
                if isVisit, now >= settled, flights.isEmpty { break }
            } else {
                for id in members { perform(id) { $0.advance(to: now, into: &$1) } }
            }
            guard now < Instant.zero + .seconds(10) else { break }
        }
        visit = now
        perform(representative) { node, effects in
            Self.holdToken(token, from: members.max() ?? 0, at: now, in: &node, into: &effects)
        }
        for id in members { nodes[id]?.messageSequenceStart = 0 }
    }

    /// Gives the representative the token that it will let go as `token`.
    private static func holdToken(
        _ token: OrfToken<Corosync3>,
        from predecessor: UInt32,
        at now: Instant,
        in node: inout TotemNode,
        into effects: inout TotemNode.Output
    ) {
        var arriving = token
        arriving.header.nodeID = predecessor
        arriving.tokenSequence &-= 1
        guard let bytes = try? arriving.bytes() else { return }
        bytes.withUnsafeBytes {
            node.receive($0, from: Endpoint(IPAddress(ipv4: 0), 0), arrival: Arrival(), at: now, into: &effects)
        }
    }
}
