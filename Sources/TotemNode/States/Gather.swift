import EngineKit
import TotemWire
import WireFormat

/// What a processor knows while it looks for others.
struct Gathering: Sendable {
    /// Everyone it knows of (my_proc_list).
    var processors = NodeList()
    /// Those that it holds to have failed (my_failed_list).
    var failed = NodeList()
    /// Those that have the same two lists (consensus_list).
    var consensus = NodeList()
    /// Whether this processor found itself unable to receive.
    var failedToReceive = false

    /// Who would form the ring.
    var candidates: NodeList { processors.subtracting(failed) }

    /// Whether all of them agree.
    var isAgreed: Bool { candidates.isSubset(of: consensus) }
}

extension TotemNode {
    /// memb_state_gather_enter (totemsrp.c:2166).
    mutating func enterGather(at now: Instant, into effects: inout Output) {
        passing.discardsTokens = true
        recovery.hasOriginatedToken = false
        gathering.processors.insert(nodeID)
        sendJoin(into: &effects)
        deadlines[.join] = now + configuration.timers.join
        deadlines[.consensus] = now + configuration.timers.consensus
        deadlines[.tokenRetransmit] = nil
        deadlines[.token] = nil
        deadlines[.mergeDetect] = nil
        deadlines[.hold] = nil
        deadlines[.heartbeat] = nil
        gathering.consensus = NodeList([nodeID])
        change(to: .gather, into: &effects)
    }

    /// The join timer ran out.
    mutating func repeatJoin(at now: Instant, into effects: inout Output) {
        guard state == .gather || state == .commit else { return }
        sendJoin(into: &effects)
        deadlines[.join] = now + configuration.timers.join
    }

    /// The consensus timer ran out, or the token timer did in GATHER (memb_state_consensus_timeout_expired totemsrp.c:1695).
    mutating func giveUpOnSilentProcessors(at now: Instant, into effects: inout Output) {
        if gathering.isAgreed {
            gathering.consensus = NodeList([nodeID])
            deadlines[.token] = now + configuration.timers.token
        } else {
            gathering.failed.merge(gathering.processors.subtracting(gathering.consensus))
            enterGather(at: now, into: &effects)
        }
    }

    /// memb_join_message_send (totemsrp.c:3325).
    func joinMessage(processors: NodeList, failed: NodeList, header node: UInt32) -> Join {
        var join = Join()
        join.header = header(.join)
        join.header.setSender(node)
        join.systemFrom = ownAddress
        join.ringSequence = ringID.sequence
        join.processors = identities.addresses(of: processors)
        join.failed = identities.addresses(of: failed)
        return join
    }

    mutating func sendJoin(into effects: inout Output) {
        var join = joinMessage(processors: gathering.processors, failed: gathering.failed, header: nodeID)
        multicast(&join, into: &effects)
        ownCopies.append(
            .join(
                ReceivedJoin(
                    sender: nodeID,
                    processors: gathering.processors,
                    failed: gathering.failed,
                    ringSequence: ringID.sequence,
                    isLeave: false
                )
            )
        )
    }

    /// memb_leave_message_send (totemsrp.c:3388): this processor last in the failed list, node id 0 in the header.
    mutating func sendLeave(into effects: inout Output) {
        guard rules.leave != .silent else { return }
        gathering.failed.insert(nodeID)
        var leave = joinMessage(
            processors: gathering.processors.subtracting(NodeList([nodeID])),
            failed: gathering.failed,
            header: 0
        )
        if rules.leave == .namelessAddress { leave.systemFrom = leave.systemFrom.leaving }
        multicast(&leave, into: &effects)
    }

    /// Sends a message to everyone, members of the ring or not.
    mutating func multicast(_ message: inout some WireStructure, into effects: inout Output) {
        guard let datagram = try? effects.keep(&message, byteOrder: byteOrder) else { return }
        effects.transmit(datagram, to: .everyone)
    }
}
