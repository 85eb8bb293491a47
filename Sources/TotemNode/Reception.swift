import EngineKit
import TotemWire
import WireFormat

extension TotemNode {
    /// Reads a datagram, refuses what no processor of this ring can have sent, and hands the rest to the handler of its kind.
    mutating func handle(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        at now: Instant,
        into effects: inout Output
    ) {
        guard let byteOrder = Dialect.byteOrder(of: datagram) else {
            refuse(.foreignDialect(from: source), into: &effects)
            return
        }
        do throws(WireError) {
            let (kind, _) = try TotemPacket<Dialect>.identify(datagram)
            switch kind {
            case .token:
                // The token is read into memory that is used again and again: its path allocates nothing.
                var reader = WireReader(datagram, byteOrder: byteOrder)
                try token.visit(&reader)
                guard datagram.count <= Dialect.tokenSizeLimit else {
                    let reason = WireError.Reason.outOfBounds(value: datagram.count, limit: Dialect.tokenSizeLimit)
                    throw WireError(reason, field: "rtr_list", offset: Dialect.tokenSizeLimit)
                }
                guard isFromOther(token.header.nodeID, source, into: &effects) else { return }
                receiveToken(at: now, into: &effects)
            case .mcast:
                let message = try Message(reading: datagram, byteOrder: byteOrder)
                // Whoever has a message may send it again, so the header's node id may well be this processor's own.
                guard isConfigured(message.systemFrom.nodeID, source, into: &effects),
                    isConfigured(message.header.nodeID, source, into: &effects)
                else { return }
                receiveMessage(message, datagram, at: now, into: &effects)
            case .mergeDetect:
                let detect = try MergeDetect<Dialect>(reading: datagram, byteOrder: byteOrder)
                guard isFromOther(detect.systemFrom.nodeID, source, into: &effects) else { return }
                receiveMergeDetect(detect, at: now, into: &effects)
            case .join:
                let join = try Join(reading: datagram, byteOrder: byteOrder)
                guard isFromOther(join.systemFrom.nodeID, source, into: &effects) else { return }
                for address in join.processors + join.failed where !isConfigured(address.nodeID, source, into: &effects) { return }
                receiveJoin(join, at: now, into: &effects)
            case .commitToken:
                let commit = try Commit(reading: datagram, byteOrder: byteOrder)
                guard isFromOther(commit.header.nodeID, source, into: &effects) else { return }
                receiveCommitToken(commit, at: now, into: &effects)
            case .holdCancel:
                let cancel = try HoldCancel<Dialect>(reading: datagram, byteOrder: byteOrder)
                guard isFromOther(cancel.header.nodeID, source, into: &effects) else { return }
                receiveHoldCancel(for: cancel.ring, at: now, into: &effects)
            }
        } catch {
            refuse(.malformed(error, from: source), into: &effects)
        }
    }

    mutating func refuse(_ refusal: TotemRefusal, into effects: inout Output) {
        counters.refused += 1
        effects.report(.refused(refusal))
    }

    /// Whether a message comes from a configured node that is not this one.
    private mutating func isFromOther(_ node: UInt32, _ source: Endpoint, into effects: inout Output) -> Bool {
        guard node != nodeID else {
            counters.refused += 1
            effects.report(.duplicateIdentity(from: source))
            return false
        }
        return isConfigured(node, source, into: &effects)
    }

    private mutating func isConfigured(_ node: UInt32, _ source: Endpoint, into effects: inout Output) -> Bool {
        guard configuration.nodes.contains(node) else {
            refuse(.unknownNode(node, from: source), into: &effects)
            return false
        }
        return true
    }
}
