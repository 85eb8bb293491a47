import WireFormat

/// JOINREQ of the first cman on Totem: a node asks to be taken in (reference/ais-behaviour.md 8; cnxman-private.h:86@cluster-ais).
public struct CmanOnTotemJoinRequest: WireStructure, Hashable {
    /// Longest name of a node (MAX_CLUSTER_MEMBER_NAME_LEN).
    public static let nameLimit = 255

    /// Not set by the daemon.
    public var joining: UInt8 = 0
    /// The 16-bit number made of the cluster's name.
    public var clusterID: UInt16 = 0
    /// The node id that it wants; 0 lets the cluster choose.
    public var nodeID: Int32 = 0
    /// Its votes.
    public var votes: Int32 = 0
    /// Votes that it expects in the whole cluster.
    public var expectedVotes: Int32 = 0
    /// Version of the protocol: 6.0.1.
    public var majorVersion: UInt32 = 0
    public var minorVersion: UInt32 = 0
    public var patchVersion: UInt32 = 0
    /// Version of the configuration file.
    public var configVersion: UInt32 = 0
    /// The cluster's name up to the first NUL, and whatever lies behind it.
    public var clusterName = InlineBytes<16>()
    /// The node's name.
    public var name: [UInt8] = []
    /// Bytes behind the name, for the structure's alignment.
    public var filler: [UInt8] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("joining", &joining, .padding)
        try visitor.field("cluster_id", &clusterID)
        try visitor.field("nodeid", &nodeID)
        try visitor.field("votes", &votes)
        try visitor.field("expected_votes", &expectedVotes)
        try visitor.field("major", &majorVersion)
        try visitor.field("minor", &minorVersion)
        try visitor.field("patch", &patchVersion)
        try visitor.field("config_version", &configVersion)
        try visitor.field("clustername", &clusterName.bytes, .text)
        try visitor.terminated("name", &name, limit: Self.nameLimit)
        try visitor.filler("name.pad", &filler, count: 3)
    }
}

/// JOINCONF of the first cman on Totem: the lowest member takes a node in and tells it of all others
/// (reference/ais-behaviour.md 8; cnxman-private.h:133@cluster-ais).
public struct CmanOnTotemJoinConfirmation: WireStructure, Hashable {
    /// A node, 116 bytes.
    public struct Node: WireStructure, Hashable {
        /// Its node id.
        public var nodeID: Int32 = 0
        /// Votes that it expects in the whole cluster.
        public var expectedVotes: UInt32 = 0
        /// Its votes.
        public var votes: UInt32 = 0
        /// 1 joining, 2 member, 3 dead, 4 leaving.
        public var state: UInt32 = 0
        /// Its IPv4 address, in network order.
        public var address = InlineBytes<4>()
        /// The ports that its programs listen to; see `CmanOnTotemPortStatus`.
        public var portBits = InlineBytes<32>()
        /// Its name up to the first NUL, and whatever lies behind it.
        public var name = InlineBytes<64>()

        public init() {}

        /// NODESTATE_* (cnxman-socket.h:103@cluster-ais).
        static let states = FieldFormat.labelled { value in
            switch value {
            case 1: "JOINING"
            case 2: "MEMBER"
            case 3: "DEAD"
            case 4: "LEAVING"
            default: nil
            }
        }

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("nodeid", &nodeID)
            try visitor.field("expected_votes", &expectedVotes)
            try visitor.field("votes", &votes)
            try visitor.field("state", &state, Self.states)
            try visitor.field("ais_nodeid", &address.bytes, .ipAddress)
            try visitor.field("port_bits", &portBits.bytes, .decimal)
            try visitor.field("name", &name.bytes, .text)
        }
    }

    /// Not set by the daemon.
    public var param: UInt8 = 0
    /// Not set by the daemon.
    public var pad: UInt16 = 0
    /// The node id of the node that is taken in.
    public var nodeID: Int32 = 0
    /// All nodes.
    public var nodes: [Node] = []

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("param", &param, .padding)
        try visitor.field("param.pad", &pad, .padding)
        try visitor.field("nodeid", &nodeID)
        try visitor.list("nodes", &nodes)
    }
}
