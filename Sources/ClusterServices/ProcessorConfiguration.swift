import EngineKit
import TotemNode

/// Effects of a processor with its services.
public typealias ProcessorEffects = Effects<TotemDestination, ProcessorEvent>

/// Everything that a processor with its services has to be told.
public struct ProcessorConfiguration: Sendable, Hashable {
    /// Whether a corosync 1 takes whitetank daemons into its ring (`compatibility` in corosync.conf). All members must have the same.
    public enum Compatibility: Sendable, Hashable {
        /// As openais 0.80 "whitetank"; the default.
        case whitetank
        /// Corosync 1 only.
        case none
    }

    /// The ring.
    public var totem: TotemConfiguration
    /// For corosync 1: `compatibility`.
    public var compatibility = Compatibility.whitetank
    /// votequorum; nil when the cluster runs without it. openais has none.
    public var quorum: VoteQuorumConfiguration?
    /// cman on Totem, on openais 0.80 and corosync 1; nil when the cluster runs without it.
    public var cman: CmanOnTotemConfiguration?
    /// The first cman, on Totem of 2005; nil when nothing is above Totem.
    public var firstCman: FirstCmanConfiguration?
    /// `totem.config_version`; nil when the configuration has none. A daemon that starts with a lower version than one it hears of
    /// exits (cmap.c:474 of 3.1.7), so that a stand-in must have the version of the real nodes, or none.
    public var configurationVersion: UInt64?
    /// Up to corosync 1: when this host started, in nanoseconds since 1970, as CLM tells it.
    public var bootTime: UInt64 = 0
    /// Whether messages of groups in which this node has no process are told as `ProcessorEvent.unheard`.
    public var reportsUnheardMessages = false
    /// Most bytes of clients' messages that wait for synchronisation or for room in the ring's queue.
    public var pendingLimit = 4 << 20

    /// A processor `nodeID` among `nodes` with corosync 3's defaults, and one vote for each of them.
    public init(nodeID: UInt32, nodes: [UInt32]) {
        totem = TotemConfiguration(nodeID: nodeID, nodes: nodes)
        quorum = VoteQuorumConfiguration(votes: 1, expectedVotes: UInt32(nodes.count))
    }
}
