import TotemWire

/// What the generations of CPG do differently (reference/totem-services.md 7.2; cpg.c of each).
struct ProcessGroupRules: Sendable {
    /// Whose list of gone nodes counts.
    enum DownLists: Sendable {
        /// Only the member with the lowest node id fills its list; every list is applied when it arrives (cpg.c:571-605, 765@wt).
        case ofTheLowest
        /// One of all lists is chosen, and applied when they have arrived (services/cpg.c:786-880, 1239@fl).
        case chosen
        /// Each member's own one (cpg.c:1292 of 3.1.7).
        case own
    }

    /// Whose list of gone nodes counts.
    var downLists: DownLists
    /// Whether clients are told of each process of a gone node by itself, and otherwise of all in a group at once.
    var reportsGoneProcessesOneByOne: Bool
    /// Whether clients are told of each process in a joinlist by itself, and otherwise of all in a group at once.
    var reportsListedProcessesOneByOne: Bool
    /// Whether joinlists wait until CPG is active, when processes that are in none are removed.
    var keepsJoinLists: Bool
    /// Whether a message is delivered only when a process of its sender's node is known in the group.
    var deliversFromKnownNodesOnly: Bool
    /// Longest message of a client in bytes: what fits into one message of Totem with CPG's own bytes, or, since corosync 2, what is sent
    /// in pieces.
    var largestMessage: Int

    /// The rules of `generation`.
    init(of generation: TotemGeneration) {
        downLists =
            switch generation {
            case .totem2005, .openais080: .ofTheLowest
            case .corosync1: .chosen
            case .corosync2, .corosync3: .own
            }
        reportsGoneProcessesOneByOne = generation <= .corosync1
        reportsListedProcessesOneByOne = generation <= .corosync2
        keepsJoinLists = generation >= .corosync1
        deliversFromKnownNodesOnly = generation >= .corosync1
        largestMessage = generation >= .corosync2 ? PartialMessages.largestMessage : ProcessGroupService.largestPiece
    }
}
