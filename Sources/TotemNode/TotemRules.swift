import TotemWire

/// What the generations of Totem do differently, beside the layout of their messages: the one place where the state machine's variants
/// stand. Sections are those of reference/totem-engine.md.
struct TotemRules: Sendable {
    /// How a processor that stops says so.
    enum Leave: Sendable {
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

    /// Section 8.
    var leave: Leave
    /// Section 2: a starting processor counts its stored ring number up by one.
    var countsRingAtStart: Bool
    /// Section 5.1 step 14: the copy of a token for the retransmit timer is taken before the sender's node id is put in, so a token that is
    /// sent again names the one before its sender.
    var repeatedTokenNamesPredecessor: Bool

    /// The rules of `generation`.
    init(_ generation: TotemGeneration) {
        leave =
            switch generation {
            case .totem2005, .openais080: .silent
            case .corosync1, .corosync2: .namelessAddress
            case .corosync3: .namelessHeader
            }
        countsRingAtStart = generation >= .corosync2
        repeatedTokenNamesPredecessor = generation == .openais080
    }
}
