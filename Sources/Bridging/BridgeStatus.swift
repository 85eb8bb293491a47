import EngineKit

/// Everything an operator may want to see of a bridge, at one moment.
public struct BridgeStatus: Sendable, Hashable {
    /// One side.
    public struct Side: Sendable, Hashable {
        /// What it is called.
        public var name: String
        /// Whether messages can be ordered there now.
        public var isOperational: Bool
        /// Quorum as its members see it; nil while unknown.
        public var quorum: SideQuorum?
        /// Native members that are up, ascending by id.
        public var natives: [SideMember]
        /// Proxies, ascending by id.
        public var proxies: [Proxy]
        /// Messages on their way to this side, one entry per sender that has any, ascending by id.
        public var queues: [Queue]
        /// Ports on which programs of native members listen.
        public var listeners: [UInt32: Set<UInt8>]
    }

    /// One proxy.
    public struct Proxy: Sendable, Hashable {
        /// Id of the node it stands for.
        public var node: UInt32
        /// Where it is in its life.
        public var phase: ProxyPhase
        /// Whether the bridge holds its address.
        public var holdsAddress: Bool
        /// Attempts that failed in a row.
        public var failures: Int
        /// Why it was lost last.
        public var lastLoss: ProxyLoss?
        /// Who else holds its address, as last told.
        public var addressHolder: String?
    }

    /// The messages of one sender.
    public struct Queue: Sendable, Hashable {
        /// Its node id.
        public var sender: UInt32
        /// Messages that wait, those under way included.
        public var messages: Int
        /// Their payload bytes.
        public var bytes: Int
        /// How long the oldest has waited.
        public var oldest: Interval
    }

    /// Both sides.
    public var sides: PerSide<Side>
    /// What was done so far.
    public var counters: BridgeCounters
    /// Nodes that are native on both sides.
    public var doubleIdentities: [UInt32]
    /// Whether the bridge is stopping.
    public var isStopping: Bool
    /// Whether both sides list the same nodes as members, natives and proxies together.
    public var isConverged: Bool
}
