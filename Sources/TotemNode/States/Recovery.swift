import EngineKit
import TotemWire
import WireFormat

/// How far a processor is in recovering the messages of its old ring (reference/totem-engine.md 6).
struct RecoveryProgress: Sendable {
    /// Whether this processor lacks none of the messages of its old ring (my_received_flg).
    var hasReceivedAll = true
    /// Whether the representative has sent the first token (originated_orf_token).
    var hasOriginatedToken = false
    /// Whether `retrans_flg` in the token was set by this processor (my_set_retrans_flg).
    var hasSetRetransmitFlag = false
    /// Visits of the token without `retrans_flg` in a row (my_retrans_flg_count).
    var quietVisits = 0
    /// Visits after which everyone had everything (my_rotation_counter).
    var completeVisits = 0
    /// Last message of recovery (my_install_seq).
    var installSequence: UInt32 = 0
}

extension TotemNode {
    /// memb_state_recovery_enter (totemsrp.c:2296).
    mutating func enterRecovery(at now: Instant, into effects: inout Output) {
        passing.discardsTokens = false
        recoveryQueue.removeAll(newHead: messageSequenceStart, from: &packets)
        discardRecoveryMessages()
        sendCommitToken(at: now, into: &effects)
        transitionalMembers = zip(newMembers, commitToken.entries).compactMap { member, entry in
            members.contains(member) && entry.ring == oldRingID ? member : nil
        }
        let someoneLacksMessages = zip(newMembers, commitToken.entries).contains {
            transitionalMembers.contains($0) && $1.receivedFlag == 0
        }
        if someoneLacksMessages || rules.alwaysRecovers {
            deliverableMembers = transitionalMembers
            originateRecoveryMessages()
        }
        received.beginRecovery(at: messageSequenceStart)
        passing.beginRecovery(at: messageSequenceStart)
        // The daemons keep these three from an attempt that failed, which can end the next one too early.
        recovery.quietVisits = 0
        recovery.completeVisits = 0
        recovery.hasSetRetransmitFlag = false
        recovery.installSequence = messageSequenceStart
        deadlines[.token] = now + configuration.timers.token
        deadlines[.tokenRetransmit] = now + configuration.timers.tokenRetransmit
        change(to: .recovery, into: &effects)
    }

    private mutating func discardRecoveryMessages() {
        while let packet = recoveryOutgoing.popFirst() { packets.remove(packet) }
    }

    /// Queues every message of the old ring that a member may lack, each inside a message of the new ring.
    private mutating func originateRecoveryMessages() {
        var low = oldRingState.highSequence
        for (member, entry) in zip(newMembers, commitToken.entries)
        where deliverableMembers.contains(member) && entry.ring == oldRingID {
            low = earlier(low, entry.allReceivedUpTo)
        }
        let range = oldRingState.highSequence &- low
        guard range > 0, range <= UInt32(SortQueue.windowSize) else { return }
        var header = Message()
        header.header = self.header(.mcast, encapsulated: Message.encapsulatedInRecovery)
        header.systemFrom = ownAddress
        header.ring = ringID
        for offset in 1...range {
            guard let old = regularQueue[low &+ offset], recoveryOutgoing.room > 0 else { continue }
            if rules.recoveryNamesOriginator {
                guard let message = storedMessage(packets.withBytes(old) { Array($0) }) else { continue }
                header = message
                header.header.encapsulated = Message.encapsulatedInRecovery
                header.ring = ringID
            }
            guard let packet = encapsulate(old, behind: &header) else { continue }
            recoveryOutgoing.append(packet)
        }
    }

    private mutating func encapsulate(_ old: PacketStore.Handle, behind header: inout Message) -> PacketStore.Handle? {
        var inner: [UInt8] = []
        packets.withBytes(old) { inner.append(contentsOf: $0) }
        guard let bytes = try? header.bytes(byteOrder: byteOrder, payload: inner, limit: messageHeaderSize + inner.count) else {
            return nil
        }
        return bytes.withUnsafeBytes { packets.insert($0) }
    }

    /// orf_token_send_initial (totemsrp.c:3060).
    mutating func sendInitialToken(at now: Instant, into effects: inout Output) {
        token = Token()
        token.header = header(.token)
        token.ring = ringID
        token.sequence = messageSequenceStart
        token.allReceivedUpTo = rules.waitsForLowWater ? messageSequenceStart : messageSequenceStart &- 1
        token.allReceivedUpToAddress = nodeID
        recovery.hasSetRetransmitFlag = rules.waitsForLowWater || !recoveryOutgoing.isEmpty
        token.retransmitFlag = recovery.hasSetRetransmitFlag ? 1 : 0
        passToken(forward: true, at: now, into: &effects)
        deadlines[.token] = now + configuration.timers.token
        deadlines[.tokenRetransmit] = now + configuration.timers.tokenRetransmit
    }

    /// The part of the token's visit that only RECOVERY has (totemsrp.c:4039-4110); it may end recovery. `previous` is the `aru` of the
    /// visit before.
    mutating func updateRecovery(previous: UInt32, at now: Instant, into effects: inout Output) {
        let isLow = rules.waitsForLowWater && earlier(received.allReceivedUpTo, previous) != received.highSequence
        if !recoveryOutgoing.isEmpty || isLow {
            if token.retransmitFlag == 0 {
                token.retransmitFlag = 1
                recovery.hasSetRetransmitFlag = true
            }
        } else if token.retransmitFlag == 1, recovery.hasSetRetransmitFlag {
            token.retransmitFlag = 0
            recovery.hasSetRetransmitFlag = rules.waitsForLowWater
        }
        recovery.quietVisits = token.retransmitFlag == 0 ? recovery.quietVisits + 1 : 0
        if recovery.quietVisits == 2 { recovery.installSequence = token.sequence }
        if recovery.quietVisits >= 2, !recovery.hasReceivedAll, !precedes(received.allReceivedUpTo, recovery.installSequence) {
            recovery.hasReceivedAll = true
            deliverableMembers = transitionalMembers
        }
        let everyoneHasAll = recovery.quietVisits >= 3 && !precedes(token.allReceivedUpTo, recovery.installSequence)
        recovery.completeVisits = everyoneHasAll ? recovery.completeVisits + 1 : 0
        if recovery.completeVisits == 2 {
            enterOperational(at: now, into: &effects)
            recovery.completeVisits = 0
            recovery.quietVisits = 0
        }
    }

    /// Back to GATHER with what was left of the old ring (memb_recovery_state_token_loss totemsrp.c:1737).
    mutating func abandonRecovery(at now: Instant, into effects: inout Output) {
        received.allReceivedUpTo = oldRingState.allReceivedUpTo
        received.highSequence = oldRingState.highSequence
        // Tokens of the ring that came to nothing must not be passed on (ring_state_restore totemsrp.c:1327@D1).
        if rules.passesTokensWhileGathering { ringID = Dialect.ring(of: Dialect.Address(), sequence: ringID.sequence) }
        enterGather(at: now, into: &effects)
    }
}
