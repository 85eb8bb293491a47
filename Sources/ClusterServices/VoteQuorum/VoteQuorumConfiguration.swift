import EngineKit

/// What votequorum reads from corosync.conf (votequorum.5).
public struct VoteQuorumConfiguration: Sendable, Hashable {
    /// Which partition of a cluster that broke in halves goes on (`auto_tie_breaker_node`).
    public enum TieBreaker: Sendable, Hashable {
        /// The one with the lowest node id of the last quorate cluster.
        case lowest
        /// The one with the highest node id of the last quorate cluster.
        case highest
        /// The one with the first of these nodes that was there.
        case nodes([UInt32])
    }

    /// Votes of this node.
    public var votes: UInt32
    /// Votes of all configured nodes.
    public var expectedVotes: UInt32
    /// `two_node`: one of two nodes is enough. Implies `waitForAll` unless that is set.
    public var twoNode = false
    /// `wait_for_all`: no quorum after a start until all nodes have been present at once. Nil follows `twoNode`. Since corosync 2.
    public var waitForAll: Bool?
    /// `allow_downscale`: expected votes fall when a node leaves for good. Since corosync 2; implies `tracksExpectedVotes`.
    public var allowDownscale = false
    /// `last_man_standing`: expected votes follow the members down, each time when `lastManStandingWindow` has passed. Since corosync 2.
    public var lastManStanding = false
    /// `last_man_standing_window`.
    public var lastManStandingWindow = Interval.milliseconds(10_000)
    /// `auto_tie_breaker`, with its node; nil when it is off. Since corosync 2.
    public var tieBreaker: TieBreaker?
    /// `expected_votes_tracking`: expected votes never fall below the highest that were ever seen, which are kept over restarts
    /// (`ProcessorEvent.storeExpectedVotes`). Since corosync 2.
    public var tracksExpectedVotes = false
    /// The expected votes that were stored last; 0 when there are none.
    public var storedExpectedVotes: UInt32 = 0

    /// A node with `votes` out of `expectedVotes`.
    public init(votes: UInt32, expectedVotes: UInt32) {
        self.votes = votes
        self.expectedVotes = expectedVotes
    }
}
