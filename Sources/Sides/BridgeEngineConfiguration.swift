import Bridging
import CmanNode
import TotemNode
import WireFormat

/// Everything a bridge between a legacy cluster and a corosync 3 ring has to be told.
public struct BridgeEngineConfiguration: Sendable, Hashable {
    /// A node of the cluster and its addresses on both sides.
    public struct Node: Sendable, Hashable {
        /// Its id, the same on both sides.
        public var id: UInt32
        /// Its name.
        public var name: String
        /// Its votes.
        public var votes: UInt32
        /// Its legacy addresses with the cman port, one per interface.
        public var cmanAddresses: [Endpoint]
        /// Its address on the Totem ring.
        public var totemAddress: IPAddress

        /// A node with all its values.
        public init(id: UInt32, name: String, votes: UInt32 = 1, cmanAddresses: [Endpoint], totemAddress: IPAddress) {
            self.id = id
            self.name = name
            self.votes = votes
            self.cmanAddresses = cmanAddresses
            self.totemAddress = totemAddress
        }
    }

    /// What is particular to the legacy side.
    public struct Cman: Sendable, Hashable {
        /// Version of cluster.conf.
        public var configVersion: UInt32 = 1
        /// Two-node mode of cluster.conf.
        public var twoNode = false
        /// `CmanConfiguration.obeysStrangers` of the proxies.
        public var obeysStrangers = false
        /// Timers and limits.
        public var timers = CmanTimers()

        /// The defaults.
        public init() {}
    }

    /// What is particular to the Totem side.
    public struct Corosync: Sendable, Hashable {
        /// Timers and limits of the ring.
        public var timers: TotemTimers
        /// Largest Totem packet, in bytes.
        public var networkMTU: Int
        /// `totem.config_version` of corosync.conf; nil without one. A proxy with a lower version than the ring's would have to leave.
        public var configurationVersion: UInt64?
        /// `quorum.expected_votes` of corosync.conf; nil expects the same as the legacy side. They differ in two-node mode, where
        /// cluster.conf expects 1.
        public var expectedVotes: UInt32?
        /// `quorum.two_node` of corosync.conf.
        public var twoNode = false
        /// `quorum.wait_for_all` of corosync.conf; nil follows `twoNode`.
        public var waitForAll: Bool?
        /// The ring sequence numbers that proxies stored last, by node id (see `BridgeEvent.storeRingSequence`).
        public var storedRingSequences: [UInt32: UInt64] = [:]

        /// The daemon's defaults for `nodes` nodes.
        public init(nodes: Int) {
            let template = TotemConfiguration(nodeID: 1, nodes: (0..<UInt32(nodes)).map { $0 + 1 })
            timers = template.timers
            networkMTU = template.networkMTU
        }
    }

    /// Name of the cluster, on both sides.
    public var clusterName: String
    /// Every node.
    public var nodes: [Node]
    /// Votes expected in the whole cluster.
    public var expectedVotes: UInt32
    /// The legacy side.
    public var cman = Cman()
    /// The Totem side.
    public var corosync: Corosync
    /// Ports and groups.
    public var ports = PortMap()
    /// Times and bounds of the bridge.
    public var limits = BridgeLimits()
    /// The last sequence number that an earlier process of this bridge took from each native legacy member
    /// (see `BridgeEvent.storeReliableSequence`).
    public var reliableSequences: [UInt32: UInt16] = [:]

    /// A bridge for `nodes` of cluster `clusterName`; expected votes are those of all nodes, the rest has the protocols' defaults.
    public init(clusterName: String, nodes: [Node]) {
        self.clusterName = clusterName
        self.nodes = nodes
        expectedVotes = nodes.reduce(0) { $0 + $1.votes }
        corosync = Corosync(nodes: nodes.count)
    }
}
