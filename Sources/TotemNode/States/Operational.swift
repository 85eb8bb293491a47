import EngineKit
import TotemWire
import WireFormat

extension TotemNode {
    /// memb_state_operational_enter (totemsrp.c:1928): what is left of the old ring, the transitional configuration, what only its
    /// members may still deliver, the regular configuration, in this order.
    mutating func enterOperational(at now: Instant, into effects: inout Output) {
        recovery.hasOriginatedToken = false
        gathering.consensus = NodeList()
        oldRingState.isSaved = false
        isDeliveryPaused = false
        moveRecoveredMessages()
        deliver(upTo: oldRingState.highSequence, skippingGaps: false, into: &effects)

        let left = members.filter { !transitionalMembers.contains($0) }
        let joined = newMembers.filter { !transitionalMembers.contains($0) }
        members = newMembers
        effects.report(
            .membership(
                TotemMembership(isTransitional: true, ring: ring, members: transitionalMembers, joined: [], left: left)
            )
        )
        assemblies.remove(left)
        awaitsTransAck = rules.waitsForSynchronisation
        deliver(upTo: oldRingState.highSequence, skippingGaps: true, into: &effects)
        assemblies.isTransitional = awaitsTransAck
        effects.report(
            .membership(TotemMembership(isTransitional: false, ring: ring, members: newMembers, joined: joined, left: left))
        )

        regularQueue.removeAll(newHead: messageSequenceStart, from: &packets)
        swap(&regularQueue, &recoveryQueue)
        passing.lastAllReceivedUpTo = messageSequenceStart
        gathering.processors = NodeList(newMembers)
        gathering.failed = NodeList()
        skipRecoveryMessages()
        recovery.hasReceivedAll = true
        oldRingID = ringID
        counters.ringsFormed += 1
        change(to: .operational, into: &effects)
        restartPauseCheck(at: now)
    }

    /// Takes the messages of the old ring out of the messages of the new ring that brought them
    /// (deliver_messages_from_recovery_to_regular totemsrp.c:1851).
    private mutating func moveRecoveredMessages() {
        var sequence = messageSequenceStart
        while sequence != received.allReceivedUpTo {
            sequence &+= 1
            guard let outer = recoveryQueue[sequence] else { continue }
            var inner: [UInt8] = []
            packets.withBytes(outer) { bytes in
                guard bytes.count > messageHeaderSize else { return }
                inner.append(contentsOf: bytes[messageHeaderSize...])
            }
            guard let message = storedMessage(inner), message.ring == oldRingID,
                identities.node(of: message.systemFrom) != nil,
                regularQueue.contains(message.sequence), regularQueue[message.sequence] == nil,
                let packet = inner.withUnsafeBytes({ packets.insert($0) })
            else { continue }
            regularQueue.insert(packet, at: message.sequence)
            if precedes(oldRingState.highSequence, message.sequence) { oldRingState.highSequence = message.sequence }
        }
    }

    func storedMessage(_ bytes: [UInt8]) -> Message? {
        bytes.withUnsafeBytes { buffer in
            guard let byteOrder = Dialect.byteOrder(of: buffer) else { return nil }
            return try? Message(reading: buffer, byteOrder: byteOrder)
        }
    }

    /// The messages of recovery count as delivered: what they brought was delivered with the old ring.
    private mutating func skipRecoveryMessages() {
        var last = received.highSequence
        while last != messageSequenceStart, regularQueue[last] == nil { last &-= 1 }
        received.highDelivered = last
        regularQueue.release(upTo: last, from: &packets)
        passing.lastReleased = last
    }
}
