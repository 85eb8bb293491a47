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
                guard isFromOther(token.header, repeatsPredecessor: rules.repeatedTokenNamesPredecessor, source, into: &effects)
                else { return }
                receiveToken(at: now, into: &effects)
            case .mcast:
                let message = try Message(reading: datagram, byteOrder: byteOrder)
                // Whoever has a message may send it again, so both names may well be this processor's own.
                guard let sender = node(of: message.systemFrom, source, into: &effects),
                    isConfigured(message.header.sender ?? sender, source, into: &effects)
                else { return }
                receiveMessage(message, from: sender, datagram, at: now, into: &effects)
            case .mergeDetect:
                let detect = try MergeDetect<Dialect>(reading: datagram, byteOrder: byteOrder)
                guard let sender = otherNode(detect.systemFrom, source, into: &effects) else { return }
                receiveMergeDetect(detect, from: sender, at: now, into: &effects)
            case .join:
                let join = try Join(reading: datagram, byteOrder: byteOrder)
                guard let sender = otherNode(join.systemFrom, source, into: &effects) else { return }
                guard let processors = identities.nodes(of: join.processors), let failed = identities.nodes(of: join.failed) else {
                    let stranger = (join.processors + join.failed).first { identities.node(of: $0) == nil }
                    if let stranger { refuseStranger(stranger, source, into: &effects) }
                    return
                }
                identities.remember(join.systemFrom)
                let received = ReceivedJoin(
                    sender: sender,
                    processors: processors,
                    failed: failed,
                    ringSequence: join.ringSequence,
                    isLeave: rules.leave.isLeave(join)
                )
                receiveJoin(received, at: now, into: &effects)
            case .commitToken:
                let commit = try Commit(reading: datagram, byteOrder: byteOrder)
                guard isFromOther(commit.header, repeatsPredecessor: rules.repeatedTokenNamesPredecessor, source, into: &effects) else {
                    return
                }
                receiveCommitToken(commit, at: now, into: &effects)
            case .holdCancel:
                let cancel = try HoldCancel<Dialect>(reading: datagram, byteOrder: byteOrder)
                guard isFromOther(cancel.header, repeatsPredecessor: false, source, into: &effects) else { return }
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

    /// A message names a processor at which no node is configured.
    private mutating func refuseStranger(_ address: Dialect.Address, _ source: Endpoint, into effects: inout Output) {
        let isKnown = identities.contains(address.nodeID)
        refuse(isKnown ? .unknownAddress(of: address.nodeID, from: source) : .unknownNode(address.nodeID, from: source), into: &effects)
    }

    /// The node that sent a message in which it is named `address`. In 2005 most messages name nobody, and the UDP source tells
    /// (message_handler_memb_join totemsrp.c:4431@D1).
    private mutating func node(of address: Dialect.Address, _ source: Endpoint, into effects: inout Output) -> UInt32? {
        if let node = identities.node(of: address) { return node }
        refuseStranger(address, source, into: &effects)
        return nil
    }

    /// The node that sent a message in which it is named `address`, when that is not this one.
    private mutating func otherNode(_ address: Dialect.Address, _ source: Endpoint, into effects: inout Output) -> UInt32? {
        let named = Dialect.hasLayoutOf2005 ? Dialect.Address(nodeID: source.address.ipv4Number ?? 0, at: []) : address
        guard let node = node(of: named, source, into: &effects) else { return nil }
        guard node != nodeID else {
            counters.refused += 1
            effects.report(.duplicateIdentity(from: source))
            return nil
        }
        return node
    }

    /// Whether a message comes from a configured node that is not this one, by its header.
    private mutating func isFromOther(
        _ header: Dialect.Header,
        repeatsPredecessor: Bool,
        _ source: Endpoint,
        into effects: inout Output
    ) -> Bool {
        guard let sender = header.sender ?? source.address.ipv4Number else { return false }
        guard sender != nodeID || repeatsPredecessor else {
            counters.refused += 1
            effects.report(.duplicateIdentity(from: source))
            return false
        }
        return isConfigured(sender, source, into: &effects)
    }

    private mutating func isConfigured(_ node: UInt32, _ source: Endpoint, into effects: inout Output) -> Bool {
        guard identities.contains(node) else {
            refuse(.unknownNode(node, from: source), into: &effects)
            return false
        }
        return true
    }
}
