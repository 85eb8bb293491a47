import CmanNode
import EngineKit
import WireFormat

/// Everything `ringbridge run` has to be told: bridge.yaml and the two files that it names (docs/configuration.md).
public struct BridgeSettings: Sendable {
    /// A node of the cluster with its place on both sides.
    public struct Node: Sendable, Hashable {
        /// Its name in cluster.conf.
        public var name: String
        /// Its id, the same on both sides.
        public var id: UInt32
        /// Its address while it speaks the legacy protocol.
        public var legacyAddress: IPAddress
        /// Its address while it speaks Totem.
        public var totemAddress: IPAddress
        /// Its votes in cluster.conf.
        public var legacyVotes: UInt8
        /// Its votes in corosync.conf.
        public var totemVotes: UInt32
    }

    /// How messages of a port travel on the ring.
    public enum Mapping: String, Sendable, Hashable {
        /// Behind the 16-byte header of cman on Totem.
        case cman
        /// As they are; broadcasts only.
        case raw
    }

    /// A cman port and its CPG group.
    public struct Port: Sendable, Hashable {
        /// The port, 1...255.
        public var number: UInt8
        /// Name of the group.
        public var group: String
        /// How messages travel in it.
        public var mapping: Mapping
    }

    /// Name of the cluster.
    public var cluster: String
    /// cluster.conf.
    public var clusterConf: ClusterConf
    /// corosync.conf.
    public var corosyncConf: CorosyncConf
    /// Interface of the legacy side; nil when it follows from the addresses.
    public var legacyInterface: String?
    /// Interface of the Totem side; nil when it follows from the addresses.
    public var totemInterface: String?
    /// The legacy group address, where it is not that of the interface or of cluster.conf.
    public var legacyGroup: IPAddress?
    /// Every node, ascending by id.
    public var nodes: [Node]
    /// Ports that are translated, ascending.
    public var ports: [Port]
    /// Timers of legacy proxies.
    public var legacyTimers: CmanTimers
    /// Whether legacy proxies obey NODEDOWN and RECONFIG of hosts that are no members, as the original does.
    public var legacyObeysStrangers = false
    /// Whether the bridge adds and removes addresses itself.
    public var manageAddresses: Bool
    /// A program that is called with `acquire|release ADDRESS INTERFACE` instead.
    public var addressHook: String?
    /// File of promise 2.
    public var stateFile: String
    /// Unix socket that `ringbridge status` asks.
    public var adminSocket: String
    /// Where packets are recorded.
    public var capture: String?
    /// Which packets are recorded.
    var captureDirection = PacketRecorder.Direction.all
    /// What had no effect.
    public var warnings: [ConfigurationWarning]
    /// The file.
    public var place: ConfigurationPlace

    /// Reads the file at `path`, and the files that it names.
    public init(contentsOf path: String) throws(ConfigurationError) {
        var reader = try BridgeSettingsReader(
            root: YAMLSection(text: try ConfigurationFile.text(of: path), file: path),
            folder: ConfigurationPath.folder(of: path)
        )
        self = try reader.read()
    }

    init(
        cluster: String,
        clusterConf: ClusterConf,
        corosyncConf: CorosyncConf,
        nodes: [Node],
        ports: [Port],
        manageAddresses: Bool,
        place: ConfigurationPlace
    ) {
        self.cluster = cluster
        self.clusterConf = clusterConf
        self.corosyncConf = corosyncConf
        self.nodes = nodes
        self.ports = ports
        self.manageAddresses = manageAddresses
        self.place = place
        legacyTimers = CmanTimers()
        stateFile = "/var/lib/ringbridge/\(cluster).state"
        adminSocket = "/run/ringbridge/\(cluster).sock"
        warnings = clusterConf.warnings + corosyncConf.warnings
    }
}

/// Paths in a configuration file are relative to the folder it is in.
enum ConfigurationPath {
    /// The folder of the file at `path`.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// `path` as seen from `folder`.
    static func resolve(_ path: String, from folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }
}
