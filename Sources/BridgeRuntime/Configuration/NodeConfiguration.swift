import CmanNode
import EngineKit
import TotemNode
import WireFormat

/// Everything `ringbridge node` has to be told about the one member that it runs (docs/configuration.md).
public struct NodeConfiguration: Sendable {
    /// A member of the ring as every member knows it.
    public struct Peer: Sendable, Hashable {
        /// Its id.
        public var id: UInt32
        /// Its name.
        public var name: String
        /// Its address.
        public var address: IPAddress
        /// Its votes.
        public var votes: UInt32
    }

    /// A Totem processor.
    public struct Corosync: Sendable {
        /// How packets travel.
        public var transport: CorosyncConf.Transport
        /// The multicast address with transport udp.
        public var multicast: IPAddress?
        /// Hop limit of multicasts.
        public var hops: Int
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
    public init(contentsOf path: String, name: String?) throws(ConfigurationError) {
        let text = try ConfigurationFile.text(of: path)
        if text.drop(while: \.isWhitespace).hasPrefix("<") {
            self = try Self.legacyMember(of: try ClusterConf(text: text, file: path), name: name)
        } else if Self.looksLikeCorosyncConf(text) {
            self = try Self.processor(of: try CorosyncConf(text: text, file: path), name: name)
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
        guard let name, let node = conf.nodes.first(where: { $0.name == name }) else {
            throw noSuchNode(name, conf.place, conf.nodes.map(\.name))
        }
        var peers: [Peer] = []
        for each in conf.nodes {
            guard let address = NameResolver.address(of: each.address) else {
                throw ConfigurationError(each.place, "the resolver does not know \(each.address)", remedy: "write the address in numbers")
            }
            peers.append(Peer(id: each.id, name: each.name, address: address, votes: each.votes))
        }
        guard let address = peers.first(where: { $0.id == node.id })?.address else {
            throw ConfigurationError(node.place, "\(name) has no address", remedy: "give it a ring0_addr")
        }
        var result = NodeConfiguration(
            dialect: .corosync(
                Corosync(
                    transport: conf.transport,
                    multicast: conf.multicast,
                    hops: conf.hops,
                    peers: peers,
                    timers: conf.timers,
                    networkMTU: conf.networkMTU,
                    configVersion: conf.configVersion,
                    hasQuorum: conf.hasVoteQuorum,
                    twoNode: conf.twoNode,
                    waitForAll: conf.waitForAll
                )
            ),
            cluster: conf.clusterName ?? "",
            name: name,
            id: node.id,
            votes: node.votes,
            expectedVotes: conf.expectedVotes,
            local: Endpoint(address, conf.port),
            place: conf.place
        )
        result.warnings = conf.warnings
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
