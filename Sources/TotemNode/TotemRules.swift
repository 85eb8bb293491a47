import TotemWire

/// What the generations of Totem do differently, beside the layout of their messages: the one place where the variants of the state
/// machine stand. Sections are those of reference/totem-engine.md.
///
/// What made the daemons weaker and others do not depend on is not repeated: a second initial token for every copy of the commit token
/// (openais 0.80, section 6.2), members of other rings in a transitional configuration (until openais 0.80, section 6.1), counters of an
/// earlier recovery that go on counting, recovery messages that are handed to the application (2005, section 7).
struct TotemRules: Sendable, Hashable {
    /// How a processor that stops says so.
    enum Leave: Sendable, Hashable {
        /// Not at all: the others notice the loss of the token. A JOIN that looks like a LEAVE counts as a JOIN.
        case silent
        /// A JOIN with node id 0 in the header and in `system_from`; the latter keeps it out of the consensus (1169@fl, 1263@ne).
        case namelessAddress
        /// A JOIN with node id 0 in the header (4542@ma).
        case namelessHeader

        /// Whether `join` is a LEAVE to a receiver.
        func isLeave<Dialect>(_ join: MemberJoin<Dialect>) -> Bool {
            switch self {
            case .silent: false
            case .namelessAddress: join.systemFrom.isLeaving
            case .namelessHeader: join.isLeave
            }
        }
    }

    /// Where a retransmitted token differs from the one that was sent, and when a token is asked for again.
    enum Patience: Sendable, Hashable {
        /// A missing message is asked for at once, up to the highest that was heard of (3023@D1).
        case none
        /// After `TotemTimers.missCount` visits of the token, up to the token's `seq`.
        case visits
    }

    // MARK: Start and end

    /// Section 8.
    var leave: Leave
    /// Section 2: a starting processor counts its stored ring number up by one.
    var countsRingAtStart: Bool
    /// A starting processor enters GATHER when it is made and again when its interface is found to be up (987, 2484@D1).
    var gathersTwiceAtStart: Bool

    // MARK: Gathering

    /// Section 3: a JOIN that reaches an operational ring ends it even when it says nothing new, as that of a member that restarts quickly.
    /// openais 0.80 returned early.
    var anyJoinEndsRing: Bool
    /// Section 3: an operational ring ignores a JOIN from one that holds the receiver to have failed, or from a member that has not heard of
    /// the ring (4760@ma).
    var ignoresOutdatedJoins: Bool
    /// Section 3: whoever sends a JOIN is believed about who failed, and not only the members of the last ring.
    var believesStrangers: Bool
    /// Section 3: JOINs are ignored after a pause of the process, and while packets that waited are read at the arrival of a token.
    var flushesJoins: Bool

    // MARK: Commit token

    /// Section 4: `memb_index` is the index of the one that wrote last, and each hop counts it up; otherwise of the entry to be filled.
    var indexNamesLastWriter: Bool
    /// Section 4: a commit token is sent again until the ring goes on.
    var repeatsCommitToken: Bool

    // MARK: Token

    /// Section 5.1: tokens of a ring that is being left are still passed on while gathering.
    var passesTokensWhileGathering: Bool
    /// Section 5.1 step 5: what is packed goes with any token, a copy or one of another ring too.
    var packsForEveryToken: Bool
    /// Section 5.1 step 7: a copy of the token restarts the timers of loss and retransmission.
    var copiesRestartTimers: Bool
    /// Section 5.1 step 14: the copy of a token for the retransmit timer is taken before the sender's node id is put in, so a token that is
    /// sent again names the one before its sender; so does a commit token in its second round (2763@wt).
    var repeatedTokenNamesPredecessor: Bool
    /// Section 5.1 step 12: a member whose aru is stuck is declared to have failed by the others; otherwise it says so itself.
    var accusesOthers: Bool
    /// Section 5.3.
    var patience: Patience
    /// Section 5.6: `fcc` and `backlog` limit what is sent; otherwise a window of 128 messages behind the last `aru` and 30 a visit do.
    var hasFlowControl: Bool
    /// reference/totem-wire.md 1.1: what a processor sends while it is alone in its ring stays with it (totemrrp.c:1615@wt, 2268@ne).
    var isSilentAlone: Bool
    /// Section 5.1, at the end: a message from another processor stops the repetition of the token (4154@D1).
    var messagesStopRepetition: Bool

    // MARK: Recovery

    /// Section 6.1: what others lack is sent again by whoever has it; otherwise only if the commit token says that somebody lacks something.
    var alwaysRecovers: Bool
    /// Section 6.1: the outer message of recovery is a copy of the inner one's header, so that its source is the original sender.
    var recoveryNamesOriginator: Bool
    /// Section 6.2 and 6.3: the first token has `aru` 0 and `retrans_flg` 1, and the flag stays until nothing is on its way.
    var waitsForLowWater: Bool

    // MARK: Process groups

    /// Section 7 and reference/totem-wire.md 5.4: what is sent until the services have synchronised goes out before what waited, and is
    /// put together apart from it.
    var waitsForSynchronisation: Bool
    /// reference/totem-wire.md 5.2: messages begin with the names of the groups that they are for.
    var hasGroups: Bool
    /// reference/totem-wire.md 5.3: the rest of a message that fills no packet waits for what follows; later only if the whole piece fills
    /// none (751@wt).
    var packsRests: Bool
    /// reference/totem-wire.md 5.3: a packet that is full is sent with the greatest length, whatever is in it.
    var fillsPackets: Bool

    /// The rules of `generation`.
    init(_ generation: TotemGeneration) {
        let isFirst = generation == .totem2005
        leave =
            switch generation {
            case .totem2005, .openais080: .silent
            case .corosync1, .corosync2: .namelessAddress
            case .corosync3: .namelessHeader
            }
        countsRingAtStart = generation >= .corosync2
        gathersTwiceAtStart = isFirst
        anyJoinEndsRing = generation != .openais080
        ignoresOutdatedJoins = generation >= .corosync2
        believesStrangers = isFirst
        flushesJoins = generation >= .corosync1
        indexNamesLastWriter = isFirst
        repeatsCommitToken = !isFirst
        passesTokensWhileGathering = isFirst
        packsForEveryToken = generation <= .corosync1
        copiesRestartTimers = isFirst
        repeatedTokenNamesPredecessor = generation == .openais080
        accusesOthers = isFirst
        patience = isFirst ? .none : .visits
        hasFlowControl = !isFirst
        isSilentAlone = !isFirst && generation <= .corosync2
        messagesStopRepetition = isFirst
        alwaysRecovers = isFirst
        recoveryNamesOriginator = isFirst
        waitsForLowWater = isFirst
        waitsForSynchronisation = generation >= .corosync1
        hasGroups = !isFirst
        packsRests = generation <= .corosync1
        fillsPackets = generation <= .corosync1
    }
}
