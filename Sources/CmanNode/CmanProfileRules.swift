import EngineKit

/// Everything in which implementations of cman-5 differ on the wire, in one place (reference/cman-wire.md 12.4,
/// reference/cman-behaviour.md 11, design: good manners on the legacy side).
///
/// The rest of the engine asks these questions and never which profile it runs.
package struct CmanProfileRules: Sendable, Hashable {
    /// How a message is answered whose sender gave no id but is known by its address (reference/cman-wire.md 5.6, bug B8).
    package enum AnswerToIDZero: Sendable, Hashable {
        /// To the address it came from.
        case address
        /// To node id 0, which is everybody.
        case broadcast
        /// Not at all.
        case none
    }

    /// When a completion barrier is given up because a node died.
    package enum AbandonsBarrier: Sendable, Hashable {
        /// Only when it times out.
        case never
        /// By a master whose ENDTRANS is not acknowledged by all.
        case beforeWaiting
        /// By everybody, and by clients also when the master starts again.
        case always
    }

    /// When `leave` is carried out while a transition is under way or messages are not acknowledged yet.
    package enum LeaveUnderWay: Sendable, Hashable {
        case atOnce, afterwards
    }

    // Delivery

    /// STARTTRANS says that STARTACK will acknowledge it.
    package var startTransExpectsReply = true
    /// STARTACK says that the master's next message will acknowledge it, which that message, a broadcast, does not: costs a second.
    package var startAckExpectsReply = true
    /// Membership messages that expect a reply are acknowledged at once all the same.
    package var acknowledgesBeforeReply = false
    /// Status 1 of an ACK says "delivered" instead of "nobody listens".
    package var invertsAckStatus = false
    /// A message that expects a reply is acknowledged when nobody listens to give one.
    package var acknowledgesWithoutListener = true
    /// Messages of port 0 are acknowledged before they are acted upon.
    package var acknowledgesFirst = true
    /// An acknowledgement counts only when it names the message that is outstanding, and only once per node.
    package var checksAcknowledgements = false
    /// Messages acknowledge again what an ACK has acknowledged. One that comes late, or again, then counts for a later message with
    /// implementations that compare with the last one only; that message may be lost for good.
    package var repeatsAcknowledgements = true
    /// Source addresses are verified before acknowledgements and duplicates are looked at.
    package var verifiesAddressFirst = false
    /// A copy of a reliable message that arrives after the next one is recognised, not only copies of the last one.
    package var refusesLateCopies = false
    /// A node that dies is no longer waited for.
    package var forgetsDeadNodes = false
    /// After a timeout the next queued message goes out before the silent nodes are declared dead.
    package var sendsQueuedBeforeDeaths = false
    /// Copies of an unacknowledged message in one retransmission interval of the original. A node is given up after the same time.
    package var copiesPerInterval = 1
    /// Port-0 messages that go out at once carry MSG_DONTWAIT.
    package var marksImmediateMessages = true
    /// BARRIER messages do so too.
    package var marksImmediateBarriers = false
    /// Messages of port 0 that no version knows are acknowledged, so that their sender does not take this node for dead.
    package var acknowledgesUnknownCommands = false

    // Membership

    /// Messages about the cluster, and those of programs, are taken from members only.
    package var refusesStrangers = false
    /// Newest node first in views, and as the one that LEAVE goes to.
    package var listsNewestFirst = true
    /// Port that LEAVE comes from.
    package var leaveSourcePort: UInt8 = 1
    /// LEAVE goes to a dead node when there is no living one.
    package var saysLeaveToAnybody = true
    /// The lowest member takes over as soon as NODEDOWN names the master, not when its watchdog runs out.
    package var actsOnNodeDown = false
    /// A transition in which every node waits for another one as its master is taken over by the lowest member, or by the next one if that
    /// does not. The original hangs.
    package var resolvesStuckTransitions = false
    /// Port 2 is served by the node: JOIN_REQ is answered.
    package var servesServiceManager = true
    /// Who is told to leave says LEAVE before it is silent.
    package var saysLeaveWhenKilled = true
    /// In a conflict of two masters, one that only checks loses.
    package var checkLosesElection = true
    /// What a death means for a master at its completion barrier, which waits for the dead node too.
    package var abandonsBarrier = AbandonsBarrier.beforeWaiting
    /// Answers to requests with source id 0 from a known address.
    package var answerToIDZero = AnswerToIDZero.none
    /// A node that has been silent for nearly too long is asked whether it lives, and its acknowledgement counts as a sign of life.
    package var asksSilentNodes = false
    /// HELLO goes out before the node has its id.
    package var greetsWithoutID = false
    /// No HELLO between STARTTRANS(NEWNODE) and the end of its barrier, so that none carries a stale member count.
    package var isSilentWhileJoining = false
    /// HELLOs that arrive during the completion barrier are looked at when it is over.
    package var keepsHellos = true
    /// A HELLO that is stale by its generation is not held against its sender right after a transition.
    package var excusesStaleHellos = false
    /// The time in which this node itself did not run is no silence of the others.
    package var excusesOwnPauses = false
    /// JOINCONF is taken also after a WAIT, and confirmed again when it arrives again; a WAIT from the member that had said OK is
    /// obeyed; no second JOINREQ goes out while an answer may still come; a node that is not let in goes on listening.
    package var joinsPersistently = false
    /// A node that comes back from another address, or from none of those that it lists, is refused: members would drop all it sends.
    package var refusesNewAddress = false
    /// A node that is not quorate leaves when a quorate cluster has another node with its id.
    package var givesWayToDouble = false
    /// The joiner that ENDTRANS names is a member, though its completion barrier failed: the others voted with it in their view. Any other
    /// is none. The original forgets the first when a later ENDTRANS names no joiner; as the one that takes over from a dead master it
    /// counts the second, which nobody else knows (bug B6).
    package var endTransSettlesJoiners = false
    /// The joiner of a STARTTRANS that comes too late is remembered: its master may win all the same, tells of it only once, and lets it in
    /// with ENDTRANS. The original then misses a member, and is killed for it by the next view vote.
    package var remembersOtherJoiners = false
    /// Quorum decreases for a node that says that it is removed only where the votes that are left before it goes are enough, and not for
    /// others that die in the same transition. In the original what is left after a partition is quorate once one of it is removed.
    package var guardsDecrease = false
    /// CONFACK counts only when it comes from the node that joins.
    package var checksConfirmation = false
    /// Views are cut so that they fit what a receiver reads (reference/cman-wire.md 1.8).
    package var fitsViews = false
    /// What happens to a leave command while something is under way.
    package var leaveUnderWay = LeaveUnderWay.atOnce
    /// Time is a number of whole seconds.
    package var countsWholeSeconds = false
    /// One more NEWCLUSTER follows when the cluster is formed.
    package var announcesWhenForming = false

    package init(_ profile: CmanConfiguration.Profile) {
        switch profile {
        case .kernel:
            break
        case .daemon:
            startTransExpectsReply = false
            invertsAckStatus = true
            acknowledgesWithoutListener = false
            acknowledgesFirst = false
            sendsQueuedBeforeDeaths = true
            marksImmediateBarriers = true
            listsNewestFirst = false
            leaveSourcePort = 0
            saysLeaveWhenKilled = false
            servesServiceManager = false
            checkLosesElection = false
            abandonsBarrier = .never
            answerToIDZero = .broadcast
            greetsWithoutID = true
            countsWholeSeconds = true
            announcesWhenForming = true
        case .ringbridge:
            copiesPerInterval = 2
            asksSilentNodes = true
            startAckExpectsReply = false
            acknowledgesBeforeReply = true
            checksAcknowledgements = true
            repeatsAcknowledgements = false
            verifiesAddressFirst = true
            forgetsDeadNodes = true
            marksImmediateMessages = false
            acknowledgesUnknownCommands = true
            refusesStrangers = true
            refusesLateCopies = true
            answerToIDZero = .address
            abandonsBarrier = .always
            isSilentWhileJoining = true
            keepsHellos = false
            excusesStaleHellos = true
            excusesOwnPauses = true
            joinsPersistently = true
            refusesNewAddress = true
            givesWayToDouble = true
            checksConfirmation = true
            endTransSettlesJoiners = true
            remembersOtherJoiners = true
            guardsDecrease = true
            fitsViews = true
            leaveUnderWay = .afterwards
            saysLeaveToAnybody = false
            actsOnNodeDown = true
            resolvesStuckTransitions = true
        }
    }

    /// What the recorded "kernel-like" daemon does: the daemon with the switches that captures/cman/INDEX.md lists.
    package static var recordedKernelLike: CmanProfileRules {
        var rules = CmanProfileRules(.daemon)
        rules.startTransExpectsReply = true
        rules.invertsAckStatus = false
        rules.acknowledgesWithoutListener = true
        rules.acknowledgesFirst = true
        rules.marksImmediateBarriers = false
        rules.listsNewestFirst = true
        rules.leaveSourcePort = 1
        return rules
    }
}
