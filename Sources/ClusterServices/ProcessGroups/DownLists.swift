import TotemWire

/// The lists of gone nodes that the members of corosync 1 tell each other, of which one is applied (services/cpg.c:786-880, 1239-1297@fl).
struct DownLists: Sendable {
    /// The list of a member.
    private struct List: Sendable {
        var sender: UInt32
        var oldMembers: UInt32
        var left: [UInt32]

        /// How many of the sender's old ring have come along. The daemon calculates without regard to overflow.
        var remaining: UInt32 { oldMembers &- UInt32(left.count) }

        /// Whether this list is chosen rather than `other`.
        func isBetter(than other: List) -> Bool {
            if remaining != other.remaining { return remaining > other.remaining }
            if oldMembers != other.oldMembers { return oldMembers > other.oldMembers }
            return sender < other.sender
        }
    }

    private var members: [UInt32] = []
    private var lists: [List] = []
    /// Whether lists are awaited; those that come later do not count.
    private(set) var isWaiting = false

    /// A new ring of `members`.
    mutating func begin(members: [UInt32]) {
        self.members = members
        lists.removeAll(keepingCapacity: true)
        isWaiting = true
    }

    /// Forgets everything.
    mutating func end() {
        lists.removeAll(keepingCapacity: true)
        isWaiting = false
    }

    /// Takes the list of member `sender`; true when every member's has arrived.
    mutating func receive(_ message: CPGDownList, from sender: UInt32) -> Bool {
        guard isWaiting, members.contains(sender), !lists.contains(where: { $0.sender == sender }) else { return false }
        let left = Array(message.nodeids.prefix(Int(message.leftNodes)))
        lists.append(List(sender: sender, oldMembers: message.oldMembers, left: left))
        return lists.count == members.count
    }

    /// The nodes that are gone by the list that is chosen; lists that name `node` itself are not.
    mutating func choose(for node: UInt32) -> Set<UInt32> {
        isWaiting = false
        var best: List?
        for list in lists where !list.left.contains(node) {
            if let chosen = best, !list.isBetter(than: chosen) { continue }
            best = list
        }
        return Set(best?.left ?? [])
    }
}
