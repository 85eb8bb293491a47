import EngineKit
import TotemWire
import WireFormat

extension TotemNode {
    /// Delivers what has been received up to the first gap.
    mutating func deliverReceived(into effects: inout Output) {
        guard !isDeliveryPaused else { return }
        guard pausesWhileSynchronising, awaitsTransAck else {
            deliver(upTo: received.highSequence, skippingGaps: false, into: &effects)
            return
        }
        let before = received.highDelivered
        guard precedes(before, received.highSequence) else { return }
        deliver(upTo: before &+ 1, skippingGaps: false, into: &effects)
        isDeliveryPaused = received.highDelivered != before
    }

    /// Goes on with delivery after a pause (`pausesWhileSynchronising`).
    public mutating func resumeDelivery(into effects: inout Output) {
        guard isDeliveryPaused else { return }
        isDeliveryPaused = false
        if state == .operational { deliverReceived(into: &effects) }
    }

    /// Delivers messages in order up to `last`, to the first gap or, between the two configurations, over the gaps and only what
    /// members of the transitional configuration sent (messages_deliver_to_app totemsrp.c:4158).
    mutating func deliver(upTo last: UInt32, skippingGaps: Bool, into effects: inout Output) {
        while precedes(received.highDelivered, last) {
            let sequence = received.highDelivered &+ 1
            guard regularQueue.contains(sequence) else { return }
            guard let packet = regularQueue[sequence] else {
                guard skippingGaps else { return }
                received.highDelivered = sequence
                continue
            }
            received.highDelivered = sequence
            deliver(packet, onlyFromDeliverable: skippingGaps, into: &effects)
        }
    }

    private mutating func deliver(_ packet: PacketStore.Handle, onlyFromDeliverable: Bool, into effects: inout Output) {
        var refusal: TotemRefusal?
        packets.withBytes(packet) { bytes in
            guard let byteOrder = Dialect.byteOrder(of: bytes),
                let message = try? Message(reading: bytes, byteOrder: byteOrder),
                let sender = identities.node(of: message.systemFrom),
                !onlyFromDeliverable || deliverableMembers.contains(sender)
            else { return }
            let payload = UnsafeRawBufferPointer(rebasing: bytes[message.payload.range])
            refusal = assemblies.receive(
                payload,
                from: sender,
                byteOrder: byteOrder,
                delivered: &counters.messagesDelivered,
                into: &effects
            )
        }
        if let refusal { refuse(refusal, into: &effects) }
    }
}
