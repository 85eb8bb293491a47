/// What the first cman on Totem, of August 2005, is told (reference/ais-behaviour.md 8).
public struct FirstCmanConfiguration: Sendable, Hashable {
    /// Name of the cluster, 1 to 15 bytes.
    public var clusterName: String
    /// The 16-bit number of the cluster.
    public var clusterID: UInt16
    /// Name of this node, 1 to 63 bytes.
    public var nodeName: String
    /// The node id that this node wants; 0 lets the cluster choose. It is cman's own: Totem knows nodes by their address.
    public var nodeID: UInt32
    /// Votes of this node.
    public var votes: UInt32
    /// Votes expected in the whole cluster.
    public var expectedVotes: UInt32
    /// `two_node`: one of two nodes is enough.
    public var twoNode = false
    /// Version of the configuration file; all members must have the same.
    public var configVersion: UInt32 = 1

    /// Node `nodeName` of cluster `clusterName`, which wants `nodeID` and has `votes` of `expectedVotes`.
    public init(clusterName: String, nodeName: String, nodeID: UInt32, votes: UInt32, expectedVotes: UInt32) {
        self.clusterName = clusterName
        clusterID = CmanOnTotemConfiguration.clusterID(of: clusterName)
        self.nodeName = nodeName
        self.nodeID = nodeID
        self.votes = votes
        self.expectedVotes = expectedVotes
    }
}
