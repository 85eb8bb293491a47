/// What cluster.conf says that matters to the legacy protocol. It has names, votes and often ids, but no addresses.
public struct ClusterConf: Sendable, Hashable {
    /// A `clusternode` element.
    public struct Node: Sendable, Hashable {
        /// Its name, at most 254 bytes.
        public var name: String
        /// Its votes, 0...255.
        public var votes: UInt8
        /// Its id, 1...4096; nil where the cluster hands out ids as nodes join.
        public var id: UInt32?
        /// The interface that its `multicast` element names.
        public var multicastInterface: String?
        /// Where it stands.
        public var place: ConfigurationPlace
    }

    /// Name of the cluster, 1 to 15 bytes (reference/cman-wire.md 1.4).
    public var name: String
    /// `config_version`; equal on all nodes.
    public var version: UInt32
    /// Two-node mode: quorum is always 1.
    public var twoNode = false
    /// `expected_votes`; nil where it is the sum of all votes.
    public var configuredExpectedVotes: UInt32?
    /// The UDP port.
    public var port: UInt16 = 6809
    /// The multicast address; nil where the subnet's broadcast address serves.
    public var multicast: String?
    /// Every node, in the file's order.
    public var nodes: [Node]
    /// What had no effect.
    public var warnings: [ConfigurationWarning]
    /// The file.
    public var place: ConfigurationPlace

    /// The votes that the whole cluster expects.
    public var expectedVotes: UInt32 {
        configuredExpectedVotes ?? nodes.reduce(0) { $0 + UInt32($1.votes) }
    }

    /// Reads the text of a cluster.conf; `file` is for messages.
    public init(text: String, file: String) throws(ConfigurationError) {
        self = try ClusterConfParser(text: text, file: file).parse()
    }

    /// Reads the file at `path`.
    public init(contentsOf path: String) throws(ConfigurationError) {
        try self.init(text: try ConfigurationFile.text(of: path), file: path)
    }

    init(name: String, version: UInt32, place: ConfigurationPlace) {
        self.name = name
        self.version = version
        self.place = place
        nodes = []
        warnings = []
    }
}
