import EngineKit
import TotemWire

extension TotemNode {
    /// The queue of the messages that circulate in the present state.
    private var currentQueue: SortQueue {
        _read { if state == .recovery { yield recoveryQueue } else { yield regularQueue } }
    }

    /// Sends again what the token asks for and this processor has; returns how many (orf_token_rtr totemsrp.c:2804).
    mutating func answerRequests(allowed: UInt32, into effects: inout Output) -> UInt32 {
        var answered: UInt32 = 0
        var index = 0
        while answered < allowed, index < token.retransmitList.count {
            let item = token.retransmitList[index]
            guard item.ring == ringID, let packet = currentQueue[item.sequence] else {
                index += 1
                continue
            }
            send(packet, into: &effects)
            token.retransmitList.remove(at: index)
            answered += 1
            counters.retransmissions += 1
        }
        return answered
    }

    /// Asks for what is missing here, as a rule after some patience.
    mutating func requestMissing() {
        let last = rules.patience == .none ? received.highSequence : token.sequence
        guard precedes(received.allReceivedUpTo, last) else { return }
        let range = last &- received.allReceivedUpTo
        for offset in 1...range where token.retransmitList.count < Dialect.retransmitEntriesLimit {
            let sequence = received.allReceivedUpTo &+ offset
            guard currentQueue.contains(sequence) else { break }
            guard currentQueue[sequence] == nil else { continue }
            guard rules.patience == .none || countMiss(of: sequence) >= configuration.timers.missCount else { continue }
            guard !token.retransmitList.contains(where: { $0.sequence == sequence }) else { continue }
            token.retransmitList.append(.init(ring: ringID, sequence: sequence))
            counters.retransmissionRequests += 1
        }
    }

    private mutating func countMiss(of sequence: UInt32) -> UInt8 {
        state == .recovery ? recoveryQueue.countMiss(of: sequence) : regularQueue.countMiss(of: sequence)
    }

    /// Multicasts a stored message to the members of the ring. While that is being formed they are not those that transports know yet.
    mutating func send(_ packet: PacketStore.Handle, into effects: inout Output) {
        guard !rules.isSilentAlone || newMembers.count > 1 else { return }
        let datagram = packets.withBytes(packet) { effects.keep($0) }
        effects.transmit(datagram, to: state == .operational ? .members : .everyone)
    }
}
