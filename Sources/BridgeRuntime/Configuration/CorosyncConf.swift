import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// What corosync.conf, or openais.conf, says that matters on the wire (transports udpu and udp).
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
        /// `ring0_addr`, and `ring1_addr` if there is one: addresses or host names.
        public var addresses: [String]
        /// `quorum_votes`.
        public var votes: UInt32 = 1
        /// Where it stands.
        public var place: ConfigurationPlace

        /// `ring0_addr`.
        public var address: String { addresses.first ?? "" }
    }

    /// `totem.cluster_name`.
    public var clusterName: String?
    /// `totem.transport`.
    public var transport: Transport
    /// Whose file it is.
    public var generation: TotemGeneration
    /// The networks, one for each `interface`; one with the defaults when there is none.
    public var networks = [TotemNetwork(port: 5405)]
    /// `totem.rrp_mode` and the settings around it; node id 0.
    public var redundantRing: RedundantRingConfiguration
    /// `totem.secauth`, `totem.crypto_cipher` and the like.
    var security = SecuritySettings()
    /// `totem.netmtu`.
    public var networkMTU = 1500
    /// `totem.config_version`.
    public var configVersion: UInt64 = 0
    /// Timers as the ring uses them: with the coefficient for the number of nodes, and derived from the token's unless given.
    public var timers: TotemTimers
    /// The nodelist, in the file's order; files before corosync 2 have none.
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

    /// Reads the text of a corosync.conf of `generation`; `file` is for messages.
    public init(text: String, file: String, generation: TotemGeneration = .corosync3) throws(ConfigurationError) {
        var reader = CorosyncConfReader(root: try CorosyncSection.parse(text, file: file), file: file, generation: generation)
        self = try reader.read()
    }

    /// Reads the file at `path`.
    public init(contentsOf path: String, generation: TotemGeneration = .corosync3) throws(ConfigurationError) {
        try self.init(text: try ConfigurationFile.text(of: path), file: path, generation: generation)
    }

    /// UDP port of the first network.
    public var port: UInt16 { networks[0].port }
    /// Where multicasts go on the first network; nil with udpu.
    public var multicast: IPAddress? { networks[0].group }
    /// Hop limit of multicasts on the first network.
    public var hops: Int { networks[0].hops }

    init(
        clusterName: String?,
        transport: Transport,
        generation: TotemGeneration,
        nodes: [Node],
        quorum: CorosyncConfReader.Quorum,
        place: ConfigurationPlace
    ) {
        self.clusterName = clusterName
        self.transport = transport
        self.generation = generation
        timers = TotemTimers(token: .milliseconds(1000))
        redundantRing = RedundantRingConfiguration(
            nodeID: 0,
            mode: .none,
            generation: generation,
            tokenRetransmit: timers.tokenRetransmit
        )
        self.nodes = nodes
        self.place = place
        hasVoteQuorum = quorum.hasVoteQuorum
        configuredExpectedVotes = quorum.expectedVotes
        twoNode = quorum.twoNode
        waitForAll = quorum.waitForAll ?? quorum.twoNode
        warnings = []
    }
}
