import Bridging
import CmanNode
import EngineKit

/// Which messages of native members were taken over already, and who owes an acknowledgement for them.
///
/// Every proxy gets its own copy of a broadcast, at its own time, perhaps only by a retransmission. The sender has at most one
/// reliable message under way (reference/cman-wire.md 2.4) and its numbers count up, so that one record per sender tells a copy from
/// a new message.
package struct ReceivedMessages: Sendable {
    /// What to do with a message that a proxy received.
    package enum Verdict: Sendable, Hashable {
        /// Report it; `receipt` is set when its sender waits.
        case new(Receipt?)
        /// It was reported; its acknowledgement, if it wants one, is held with the others.
        case copy
        /// It was reported and is released: acknowledge at once.
        case released
        /// An old copy that the network kept back. It must not be acknowledged: the sender would count it for a later message.
        case stale
    }

    private struct Reliable {
        var sequence: UInt16
        var receipt: Receipt?
        /// Who waits to acknowledge it.
        var held: [(proxy: UInt32, tag: CmanTag)] = []
        /// When it was taken; nil for one of an earlier process of the bridge: the sender may have started again since, so that its
        /// numbers say nothing of age.
        var arrival: Instant?
    }

    private struct Unreliable {
        var sequence: UInt16
        var arrival: Instant
    }

    /// How long the network may keep back a copy. A sender numbers everything that it sends, HELLOs and what is for others included, so
    /// that after a pause its next message may have any number (reference/cman-wire.md 2.1).
    private static let longestDelay = Interval.seconds(10)

    private var reliable: [UInt32: Reliable] = [:]
    private var unreliable: [UInt32: Unreliable] = [:]
    private var senders: [Receipt: UInt32] = [:]
    private var lastReceipt: UInt64 = 0

    /// With the sequence numbers that an earlier process took last.
    package init(restoring sequences: [UInt32: UInt16]) {
        reliable = sequences.mapValues { Reliable(sequence: $0) }
    }

    /// Of the numbers that an earlier process took, those of senders that have sent nothing since.
    package var restored: [UInt32: UInt16] { reliable.compactMapValues { $0.arrival == nil ? $0.sequence : nil } }

    /// Proxy `proxy` received `message` of a native member at `now`.
    package mutating func receive(_ message: CmanUserMessage, by proxy: UInt32, at now: Instant) -> Verdict {
        guard let tag = message.heldAcknowledgement else { return receiveUnreliable(message, at: now) }
        if let sequence = reliable[message.source]?.sequence {
            let age = Int16(bitPattern: message.sequence &- sequence)
            if age == 0 {
                guard reliable[message.source]?.receipt != nil else { return .released }
                reliable[message.source]?.held.append((proxy, tag))
                return .copy
            }
            if age < 0, let arrival = reliable[message.source]?.arrival, now - arrival < Self.longestDelay { return .stale }
            if let receipt = reliable[message.source]?.receipt { senders[receipt] = nil }
        }
        lastReceipt += 1
        let receipt = Receipt(lastReceipt)
        senders[receipt] = message.source
        reliable[message.source] = Reliable(sequence: message.sequence, receipt: receipt, held: [(proxy, tag)], arrival: now)
        return .new(receipt)
    }

    /// A message without acknowledgement may overtake a reliable one, so that it has a record of its own.
    private mutating func receiveUnreliable(_ message: CmanUserMessage, at now: Instant) -> Verdict {
        if let last = unreliable[message.source], now - last.arrival < Self.longestDelay,
            Int16(bitPattern: message.sequence &- last.sequence) <= 0
        {
            return .stale
        }
        unreliable[message.source] = Unreliable(sequence: message.sequence, arrival: now)
        return .new(nil)
    }

    /// The bridge acknowledges: who has to do so now. Empty when the sender has given up on that message.
    package mutating func release(_ receipt: Receipt) -> [(proxy: UInt32, tag: CmanTag)] {
        guard let sender = senders.removeValue(forKey: receipt), reliable[sender]?.receipt == receipt else { return [] }
        defer {
            reliable[sender]?.receipt = nil
            reliable[sender]?.held = []
        }
        return reliable[sender]?.held ?? []
    }

    /// `node` starts anew as a member, or is gone.
    package mutating func forget(_ node: UInt32, keepRestored: Bool) {
        if keepRestored, let known = reliable[node], known.arrival == nil { return }
        if let receipt = reliable.removeValue(forKey: node)?.receipt { senders[receipt] = nil }
        unreliable[node] = nil
    }
}
