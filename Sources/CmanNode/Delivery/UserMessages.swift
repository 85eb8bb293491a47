import CmanWire
import EngineKit
import WireFormat

/// Messages of programs (reference/cman-wire.md 9).
extension CmanNode {
    /// The longest payload that a receiver reads (reference/cman-wire.md 1.8).
    public static let maximumPayload = 1480

    /// Sends a program's message from its port to port `to` of `node`, or of all other members when `node` is 0.
    ///
    /// It goes out when the messages before it are acknowledged; above port 9 also not before the cluster is quorate and no transition
    /// is under way. `CmanEvent.sent` or `sendFailed` tells the end of it. A message to the node itself is delivered at once.
    public mutating func send(
        _ payload: UnsafeRawBufferPointer,
        from sourcePort: UInt8,
        to port: UInt8,
        node: UInt32,
        at now: Instant,
        into effects: inout CmanEffects
    ) throws(CmanSendError) -> CmanTag {
        guard payload.count <= Self.maximumPayload else { throw .tooLarge(payload.count) }
        return try send(payload, from: sourcePort, to: port, node: node, flags: [], at: now, into: &effects)
    }

    /// The same with flags that a program gave and up to the length that the original lets programs send, of which receivers cut the
    /// end; for replaying what was recorded.
    package mutating func send(
        _ payload: UnsafeRawBufferPointer,
        from sourcePort: UInt8,
        to port: UInt8,
        node: UInt32,
        flags: CmanFlags,
        at now: Instant,
        into effects: inout CmanEffects
    ) throws(CmanSendError) -> CmanTag {
        self.now = now
        guard role.takesPart, id != 0 else { throw .notMember }
        guard port > CmanPort.serviceManager else { throw .reservedPort(port) }
        guard payload.count <= 1500 else { throw .tooLarge(payload.count) }
        let target: MessageTarget
        if node == 0 {
            target = .everyone
        } else {
            guard let index = table.index(ofID: node), table[index].state == .member else { throw .noSuchNode(node) }
            target = .node(node)
        }
        let tag = makeTag()
        if node == id {
            deliverToItself(payload, from: sourcePort, to: port, tag: tag, into: &effects)
            return tag
        }
        let slot = slots.take()
        slots.withMutableBytes(slot) {
            UnsafeMutableRawBufferPointer(rebasing: $0[CmanHeader.size..<CmanHeader.size + payload.count]).copyMemory(from: payload)
        }
        let message = OutgoingMessage(
            slot: slot,
            length: CmanHeader.size + payload.count,
            targetPort: port,
            sourcePort: sourcePort,
            flags: flags,
            target: target,
            tag: tag
        )
        let mustWait = port > CmanPort.highestProtected && isBlocked
        if outstanding == nil, !mustWait {
            _ = sendOrQueue(message, into: &effects)
        } else if !queues.append(message) {
            slots.giveBack(slot)
            throw .queueFull
        }
        return tag
    }

    private mutating func deliverToItself(
        _ payload: UnsafeRawBufferPointer,
        from sourcePort: UInt8,
        to port: UInt8,
        tag: CmanTag,
        into effects: inout CmanEffects
    ) {
        if ports.contains(port) {
            let message = CmanUserMessage(
                source: id,
                target: id,
                sourcePort: sourcePort,
                targetPort: port,
                sequence: 0,
                payload: effects.keep(payload),
                heldAcknowledgement: nil
            )
            effects.report(.message(message))
        }
        effects.report(.sent(tag))
    }

    mutating func makeTag() -> CmanTag {
        nextTag += 1
        return CmanTag(nextTag)
    }
}
