import WireFormat

/// What cman on Totem reports.
public enum CmanOnTotemEvent: Sendable {
    /// A node has become a member.
    case memberUp(UInt32)
    /// A member is gone, for the reason of its LEAVE, or 0.
    case memberDown(UInt32, reason: UInt16)
    /// A member has said that it leaves; it is gone when the ring is without it.
    case leaving(UInt32, reason: UInt16)
    /// A node came back with the state that it had before, and is no member until it starts again (`AISONLY`).
    case disallowed(UInt32)
    /// Quorum changed.
    case quorum(CmanOnTotemQuorum)
    /// A program of a node listens to a port.
    case portOpened(node: UInt32, port: UInt8)
    /// A program of a node no longer listens to a port.
    case portClosed(node: UInt32, port: UInt8)
    /// A node has told all the ports that its programs listen to.
    case ports(node: UInt32, [UInt8])
    /// A message for port `targetPort`, to which this node listens, in total order. `target` is 0 when it is for everyone. `payload` lies in
    /// the store of the effects.
    case data(node: UInt32, sourcePort: UInt8, target: UInt32, targetPort: UInt8, payload: ByteRange)
    /// A message for a port to which this node does not listen (`ProcessorConfiguration.reportsUnheardMessages`).
    case unheard(node: UInt32, port: UInt8)
    /// A barrier at which this node waits is complete.
    case barrier(String)
    /// This node's own LEAVE has come back in its place in the order: a daemon exits.
    case left
    /// Members have another configuration file: a newer one is to be read, and until then this node has no quorum.
    case newerConfiguration(UInt32, of: UInt32)
    /// A node was fenced.
    case fenced(UInt32)
}

/// Quorum as cman sees it.
public struct CmanOnTotemQuorum: Sendable, Hashable {
    /// Votes needed.
    public var quorum: UInt32
    /// Votes present.
    public var totalVotes: UInt32
    /// Votes expected: the highest that a member expects.
    public var expectedVotes: UInt32
    /// Whether the cluster may work.
    public var isQuorate: Bool
    /// Votes of each member.
    public var votes: [UInt32: UInt32]

    /// Quorum with all its numbers.
    public init(quorum: UInt32, totalVotes: UInt32, expectedVotes: UInt32, isQuorate: Bool, votes: [UInt32: UInt32]) {
        self.quorum = quorum
        self.totalVotes = totalVotes
        self.expectedVotes = expectedVotes
        self.isQuorate = isQuorate
        self.votes = votes
    }
}

/// Whether a program of a node listens to a port.
public enum CmanOnTotemListening: Sendable, Hashable {
    case yes
    case no
    /// It is not known yet; the node has been asked and will tell (`CmanOnTotemEvent.ports`).
    case asked
    /// The node is no member.
    case notMember
}
