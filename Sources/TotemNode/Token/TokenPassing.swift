import EngineKit
import TotemWire
import WireFormat

/// What a processor remembers from one visit of the token to the next.
struct TokenPassing: Sendable {
    /// Number of the last token accepted (my_token_seq); all ones before the first.
    var tokenSequence: UInt32 = .max
    /// Whether tokens are ignored because no ring exists (orf_token_discard).
    var discardsTokens = true
    /// `seq` of the last token seen, of whatever ring (my_last_seq).
    var lastSequence: UInt32 = 0
    /// Visits at which `seq` was the same (my_seq_unchanged).
    var unchangedVisits: UInt32 = 0
    /// Whether the ring is idle and its representative holds the token (my_token_held).
    var isHeld = false
    /// `aru` of the last token (my_last_aru).
    var lastAllReceivedUpTo: UInt32 = 0
    /// Visits at which `aru` was stuck (my_aru_count).
    var stuckVisits = 0
    /// The last message released (last_released).
    var lastReleased: UInt32 = 0
    /// Who gets the token next.
    var target: UInt32 = 0
    /// The token as it was passed on last (orf_token_retransmit).
    var copy: [UInt8] = []

    mutating func beginRecovery(at start: UInt32) {
        tokenSequence = .max
        lastReleased = start
        stuckVisits = 0
        unchangedVisits = 0
    }
}

extension TotemNode {
    /// message_handler_orf_token (totemsrp.c:3842) for the token in `token`; the order of the steps is that of
    /// reference/totem-engine.md 5.1.
    mutating func receiveToken(at now: Instant, into effects: inout Output) {
        guard !passing.discardsTokens || rules.passesTokensWhileGathering else {
            counters.tokensDiscarded += 1
            return
        }
        noticeIdleness(at: now)
        var forward = decideHold()
        if rules.packsForEveryToken { flushPacker() }
        guard state == .operational || state == .recovery || state == .gather && rules.passesTokensWhileGathering else { return }
        if state == .operational { releaseMessages(upTo: token.allReceivedUpTo) }
        guard token.ring == ringID, isSane else {
            counters.tokensDiscarded += 1
            expectHeartbeat(isForwarding: forward, at: now)
            return
        }
        guard precedes(passing.tokenSequence, token.tokenSequence) else {
            counters.tokensDiscarded += 1
            if rules.copiesRestartTimers { restartTokenTimers(at: now) }
            return
        }
        counters.tokens += 1
        flushPacker()
        let previousAllReceivedUpTo = passing.lastAllReceivedUpTo
        passing.lastAllReceivedUpTo = token.allReceivedUpTo
        forward = sendMessages(previous: previousAllReceivedUpTo, into: &effects) || forward
        updateAllReceivedUpTo()
        if token.allReceivedUpTo == previousAllReceivedUpTo, token.allReceivedUpToAddress != 0 {
            passing.stuckVisits += 1
        } else {
            passing.stuckVisits = 0
        }
        if passing.stuckVisits > configuration.timers.failToReceive, giveUpOnReceiver(at: now, into: &effects) { return }
        passing.tokenSequence = token.tokenSequence
        token.tokenSequence &+= 1
        if state == .recovery { updateRecovery(previous: previousAllReceivedUpTo, at: now, into: &effects) }
        passToken(forward: forward, at: now, into: &effects)
        if state == .operational { deliverReceived(into: &effects) }
        restartTokenTimers(at: now)
        if isRepresentative, passing.isHeld { deadlines[.hold] = now + configuration.timers.hold }
        effects.report(.tokenSent)
        expectHeartbeat(isForwarding: forward, at: now)
    }

    private mutating func restartTokenTimers(at now: Instant) {
        deadlines[.token] = now + configuration.timers.token
        deadlines[.tokenRetransmit] = now + configuration.timers.tokenRetransmit
    }

    /// While the token goes round, its next visit is expected within a shorter time (reference/totem-engine.md 1).
    private mutating func expectHeartbeat(isForwarding: Bool, at now: Instant) {
        deadlines[.heartbeat] = isForwarding ? configuration.timers.heartbeat.map { now + $0 } : nil
    }

    /// Step 12: `aru` has been stuck for too long. False when it is for another processor to draw the conclusion.
    private mutating func giveUpOnReceiver(at now: Instant, into effects: inout Output) -> Bool {
        let isOwn = token.allReceivedUpToAddress == nodeID
        guard isOwn != rules.accusesOthers else { return false }
        if isOwn {
            gathering.failedToReceive = true
            gathering.failed.insert(nodeID)
            enterGather(at: now, into: &effects)
        } else {
            guard identities.contains(token.allReceivedUpToAddress) else { return false }
            gathering.failed.insert(token.allReceivedUpToAddress)
            if oldRingState.isSaved { abandonRecovery(at: now, into: &effects) } else { enterGather(at: now, into: &effects) }
        }
        return true
    }

    /// A token whose messages do not fit into the window was not made by this ring; the daemons stop at it.
    private var isSane: Bool {
        token.sequence &- received.allReceivedUpTo < UInt32(SortQueue.windowSize)
    }

    /// Step 2: an idle ring looks for other rings; this looks at every token, copies and foreign ones included.
    private mutating func noticeIdleness(at now: Instant) {
        if token.sequence == passing.lastSequence {
            if deadlines[.mergeDetect] == nil { deadlines[.mergeDetect] = now + configuration.timers.merge }
            passing.unchangedVisits &+= 1
        } else {
            deadlines[.mergeDetect] = nil
            deadlines[.hold] = nil
            passing.unchangedVisits = 0
        }
        passing.lastSequence = token.sequence
    }

    /// Step 4: whether the token goes on, or stays with the representative of an idle ring.
    private mutating func decideHold() -> Bool {
        let limit = configuration.timers.sequenceUnchanged
        passing.isHeld = isRepresentative ? passing.unchangedVisits > limit : passing.unchangedVisits >= limit
        return !(isRepresentative && passing.isHeld)
    }

    /// Step 10: what others lack first, then what waits here. True when a token that was to be held must go on.
    private mutating func sendMessages(previous: UInt32, into effects: inout Output) -> Bool {
        guard rules.hasFlowControl else {
            sendWithinWindow(previous: previous, into: &effects)
            return false
        }
        var allowed = flow.allowance(for: token, backlog: backlog, limits: configuration.timers)
        let repeated = answerRequests(allowed: allowed, into: &effects)
        allowed &-= repeated
        requestMissing()
        let releases = configuration.timers.cancelsHoldOnRetransmit && passing.isHeld && (repeated > 0 || !token.retransmitList.isEmpty)
        if releases { passing.isHeld = false }
        // The window of the sort queue must hold what everyone may still send.
        let window = UInt32(SortQueue.windowSize) &- allowed &- configuration.timers.windowSize
        if precedes(passing.lastReleased &+ window, token.sequence) { allowed = 0 }
        let fresh = sendWaiting(allowed: allowed, into: &effects)
        flow.update(&token, transmitted: repeated &+ fresh)
        return releases
    }

    /// The same in 2005: 30 messages a visit, one of them never used, and none while the last `aru` is 128 messages behind (3023,
    /// 3790@D1). `previous` is that `aru`.
    private mutating func sendWithinWindow(previous: UInt32, into effects: inout Output) {
        let limits = configuration.timers
        let repeated = answerRequests(allowed: limits.maxMessages &+ 1, into: &effects)
        requestMissing()
        let isBehind = precedes(previous &+ limits.windowSize, token.sequence)
        let room = limits.maxMessages > repeated ? limits.maxMessages - repeated - 1 : 0
        _ = sendWaiting(allowed: isBehind ? 0 : room, into: &effects)
        received.highSequence = token.sequence
        received.extend(over: state == .recovery ? recoveryQueue : regularQueue)
    }

    /// Step 11.
    private mutating func updateAllReceivedUpTo() {
        guard
            precedes(received.allReceivedUpTo, token.allReceivedUpTo)
                || token.allReceivedUpToAddress == nodeID || token.allReceivedUpToAddress == 0
        else { return }
        token.allReceivedUpTo = received.allReceivedUpTo
        token.allReceivedUpToAddress = token.allReceivedUpTo == token.sequence ? 0 : nodeID
    }

    /// token_send (totemsrp.c:3001): the token is remembered even when it is held.
    mutating func passToken(forward: Bool, at now: Instant, into effects: inout Output) {
        if rules.repeatedTokenNamesPredecessor {
            guard let copy = try? effects.keep(&token, byteOrder: byteOrder) else { return }
            rememberToken(copy, effects)
        }
        token.header.setSender(nodeID)
        guard let datagram = try? effects.keep(&token, byteOrder: byteOrder) else { return }
        if !rules.repeatedTokenNamesPredecessor { rememberToken(datagram, effects) }
        if forward { sendToken(datagram, to: passing.target, at: now, into: &effects) }
    }

    mutating func rememberToken(_ datagram: ByteRange, _ effects: borrowing Output) {
        passing.copy.removeAll(keepingCapacity: true)
        effects.withBytes(datagram) { passing.copy.append(contentsOf: $0) }
    }

    /// Sends the token again as it was (token_retransmit totemsrp.c:2935).
    private mutating func repeatToken(at now: Instant, into effects: inout Output) {
        guard !passing.copy.isEmpty else { return }
        let datagram = passing.copy.withUnsafeBytes { effects.keep($0) }
        sendToken(datagram, to: passing.target, at: now, into: &effects)
    }

    /// The retransmit timer ran out, or a hold was cancelled.
    mutating func resendToken(at now: Instant, into effects: inout Output) {
        switch state {
        case .commit where !rules.repeatsCommitToken: break
        case .commit, .operational, .recovery:
            repeatToken(at: now, into: &effects)
            deadlines[.tokenRetransmit] = now + configuration.timers.tokenRetransmit
        case .idle, .gather, .left:
            break
        }
    }

    /// The hold timer ran out.
    mutating func releaseHeldToken(at now: Instant, into effects: inout Output) {
        guard state == .operational || state == .recovery else { return }
        repeatToken(at: now, into: &effects)
    }
}
