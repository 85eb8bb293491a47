import WireFormat

/// `ykd.state` and `ykd.attempt`: the filter that decides which partition is primary (reference/totem-services.md 7.1.2; vsf_ykd.c:60-500@wt).
/// Both have the same id, 0; an attempt is what nothing follows.
public struct YKDMessage: WireMessage, Hashable {
    public static var protocolName: StaticString { "ykd" }
    public static var messageName: StaticString { "state" }

    /// YKD_PROCESSOR_COUNT_MAX: entries of every list on the wire, used or not.
    public static let processorLimit = 32

    /// A primary component, present or former, 136 bytes.
    public struct Session: WireStructure, Hashable {
        /// Its members, 32 entries, used or not.
        public var memberList: [UInt32] = []
        /// Used entries of `memberList`.
        public var memberListEntries: Int32 = 0
        /// Its number.
        public var sessionID: Int32 = 0

        public init() {}

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.list("member_list", &memberList, count: processorLimit, .decimal)
            try visitor.field("member_list_entries", &memberListEntries)
            try visitor.field("session_id", &sessionID)
        }
    }

    /// What a processor remembers, 8852 bytes.
    public struct State: WireStructure, Hashable {
        /// The last primary component.
        public var lastPrimary = Session()
        /// For each processor the last component that it formed with this one; 32 entries, used or not.
        public var lastFormed: [Session] = []
        /// Used entries of `lastFormed`.
        public var lastFormedEntries: Int32 = 0
        /// Attempts of which it is not known whether they succeeded; 32 entries, used or not.
        public var ambiguousSessions: [Session] = []
        /// Used entries of `ambiguousSessions`.
        public var ambiguousSessionsEntries: Int32 = 0
        /// The number of the last session.
        public var sessionID: Int32 = 0

        public init() {}

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.structure("last_primary", &lastPrimary)
            try visitor.list("last_formed", &lastFormed, count: processorLimit)
            try visitor.field("last_formed_entries", &lastFormedEntries)
            try visitor.list("ambiguous_sessions", &ambiguousSessions, count: processorLimit)
            try visitor.field("ambiguous_sessions_entries", &ambiguousSessionsEntries)
            try visitor.field("session_id", &sessionID)
        }
    }

    /// Always 0.
    public var id: Int32 = 0
    /// The sender's state; an attempt has none.
    public var state: State?

    /// An attempt.
    public init() {}

    /// A state, or an attempt.
    init(hasState: Bool) {
        state = hasState ? State() : nil
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("id", &id)
        guard var state else { return }
        try state.visit(&visitor)
        self.state = state
    }
}
