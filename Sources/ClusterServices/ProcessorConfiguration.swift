import EngineKit
import TotemNode

/// Effects of a processor with its services.
public typealias ProcessorEffects = Effects<TotemDestination, ProcessorEvent>

/// Everything that a processor with its services has to be told.
public struct ProcessorConfiguration: Sendable, Hashable {
    /// The ring.
    public var totem: TotemConfiguration
    /// Votes and quorum; nil when the cluster runs without a quorum provider.
    public var quorum: VoteQuorumConfiguration?
    /// `totem.config_version`; nil when the configuration has none. A daemon that starts with a lower version than one it hears of
    /// exits (cmap.c:474 of 3.1.7), so that a stand-in must have the version of the real nodes, or none.
    public var configurationVersion: UInt64?
    /// Whether messages of groups in which this node has no process are told as `ProcessorEvent.unheard`.
    public var reportsUnheardMessages = false
    /// Most bytes of clients' messages that wait for synchronisation or for room in the ring's queue.
    public var pendingLimit = 4 << 20

    /// A processor `nodeID` among `nodes` with corosync's defaults, and one vote for each of them.
    public init(nodeID: UInt32, nodes: [UInt32]) {
        totem = TotemConfiguration(nodeID: nodeID, nodes: nodes)
        quorum = VoteQuorumConfiguration(votes: 1, expectedVotes: UInt32(nodes.count))
    }
}

/// What votequorum reads from corosync.conf (votequorum.5).
public struct VoteQuorumConfiguration: Sendable, Hashable {
    /// Votes of this node.
    public var votes: UInt32
    /// Votes of all configured nodes.
    public var expectedVotes: UInt32
    /// `two_node`: one of two nodes is enough. Implies `waitForAll` unless that is set.
    public var twoNode = false
    /// `wait_for_all`: no quorum after a start until all nodes have been present at once. Nil follows `twoNode`.
    public var waitForAll: Bool?
    /// `allow_downscale`: expected votes fall when a node leaves for good.
    public var allowDownscale = false

    /// A node with `votes` out of `expectedVotes`.
    public init(votes: UInt32, expectedVotes: UInt32) {
        self.votes = votes
        self.expectedVotes = expectedVotes
    }
}
