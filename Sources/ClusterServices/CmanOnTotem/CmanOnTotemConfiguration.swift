/// What cman on Totem reads from cluster.conf (reference/ais-behaviour.md 1-3).
public struct CmanOnTotemConfiguration: Sendable, Hashable {
    /// Which cman it is.
    public enum Release: Sendable, Hashable {
        /// That of RHEL 5, protocol 6.1.0, on openais 0.80. Votes are read from each node's own file.
        case cman2
        /// That of RHEL 6, protocol 6.2.0, on corosync 1. Every member tells its votes.
        case cman3
    }

    /// Which cman it is; a ring may mix both while it is upgraded.
    public var release: Release
    /// Name of the cluster, 1 to 15 bytes.
    public var clusterName: String
    /// The 16-bit number of the cluster.
    public var clusterID: UInt16
    /// Votes of every configured node, this one included.
    public var votes: [UInt32: UInt32]
    /// Votes expected in the whole cluster.
    public var expectedVotes: UInt32
    /// `two_node`: one of two nodes is enough.
    public var twoNode = false
    /// Version of the configuration file; all members must have the same.
    public var configVersion: UInt32 = 1
    /// When this node joined, in seconds since 1970: the same in all of its life, another one after each start.
    public var joinTime: UInt64
    /// Whether nodes that come back with state of their own are disallowed: always in RHEL 5, in RHEL 6 with `cman/@disallowed`.
    public var disallows: Bool

    /// A node of cluster `clusterName` with the `votes` of its nodes, that joined at `joinTime`.
    public init(_ release: Release, clusterName: String, votes: [UInt32: UInt32], joinTime: UInt64) {
        self.release = release
        self.clusterName = clusterName
        clusterID = Self.clusterID(of: clusterName)
        self.votes = votes
        self.joinTime = joinTime
        expectedVotes = votes.values.reduce(0, &+)
        disallows = release == .cman2
    }

    /// The number that is made of a cluster's name unless one is configured (cmanccs.c:74@cman2).
    public static func clusterID(of name: String) -> UInt16 {
        name.utf8.reduce(0) { ($0 << 1) &+ UInt16($1) }
    }
}
