/// What the admin endpoint tells, as JSON: everything an operator may want to see of a bridge, at one moment. The names of its
/// fields are stable.
public struct StatusDocument: Codable, Sendable, Equatable {
    /// A configured node.
    public struct Node: Codable, Sendable, Equatable {
        public var id: UInt32
        public var name: String
        public var votes: UInt32
        public var legacyAddress: String
        public var totemAddress: String
    }

    /// A native member.
    public struct Member: Codable, Sendable, Equatable {
        public var id: UInt32
        public var name: String
        public var votes: UInt32?
    }

    /// A proxy.
    public struct Proxy: Codable, Sendable, Equatable {
        public var id: UInt32
        public var name: String
        /// acquiring, joining, member, draining, leaving or waiting.
        public var phase: String
        public var holdsAddress: Bool
        /// Attempts that failed in a row.
        public var failures: Int
        public var lastLoss: String?
        /// Who else has its address.
        public var addressHolder: String?
    }

    /// Quorum as a side's members see it.
    public struct Quorum: Codable, Sendable, Equatable {
        public var isQuorate: Bool
        public var needed: UInt32
        public var votes: UInt32
        public var expected: UInt32
    }

    /// Messages of one sender that wait for a side.
    public struct Queue: Codable, Sendable, Equatable {
        public var sender: UInt32
        public var messages: Int
        public var bytes: Int
        public var oldestMilliseconds: Int64
    }

    /// Programs of one native member that listen.
    public struct Listener: Codable, Sendable, Equatable {
        public var node: UInt32
        public var ports: [UInt8]
    }

    /// What was done with messages of a side's native members.
    public struct Counters: Codable, Sendable, Equatable {
        /// Ordered on the other side.
        public var carried: UInt64
        /// Acknowledged before they were ordered.
        public var acknowledgedEarly: UInt64
        /// Meant for no native member of the other side.
        public var withoutRecipient: UInt64
        /// To ports on which no program of the other side was known to listen.
        public var withoutListener: UInt64
        /// Refused, by reason.
        public var refused: [String: UInt64]
        /// Packets of this side that proxies refused: unreadable, of another cluster, or out of place.
        public var refusedPackets: UInt64
        /// Proxies of this side that were lost without being withdrawn.
        public var proxiesLost: UInt64
    }

    /// One side.
    public struct Side: Codable, Sendable, Equatable {
        /// legacy or corosync.
        public var name: String
        public var isOperational: Bool
        public var quorum: Quorum?
        public var natives: [Member]
        public var proxies: [Proxy]
        public var queues: [Queue]
        public var listeners: [Listener]
        public var counters: Counters
    }

    /// Numbers of datagrams.
    public struct Sockets: Codable, Sendable, Equatable {
        public var received: UInt64
        public var sent: UInt64
        public var sendFailures: UInt64
        public var truncated: UInt64
    }

    public var cluster: String
    public var processID: Int32
    /// Seconds since 1970.
    public var started: Double
    /// When this was true, in seconds since 1970.
    public var time: Double
    public var isStopping: Bool
    /// Both sides list the same members.
    public var isConverged: Bool
    /// Nodes that are native on both sides.
    public var doubleIdentities: [UInt32]
    public var nodes: [Node]
    public var legacy: Side
    public var corosync: Side
    public var sockets: Sockets
    /// What needs attention; empty when all is well.
    public var problems: [String]
    /// What the operator may do next.
    public var nextStep: String

    /// Says so when this is an old picture at `now` (nanoseconds since 1970): the thread that answers runs on when the loop does not.
    mutating func noteAge(at now: Int64) {
        let age = Double(now) / 1e9 - time
        guard age > 5 else { return }
        let problem =
            "the bridge (process \(processID)) has done nothing for \(Int(min(age, 1e9))) s: if it stays like this, start it again"
        problems.insert(problem, at: 0)
        nextStep = "mend this first: \(problem)"
    }
}
