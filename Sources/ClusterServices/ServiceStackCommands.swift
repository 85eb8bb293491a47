import TotemWire
import WireFormat

extension ServiceStack {
    /// Longest message of a client, in bytes.
    package var largestMessage: Int { processGroups.largestMessage }

    /// A client joins group `name` as process `pid`; false when it already has, or there is no CPG, as in 2005.
    package mutating func join(_ name: CPGName, pid: UInt32) -> Bool {
        generation > .totem2005 && processGroups.join(name, pid: pid, into: &clientMessages)
    }

    /// A client leaves group `name`; false when it had not joined.
    package mutating func leave(_ name: CPGName, pid: UInt32, reason: CPGReason = .leave) -> Bool {
        processGroups.leave(name, pid: pid, reason: reason, into: &clientMessages)
    }

    /// A client sends `payload` to group `name`.
    package mutating func send(_ payload: UnsafeRawBufferPointer, to name: CPGName, pid: UInt32) {
        processGroups.send(payload, to: name, pid: pid, into: &clientMessages)
    }

    /// Asks node `node` to exit; since corosync 1, as older daemons have no such order.
    package mutating func kill(node: UInt32, reason: String) {
        guard generation >= .corosync1 else { return }
        clientMessages.add(CFGKillNode(nodeid: node, reason: reason))
    }

    /// Asks every member to expect `votes`; false when that is refused (`VoteQuorumService.reconfigure`).
    package mutating func reconfigure(expectedVotes votes: UInt32) -> Bool {
        if let isAccepted = voteQuorum?.reconfigure(expectedVotes: votes, into: &clientMessages) { return isAccepted }
        return corosync1VoteQuorum?.reconfigure(expectedVotes: votes, into: &clientMessages) ?? false
    }

    /// Asks every member to count `votes` for `node`; false when that is refused (`VoteQuorumService.reconfigure`).
    package mutating func reconfigure(votes: UInt32, of node: UInt32) -> Bool {
        if let isAccepted = voteQuorum?.reconfigure(votes: votes, of: node, into: &clientMessages) { return isAccepted }
        return corosync1VoteQuorum?.reconfigure(votes: votes, of: node, into: &clientMessages) ?? false
    }

    /// Says what a daemon says before it stops; `reason` is cman's.
    package mutating func leave(reason: UInt16 = 0) {
        // Behind what clients have sent.
        processGroups.leaveAll(into: &clientMessages)
        voteQuorum?.leave(into: &clientMessages)
        cmanLeave(reason: reason)
    }
}
