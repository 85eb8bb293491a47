import EngineKit
import TotemNode
import WireFormat

/// What corosync.conf of corosync 3 says that matters on the wire (transports udpu and udp).
public struct CorosyncConf: Sendable, Hashable {
    /// How packets travel.
    public enum Transport: String, Sendable, Hashable {
        /// One copy per node.
        case udpu
        /// Multicast.
        case udp
    }

    /// A `node` section of the nodelist.
    public struct Node: Sendable, Hashable {
        /// Its id.
        public var id: UInt32
        /// Its name; the address where none is given, as in corosync's own tools.
        public var name: String
        /// `ring0_addr`: an address or a host name.
        public var address: String
        /// `quorum_votes`.
        public var votes: UInt32 = 1
        /// Where it stands.
        public var place: ConfigurationPlace
    }

    /// `totem.cluster_name`.
    public var clusterName: String?
    /// `totem.transport`.
    public var transport: Transport
    /// `totem.interface.mcastport`.
    public var port: UInt16 = 5405
    /// `totem.interface.mcastaddr`, or the one that corosync derives from the cluster's name; nil with udpu.
    public var multicast: IPAddress?
    /// `totem.interface.ttl`: the hop limit of multicasts.
    public var hops = 1
    /// `totem.netmtu`.
    public var networkMTU = 1500
    /// `totem.config_version`.
    public var configVersion: UInt64 = 0
    /// Timers as the ring uses them: with the coefficient for the number of nodes, and derived from the token's unless given.
    public var timers: TotemTimers
    /// The nodelist, in the file's order.
    public var nodes: [Node]
    /// `quorum.provider` is corosync_votequorum.
    public var hasVoteQuorum: Bool
    /// `quorum.expected_votes`; nil where it is the sum of the nodelist's votes.
    public var configuredExpectedVotes: UInt32?
    /// `quorum.two_node`.
    public var twoNode: Bool
    /// `quorum.wait_for_all`; two_node implies it unless it is given.
    public var waitForAll: Bool
    /// What had no effect.
    public var warnings: [ConfigurationWarning]
    /// The file.
    public var place: ConfigurationPlace

    /// The votes that the whole cluster expects.
    public var expectedVotes: UInt32 { configuredExpectedVotes ?? nodes.reduce(0) { $0 + $1.votes } }

    /// Reads the text of a corosync.conf; `file` is for messages.
    public init(text: String, file: String) throws(ConfigurationError) {
        var reader = CorosyncConfReader(root: try CorosyncSection.parse(text, file: file), file: file)
        self = try reader.read()
    }

    /// Reads the file at `path`.
    public init(contentsOf path: String) throws(ConfigurationError) {
        try self.init(text: try ConfigurationFile.text(of: path), file: path)
    }

    init(
        clusterName: String?,
        transport: Transport,
        timers: TotemTimers,
        nodes: [Node],
        quorum: CorosyncConfReader.Quorum,
        place: ConfigurationPlace
    ) {
        self.clusterName = clusterName
        self.transport = transport
        self.timers = timers
        self.nodes = nodes
        self.place = place
        hasVoteQuorum = quorum.hasVoteQuorum
        configuredExpectedVotes = quorum.expectedVotes
        twoNode = quorum.twoNode
        waitForAll = quorum.waitForAll ?? quorum.twoNode
        warnings = []
    }
}
