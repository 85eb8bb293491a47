import WireFormat

/// STARTTRANS, and NOMINATE, which is a STARTTRANS passed on (reference/cman-wire.md 4.9).
public struct CmanTransitionStart: WireStructure {
    /// `CmanTransitionReason`.
    public var reason: UInt8 = 0
    /// Why the subject left, if it did.
    public var leaveReason: UInt8 = 0
    /// Votes of the subject.
    public var votes: UInt8 = 0
    /// Expected votes of the subject.
    public var expectedVotes: UInt32 = 0
    /// Generation of the transition.
    public var generation: UInt32 = 0
    /// The node that the transition is about.
    public var nodeID: Int32 = 0
    private var pad = InlineArray<2, UInt8>(repeating: 0)
    /// NEWNODE: addresses of the node that joins.
    public var addresses: [CmanSocketAddress] = []
    /// NEWNODE: its name.
    public var nodeName: [UInt8] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("reason", &reason, .labelled(CmanTransitionReason.label))
        try visitor.field("leave_reason", &leaveReason, .labelled(leaveReasonLabel))
        try visitor.field("votes", &votes)
        try visitor.field("expected_votes", &expectedVotes, order: .little, .decimal)
        try visitor.field("generation", &generation, order: .little, .decimal)
        try visitor.field("node_id", &nodeID, order: .little, .decimal)
        var count = UInt16(truncatingIfNeeded: addresses.count)
        try visitor.field("num_addr", &count, order: .little, .decimal)
        try visitor.field("pad", &pad, .padding)
        if visitor.includes(reason == CmanTransitionReason.newNode.rawValue || count > 0) {
            try visitor.list("addresses", &addresses, count: Int(count))
            try visitor.terminated("node_name", &nodeName, limit: CmanJoinRequest.maximumNameLength)
        }
    }
}
