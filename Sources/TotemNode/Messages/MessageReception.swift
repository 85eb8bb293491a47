import EngineKit
import TotemWire

/// Which messages of the ring a processor has.
struct ReceivedRange: Sendable {
    /// It has every message up to this one (my_aru).
    var allReceivedUpTo: UInt32
    /// The highest message it has (my_high_seq_received).
    var highSequence: UInt32
    /// The last message it delivered (my_high_delivered).
    var highDelivered: UInt32

    /// Nothing yet; the first message follows `start`.
    init(start: UInt32 = 0) {
        allReceivedUpTo = start
        highSequence = start
        highDelivered = start
    }

    /// Messages are counted anew in the new ring; delivery still belongs to the old one.
    mutating func beginRecovery(at start: UInt32) {
        allReceivedUpTo = start
        highSequence = start
    }

    /// update_aru (totemsrp.c:2689).
    mutating func extend(over queue: borrowing SortQueue) {
        while allReceivedUpTo != highSequence, queue[allReceivedUpTo &+ 1] != nil { allReceivedUpTo &+= 1 }
    }
}

extension TotemNode {
    /// The highest message of the ring that has come.
    package var highestMessageSequence: UInt32 { received.highSequence }

    /// message_handler_mcast (totemsrp.c:4265).
    ///
    /// A message is kept only where it belongs, those of recovery in RECOVERY, ordinary ones of the ring that they were sent in; the
    /// daemons would put one that comes too early into the other ring's queue. It is asked for again.
    mutating func receiveMessage(
        _ message: Message,
        from sender: UInt32,
        _ datagram: UnsafeRawBufferPointer,
        at now: Instant,
        into effects: inout Output
    ) {
        if rules.messagesStopRepetition { deadlines[.tokenRetransmit] = nil }
        guard message.ring == ringID else {
            hearForeign(sender, at: now, into: &effects)
            return
        }
        let isRecoveryMessage = message.header.encapsulated == Message.encapsulatedInRecovery
        let belongsHere =
            switch state {
            case .recovery: isRecoveryMessage
            case .operational: !isRecoveryMessage
            case .gather: !isRecoveryMessage && !oldRingState.isSaved
            case .idle, .commit, .left: false
            }
        let queue = state == .recovery ? recoveryQueue.contains(message.sequence) : regularQueue.contains(message.sequence)
        let present = state == .recovery ? recoveryQueue[message.sequence] : regularQueue[message.sequence]
        guard belongsHere, queue, present == nil, let packet = packets.insert(datagram) else {
            counters.messagesDiscarded += 1
            return
        }
        insert(packet, at: message.sequence)
        counters.messagesReceived += 1
        if precedes(received.highSequence, message.sequence) { received.highSequence = message.sequence }
        if state != .recovery || rules.hasFlowControl { received.extend(over: state == .recovery ? recoveryQueue : regularQueue) }
        if state == .operational { deliverReceived(into: &effects) }
    }

    /// messages_free (totemsrp.c:2635): what everyone has and this processor has delivered is needed no more.
    mutating func releaseMessages(upTo tokenAllReceivedUpTo: UInt32) {
        let last = earlier(earlier(tokenAllReceivedUpTo, passing.lastAllReceivedUpTo), received.highDelivered)
        guard precedes(passing.lastReleased, last) else { return }
        regularQueue.release(upTo: last, from: &packets)
        passing.lastReleased = last
    }
}
