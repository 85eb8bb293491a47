/// Which partition goes on when a cluster breaks in halves (`auto_tie_breaker`; votequorum.c:560-693, 1010-1017 of 3.1.7).
struct TieBreaker: Sendable {
    private let rule: VoteQuorumConfiguration.TieBreaker?
    /// The lowest and the highest node id of the last quorate cluster.
    private var lowest: UInt32
    private var highest: UInt32
    private var members: [UInt32] = []
    private var previousMembers: [UInt32] = []

    /// The tie breaker of `node` with `rule`; nil for none.
    init(_ rule: VoteQuorumConfiguration.TieBreaker?, node: UInt32) {
        self.rule = rule
        lowest = node
        highest = node
    }

    /// Whether there is one.
    var isOn: Bool { rule != nil }

    /// How many members the present ring has lost, or less than none when it has more than the one before.
    var goneCount: Int { previousMembers.count - members.count }

    /// A new ring of `members`.
    mutating func enter(members: [UInt32]) {
        previousMembers = self.members
        self.members = members
    }

    /// The nodes `present` have quorum without a tie breaker.
    mutating func noteQuorate(_ present: [UInt32]) {
        lowest = present.min() ?? lowest
        highest = present.max() ?? highest
    }

    /// Whether the lowest node of the last quorate cluster is among `present`.
    func hasLowest(among present: [UInt32]) -> Bool { present.contains(lowest) }

    /// Whether the half with the nodes `present` goes on.
    func decides(for present: [UInt32]) -> Bool {
        switch rule {
        case nil: false
        case .lowest: present.contains(lowest)
        case .highest: present.contains(highest)
        case .nodes(let nodes):
            // The first of the list that is here, unless one before it was here too and may now be in the other half.
            nodes.firstIndex { members.contains($0) }.map { first in
                !nodes[..<first].contains { previousMembers.contains($0) }
            } ?? false
        }
    }
}
