import WireFormat

/// JOINREQ: a node asks to be let in (reference/cman-wire.md 4.2).
public struct CmanJoinRequest: Sendable {
    /// Major version that all members of cman-5 must have.
    public static let majorVersion: UInt32 = 5
    /// Minor and patch version of the last release; nobody compares them.
    public static let minorVersion: UInt32 = 0
    public static let patchVersion: UInt32 = 1
    /// Longest name of a node.
    public static let maximumNameLength = 254
    /// Most addresses of a node (reference/cman-wire.md 1.1).
    public static let maximumAddresses = 10
    /// Longest usable name of a cluster: with 16 bytes the field has no terminator, and members compare on into the address.
    public static let maximumClusterNameLength = 15

    /// Votes of the node.
    public var votes: UInt8 = 0
    /// The expected votes of its configuration.
    public var expectedVotes: UInt32 = 0
    /// The id it wants, 0 for any. Before 2004-09-15, in cman-2a and some of cman-2b, whatever was in the sender's memory.
    public var wantedNodeID: UInt32 = 0
    /// Protocol version.
    public var major: UInt32 = 0
    public var minor: UInt32 = 0
    public var patch: UInt32 = 0
    /// Version of its configuration.
    public var configVersion: UInt32 = 0
    /// Bytes of one address: 16 or 28.
    public var addressLength: UInt32 = 0
    private var clusterNameField = InlineArray<16, UInt8>(repeating: 0)
    /// Its addresses, one per interface.
    public var addresses: [CmanSocketAddress] = []
    /// The bytes of the addresses when their length is one that no address has; such a request is read in order to be refused.
    public private(set) var unreadAddresses: [UInt8] = []
    private var unreadCount: UInt16 = 0
    /// Its name.
    public var nodeName: [UInt8] = []

    public init() {}

    /// The cluster's name up to its NUL; setting a longer one than 16 bytes cuts it.
    public var clusterName: [UInt8] {
        get {
            var text: [UInt8] = []
            for index in clusterNameField.indices {
                guard clusterNameField[index] != 0 else { break }
                text.append(clusterNameField[index])
            }
            return text
        }
        set {
            for index in clusterNameField.indices { clusterNameField[index] = index < newValue.count ? newValue[index] : 0 }
        }
    }

    mutating func visit<V: WireVisitor>(_ visitor: inout V, of generation: CmanGeneration) throws(WireError) {
        try visitor.field("votes", &votes)
        // A length of nothing makes no bytes of any number of addresses.
        var count = addresses.isEmpty ? unreadCount : UInt16(truncatingIfNeeded: addresses.count)
        try visitor.field("num_addr", &count, order: .little, .decimal)
        try visitor.field("expected_votes", &expectedVotes, order: .little, .decimal)
        try visitor.field("wanted_node_id", &wantedNodeID, order: .little, generation == .cman2a ? .padding : .decimal)
        try visitor.field("major", &major, order: .little, .decimal)
        try visitor.field("minor", &minor, order: .little, .decimal)
        try visitor.field("patch", &patch, order: .little, .decimal)
        try visitor.field("config_version", &configVersion, order: .little, .decimal)
        let lengthOffset = visitor.offset
        try visitor.field("addr_len", &addressLength, order: .little, .decimal)
        try visitor.field("cluster_name", &clusterNameField, .text)
        let block = Int(count) * Int(addressLength)
        let isKnown = addressLength == CmanSocketAddress.ipv4Length || addressLength == CmanSocketAddress.ipv6Length
        if visitor.includes(isKnown) {
            let start = visitor.offset
            unreadCount = 0
            try visitor.list("addresses", &addresses, count: Int(count))
            if V.purpose == .read, visitor.offset - start != block {
                throw WireError(.invalidValue(UInt64(addressLength)), field: "addr_len", offset: lengthOffset)
            }
        } else {
            unreadCount = count
            try visitor.field("addresses", &unreadAddresses, count: block, .hexadecimal)
        }
        try visitor.terminated("node_name", &nodeName, limit: Self.maximumNameLength)
    }
}
