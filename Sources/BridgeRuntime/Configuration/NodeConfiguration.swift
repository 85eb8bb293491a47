import CmanNode
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Everything `ringbridge node` has to be told about the one member that it runs (docs/configuration.md).
public struct NodeConfiguration: Sendable {
    /// A member of the ring as every member knows it.
    public struct Peer: Sendable, Hashable {
        /// Its id.
        public var id: UInt32
        /// Its name.
        public var name: String
        /// Its address on each network.
        public var addresses: [IPAddress]
        /// Its votes.
        public var votes: UInt32
    }

    /// A Totem processor.
    public struct Corosync: Sendable {
        /// The generation whose protocol it speaks.
        public var generation: TotemGeneration
        /// The networks, one or two.
        public var networks: [TotemNetwork]
        /// How packets use two networks.
        public var redundantRing: RedundantRingConfiguration
        /// How packets are protected; nil for not at all.
        public var security: RingSecurity?
        /// Every node.
        public var peers: [Peer]
        /// Timers.
        public var timers: TotemTimers
        /// `totem.netmtu`: the largest IP packet.
        public var networkMTU: Int
        /// `totem.config_version`.
        public var configVersion: UInt64
        /// Whether votes are counted (`quorum.provider`).
        public var hasQuorum: Bool
        /// `quorum.two_node`.
        public var twoNode: Bool
        /// `quorum.wait_for_all`.
        public var waitForAll: Bool

        /// The node with `id`, after every node was found to have an address on every network.
        func own(_ id: UInt32, place: ConfigurationPlace) throws(ConfigurationError) -> Peer {
            for peer in peers where peer.addresses.count != networks.count {
                throw ConfigurationError(
                    place,
                    "node \(peer.id) has \(peer.addresses.count) addresses, and there are \(networks.count) networks",
                    remedy: "give every node one address on each network"
                )
            }
            guard let own = peers.first(where: { $0.id == id }) else {
                throw ConfigurationError(place, "id \(id) is not among nodes", remedy: "list this node too")
            }
            return own
        }
    }

    /// A legacy member.
    public struct Cman: Sendable {
        /// The group address; nil for the broadcast address of the interface.
        public var group: IPAddress?
        /// `config_version`.
        public var configVersion: UInt32
        /// Two-node mode.
        public var twoNode: Bool
        /// Whether NODEDOWN and RECONFIG of hosts that are no members are obeyed, as the original does.
        public var obeysStrangers = false
        /// Timers.
        public var timers: CmanTimers
    }

    /// Which protocol the member speaks.
    public enum Dialect: Sendable {
        case cman(Cman)
        case corosync(Corosync)
    }

    /// Which protocol the member speaks, and what only that one needs.
    public var dialect: Dialect
    /// Name of the cluster.
    public var cluster: String
    /// Name of the node.
    public var name: String
    /// Its id; 0 to be given one (legacy only).
    public var id: UInt32
    /// Its votes.
    public var votes: UInt32
    /// The votes that the whole cluster expects.
    public var expectedVotes: UInt32
    /// Its address and port.
    public var local: Endpoint
    /// Folder for what has to survive a restart; nil for nowhere.
    public var stateFolder: String?
    /// Where packets are recorded.
    public var capture: String?
    /// Which packets are recorded.
    var captureDirection = PacketRecorder.Direction.all
    /// What had no effect.
    public var warnings: [ConfigurationWarning] = []
    /// The file.
    public var place: ConfigurationPlace

    /// Reads the file at `path`: YAML, or a cluster.conf or corosync.conf, in which case `name` says which of its nodes is meant.
    /// A corosync.conf or openais.conf is one of `generation`.
    public init(contentsOf path: String, name: String?, generation: TotemGeneration = .corosync3) throws(ConfigurationError) {
        let text = try ConfigurationFile.text(of: path)
        if text.drop(while: \.isWhitespace).hasPrefix("<") {
            self = try Self.legacyMember(of: try ClusterConf(text: text, file: path), name: name)
        } else if Self.looksLikeCorosyncConf(text) {
            self = try Self.processor(of: try CorosyncConf(text: text, file: path, generation: generation), name: name)
        } else {
            self = try NodeConfigurationReader(
                root: try YAMLSection(text: text, file: path),
                folder: ConfigurationPath.folder(of: path)
            ).read()
        }
    }

    init(
        dialect: Dialect,
        cluster: String,
        name: String,
        id: UInt32,
        votes: UInt32,
        expectedVotes: UInt32,
        local: Endpoint,
        place: ConfigurationPlace
    ) {
        self.dialect = dialect
        self.cluster = cluster
        self.name = name
        self.id = id
        self.votes = votes
        self.expectedVotes = expectedVotes
        self.local = local
        self.place = place
    }

    /// The generation called `name`, for those who do not import it.
    public static func generation(named name: String) -> TotemGeneration? { TotemGeneration(name: name) }

    private static func looksLikeCorosyncConf(_ text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.first == "totem" && words.dropFirst().first == "{" || line.hasPrefix("totem{")
        }
    }

    private static func legacyMember(of conf: ClusterConf, name: String?) throws(ConfigurationError) -> NodeConfiguration {
        guard let name, let node = conf.nodes.first(where: { $0.name == name }) else {
            throw noSuchNode(name, conf.place, conf.nodes.map(\.name))
        }
        guard let address = NameResolver.address(of: node.name) else {
            throw ConfigurationError(
                node.place,
                "the resolver does not know \(node.name)",
                remedy: "add it to /etc/hosts, or use a YAML configuration"
            )
        }
        var group: IPAddress?
        if let text = conf.multicast {
            guard let parsed = IPAddress(text), parsed.isMulticast else {
                throw ConfigurationError(conf.place, "multicast addr=\"\(text)\" is no multicast address", remedy: "mend it")
            }
            group = parsed
        }
        var result = NodeConfiguration(
            dialect: .cman(Cman(group: group, configVersion: conf.version, twoNode: conf.twoNode, timers: CmanTimers())),
            cluster: conf.name,
            name: name,
            id: node.id ?? 0,
            votes: UInt32(node.votes),
            expectedVotes: conf.expectedVotes,
            local: Endpoint(address, conf.port),
            place: conf.place
        )
        result.warnings = conf.warnings
        return result
    }

    private static func processor(of conf: CorosyncConf, name: String?) throws(ConfigurationError) -> NodeConfiguration {
        guard !conf.nodes.isEmpty else {
            throw ConfigurationError(
                ConfigurationPlace(file: conf.place.file),
                "lists no nodes",
                remedy: "write a YAML configuration with nodes, and name this file there as corosyncConf"
            )
        }
        guard let name, let node = conf.nodes.first(where: { $0.name == name }) else {
            throw noSuchNode(name, conf.place, conf.nodes.map(\.name))
        }
        var peers: [Peer] = []
        for each in conf.nodes {
            var addresses: [IPAddress] = []
            for text in each.addresses {
                guard let address = NameResolver.address(of: text) else {
                    throw ConfigurationError(each.place, "the resolver does not know \(text)", remedy: "write the address in numbers")
                }
                addresses.append(address)
            }
            peers.append(Peer(id: each.id, name: each.name, addresses: addresses, votes: each.votes))
        }
        return try processor(node.id, name: name, peers: peers, conf: conf)
    }

    /// Processor `id` among `peers`, with everything else from `conf`.
    static func processor(
        _ givenID: UInt32,
        name: String,
        peers givenPeers: [Peer],
        conf: CorosyncConf
    ) throws(ConfigurationError) -> NodeConfiguration {
        var warnings = conf.warnings
        // In 2005 there were no node ids: processors are told apart by their addresses.
        func ringID(of peer: Peer) -> UInt32 { conf.generation == .totem2005 ? peer.addresses.first?.ipv4Number ?? peer.id : peer.id }
        let id = givenPeers.first { $0.id == givenID }.map { ringID(of: $0) } ?? givenID
        let peers = givenPeers.map { Peer(id: ringID(of: $0), name: $0.name, addresses: $0.addresses, votes: $0.votes) }
        var corosync = Corosync(
            generation: conf.generation,
            networks: conf.networks,
            redundantRing: conf.redundantRing,
            security: try conf.security.security(of: conf.generation, place: conf.place, warnings: &warnings),
            peers: peers.sorted { $0.id < $1.id },
            timers: conf.timers,
            networkMTU: conf.networkMTU,
            configVersion: conf.configVersion,
            hasQuorum: conf.hasVoteQuorum,
            twoNode: conf.twoNode,
            waitForAll: conf.waitForAll
        )
        corosync.redundantRing.nodeID = id
        let own = try corosync.own(id, place: conf.place)
        var result = NodeConfiguration(
            dialect: .corosync(corosync),
            cluster: conf.clusterName ?? "",
            name: name,
            id: id,
            votes: own.votes,
            expectedVotes: conf.configuredExpectedVotes ?? peers.reduce(0) { $0 + $1.votes },
            local: Endpoint(own.addresses[0], conf.port),
            place: conf.place
        )
        result.warnings = warnings
        return result
    }

    private static func noSuchNode(_ name: String?, _ place: ConfigurationPlace, _ names: [String]) -> ConfigurationError {
        ConfigurationError(
            ConfigurationPlace(file: place.file),
            name.map { "has no node \($0)" } ?? "does not say which node this is",
            remedy: "give --name with one of \(names.joined(separator: ", "))"
        )
    }
}
