import EngineKit
import TotemWire

/// What a JOIN says, in node ids.
struct ReceivedJoin: Sendable {
    var sender: UInt32
    var processors: NodeList
    var failed: NodeList
    var ringSequence: UInt64
    /// Whether the sender is going.
    var isLeave: Bool
}

extension TotemNode {
    /// message_handler_memb_join (totemsrp.c:4762).
    mutating func receiveJoin(_ join: ReceivedJoin, at now: Instant, into effects: inout Output) {
        // After a pause, JOINs that waited meanwhile speak of a time that is over (reference/totem-engine.md 3).
        if rules.flushesJoins, isFlushing || now - pauseCheck > configuration.timers.token / 2 {
            counters.joinsFlushed += 1
            return
        }
        highestRingSequence = max(highestRingSequence, join.ringSequence)
        switch state {
        case .operational:
            if !rules.ignoresOutdatedJoins || !isOutdated(join) { process(join, at: now, into: &effects) }
        case .gather:
            process(join, at: now, into: &effects)
        case .commit:
            guard newMembers.contains(join.sender), join.ringSequence >= ringID.sequence else { return }
            process(join, at: now, into: &effects)
            enterGather(at: now, into: &effects)
        case .recovery:
            guard newMembers.contains(join.sender), join.ringSequence >= ringID.sequence else { return }
            process(join, at: now, into: &effects)
            abandonRecovery(at: now, into: &effects)
        case .idle, .left:
            break
        }
    }

    /// Whether a JOIN that reaches an operational ring says nothing new (ignore_join_under_operational totemsrp.c:4730).
    private func isOutdated(_ join: ReceivedJoin) -> Bool {
        join.failed.contains(nodeID)
            || members.contains(join.sender) && join.ringSequence < ringID.sequence
    }

    /// memb_join_process (totemsrp.c:4451).
    private mutating func process(_ join: ReceivedJoin, at now: Instant, into effects: inout Output) {
        let sender = join.sender
        let processors = join.processors
        let failed = join.failed
        if processors.isSameSet(as: gathering.processors), failed.isSameSet(as: gathering.failed) {
            if !join.isLeave { gathering.consensus.insert(sender) }
            if gathering.isAgreed, gathering.failedToReceive {
                gathering.failedToReceive = false
                gathering.processors = NodeList([nodeID])
                gathering.failed = NodeList()
                createCommitToken()
                enterCommit(at: now, into: &effects)
                return
            }
            if gathering.isAgreed, identities.first(of: gathering.candidates) == nodeID {
                createCommitToken()
                enterCommit(at: now, into: &effects)
            }
        } else if processors.isSubset(of: gathering.processors) && failed.isSubset(of: gathering.failed)
            || gathering.failed.contains(sender)
        {
            // The sender catches up when it hears this processor's JOIN, or is not listened to.
        } else {
            let known = gathering.processors.count + gathering.failed.count
            gathering.processors.merge(processors)
            merge(failed: failed, of: sender)
            // Two processors that do not believe each other about who failed would answer every JOIN with a JOIN, and neither would
            // ever give up on the other, if entering began anew without anything new. The daemons do that; the join and consensus
            // timers of the gathering that runs say the same at a bearable pace.
            let isNews = gathering.processors.count + gathering.failed.count > known
            if isNews || state != .gather { enterGather(at: now, into: &effects) }
            return
        }
        // A member that restarts quickly says nothing new, yet its ring is gone.
        if state == .operational, rules.anyJoinEndsRing { enterGather(at: now, into: &effects) }
    }

    /// As a rule only a member of the last ring is believed when it says who failed: processors that come from elsewhere could not know.
    private mutating func merge(failed: NodeList, of sender: UInt32) {
        if failed.contains(nodeID) {
            gathering.failed.insert(sender)
        } else if rules.believesStrangers || members.contains(sender) {
            gathering.failed.merge(failed)
        }
    }
}
