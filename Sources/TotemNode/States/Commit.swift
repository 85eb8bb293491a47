import EngineKit
import TotemWire
import WireFormat

/// What a processor had of its old ring when it left it; kept until a new ring is operational, however many attempts that takes.
struct OldRingState: Sendable {
    /// Whether the values are those of the last operational ring (old_ring_state_saved).
    var isSaved = false
    var allReceivedUpTo: UInt32 = 0
    var highSequence: UInt32 = 0
}

extension TotemNode {
    /// memb_state_commit_token_create (totemsrp.c:3280).
    mutating func createCommitToken() {
        let ordered = identities.ordered(gathering.candidates)
        commitToken = Commit()
        commitToken.header = header(.commitToken)
        commitToken.ring = Dialect.ring(of: ownAddress, sequence: highestRingSequence &+ 4)
        commitToken.addresses = ordered.map { identities[$0] }
        commitToken.memberIndex = rules.indexNamesLastWriter ? Int32(ordered.count) - 1 : 0
        newMembers = ordered
        commitToken.entries = Array(repeating: Commit.Entry(), count: ordered.count)
    }

    /// memb_state_commit_enter (totemsrp.c:2252) with the token in `commitToken`.
    mutating func enterCommit(at now: Instant, into effects: inout Output) {
        if !oldRingState.isSaved {
            oldRingState = OldRingState(
                isSaved: true,
                allReceivedUpTo: received.allReceivedUpTo,
                highSequence: received.highSequence
            )
            oldRingID = ringID
        }
        fillOwnEntry()
        ringID = commitToken.ring
        highestRingSequence = ringID.sequence
        effects.report(.storeRingSequence(ringID.sequence))
        deadlines[.join] = nil
        deadlines[.consensus] = nil
        flow = FlowControl()
        if !rules.indexNamesLastWriter { passing.target = newMembers[Int(commitToken.memberIndex) % newMembers.count] }
        sendCommitToken(at: now, into: &effects)
        change(to: .commit, into: &effects)
        deadlines[.token] = now + configuration.timers.token
        deadlines[.tokenRetransmit] = now + configuration.timers.tokenRetransmit
    }

    /// memb_state_commit_token_update (totemsrp.c:3100).
    private mutating func fillOwnEntry() {
        let index = ownIndex(in: commitToken)
        recovery.hasReceivedAll = received.allReceivedUpTo == received.highSequence
        commitToken.entries[index].ring = oldRingID
        commitToken.entries[index].allReceivedUpTo = oldRingState.allReceivedUpTo
        commitToken.entries[index].highDelivered = received.highDelivered
        commitToken.entries[index].receivedFlag = recovery.hasReceivedAll ? 1 : 0
        var highest = oldRingState.allReceivedUpTo
        for entry in commitToken.entries[...index] where entry.ring == oldRingID && precedes(highest, entry.allReceivedUpTo) {
            highest = entry.allReceivedUpTo
        }
        for position in 0...index
        where commitToken.entries[position].ring == oldRingID && precedes(commitToken.entries[position].allReceivedUpTo, highest) {
            commitToken.entries[position].receivedFlag = 0
            if position == index { recovery.hasReceivedAll = false }
        }
        if !rules.indexNamesLastWriter { commitToken.memberIndex += 1 }
    }

    /// Index of the entry that the receiver of `commit` fills in, out of range in a token that no daemon sends.
    private func ownIndex(in commit: Commit) -> Int {
        let index = Int(commit.memberIndex)
        guard rules.indexNamesLastWriter else { return index }
        return index >= -1 && index < commit.addresses.count ? (index + 1) % commit.addresses.count : -1
    }

    /// memb_state_commit_token_send (totemsrp.c:3211).
    mutating func sendCommitToken(at now: Instant, into effects: inout Output) {
        commitToken.tokenSequence &+= 1
        if rules.indexNamesLastWriter {
            let index = ownIndex(in: commitToken)
            commitToken.memberIndex = Int32(index)
            passing.target = newMembers[(index + 1) % newMembers.count]
        }
        if !rules.repeatedTokenNamesPredecessor || state != .commit { commitToken.header.setSender(nodeID) }
        guard let datagram = try? effects.keep(&commitToken, byteOrder: byteOrder) else { return }
        sendToken(datagram, to: passing.target, at: now, into: &effects)
        guard rules.repeatsCommitToken else { return }
        rememberToken(datagram, effects)
        deadlines[.tokenRetransmit] = now + configuration.timers.tokenRetransmit
    }

    /// message_handler_memb_commit_token (totemsrp.c:4839). What no daemon sends, an index outside the list or a list without this
    /// processor, is ignored: the daemons would stop.
    mutating func receiveCommitToken(_ commit: Commit, at now: Instant, into effects: inout Output) {
        let index = ownIndex(in: commit)
        guard let members = identities.nodes(of: commit.addresses), members.count == commit.addresses.count else { return }
        switch state {
        case .gather:
            guard members.isSameSet(as: gathering.candidates), commit.ring.sequence > ringID.sequence,
                members.nodes.indices.contains(index), members.nodes[index] == nodeID
            else { return }
            commitToken = commit
            newMembers = members.nodes
            enterCommit(at: now, into: &effects)
        case .commit:
            // Copies of the first round are ignored; in 2005 they are told by the entries that are not filled in.
            let isComplete =
                rules.indexNamesLastWriter
                ? index >= 0 && !commit.entries.contains(where: { $0.ring == Dialect.Ring() }) : index == members.count
            guard commit.ring == ringID, members.nodes == newMembers, isComplete else { return }
            commitToken = commit
            enterRecovery(at: now, into: &effects)
        case .recovery:
            guard isRepresentative, !recovery.hasOriginatedToken else { return }
            recovery.hasOriginatedToken = true
            sendInitialToken(at: now, into: &effects)
        case .idle, .operational, .left:
            break
        }
    }
}
