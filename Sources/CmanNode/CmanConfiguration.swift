import EngineKit
import WireFormat

/// Everything a legacy member has to be told before it joins.
public struct CmanConfiguration: Sendable, Hashable {
    /// Whose behaviour the node shows where implementations differ (reference/cman-wire.md 12.4).
    public enum Profile: String, Sendable, Hashable, CaseIterable {
        /// The kernel module of 2004-2006.
        case kernel
        /// The userland daemon of 2005, as recorded.
        case daemon
        /// Ours: the kernel's behaviour, made safe and fast where compatible.
        case ringbridge
    }

    /// Name of the cluster, 1 to 15 bytes (reference/cman-wire.md 1.4).
    public var clusterName: String
    /// Name of this node, at most 254 bytes.
    public var nodeName: String
    /// The id to ask for, 1...4096, or 0 to be given one.
    public var wantedNodeID: UInt32 = 0
    /// Votes of this node, 0...255.
    public var votes: UInt8 = 1
    /// Votes expected in the whole cluster.
    public var expectedVotes: UInt32 = 1
    /// Version of cluster.conf; must be equal on all nodes.
    public var configVersion: UInt32 = 1
    /// Two-node mode: quorum is always 1, a third node is refused.
    public var twoNode = false
    /// This node's addresses, one per interface, with the cman port.
    public var addresses: [Endpoint]
    /// Whether the node may form a new cluster when it hears none. A proxy never does: it waits for a HELLO.
    public var mayFormCluster = true
    /// Whose behaviour to show.
    public var profile = Profile.ringbridge
    /// Whether NODEDOWN and RECONFIG are obeyed whoever sent them, as all implementations of the time do (reference/cman-wire.md 11, 3
    /// and 4). The profile `ringbridge` otherwise takes them from members only; the others never ask.
    public var obeysStrangers = false
    /// Timers and limits.
    public var timers = CmanTimers()
    /// User ports (1...255) on which a program listens from the start; 1 is always served. Port 2 is answered by the node itself.
    public var listeningPorts: Set<UInt8> = []
    /// User ports whose broadcasts and unicasts are acknowledged only when `CmanNode.acknowledge` is called.
    public var heldPorts: Set<UInt8> = []

    /// A node `nodeName` of `clusterName` at `addresses`; the rest has the protocol's defaults.
    public init(clusterName: String, nodeName: String, addresses: [Endpoint]) {
        self.clusterName = clusterName
        self.nodeName = nodeName
        self.addresses = addresses
    }
}

/// Timers and limits of the legacy protocol; defaults are the kernel module's (reference/cman-wire.md 5.1).
public struct CmanTimers: Sendable, Hashable {
    /// How long a starting node listens, and the longest stay in JOINWAIT.
    public var joinWait = Interval.seconds(16)
    /// How long NEWCLUSTER is announced before a cluster is formed.
    public var newCluster = Interval.seconds(16)
    /// The longest wait for JOINACK, and then for JOINCONF.
    public var join = Interval.seconds(30)
    /// Wait for CONFACK before JOINCONF is sent again.
    public var joinConf = Interval.seconds(5)
    /// Period of HELLO.
    public var hello = Interval.seconds(5)
    /// Silence after which a node is dead; looked at once per HELLO period.
    public var deadNode = Interval.seconds(21)
    /// Watchdog of a transition, and timeout of its completion barrier.
    public var transition = Interval.seconds(15)
    /// Wait for acknowledgements before a message is sent again.
    public var retransmit = Interval.seconds(1)
    /// Retransmissions before silent nodes are declared dead, and the number of JOINCONF attempts.
    public var maxRetries = 3
    /// Restarts of one transition before its master leaves.
    public var transitionRestarts = 10
    /// How long a second JOINREQ of one name is ignored after an accepted one.
    public var duplicateJoin = Interval.seconds(10)
    /// Grace after a transition for a HELLO with another generation.
    public var generationGrace = Interval.seconds(5)
    /// The largest number of members.
    public var maxNodes = 128
    /// Messages that may wait to be sent, once for ports up to 9 and once for the others.
    public var queueLimit = 1024

    /// The kernel module's values.
    public init() {}
}
