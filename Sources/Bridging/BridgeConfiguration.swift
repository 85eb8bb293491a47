import EngineKit

/// A node of the cluster, whatever protocol it speaks at the moment.
public struct BridgeNode: Sendable, Hashable {
    /// Its id, the same on both sides.
    public var id: UInt32
    /// Its name, the same on both sides.
    public var name: String
    /// Its votes as configured; a side that reports others overrides them.
    public var votes: UInt32

    /// A node with all its values.
    public init(id: UInt32, name: String, votes: UInt32 = 1) {
        self.id = id
        self.name = name
        self.votes = votes
    }
}

/// What the core has to know of a side's protocol.
public struct SideTraits: Sendable, Hashable {
    /// What the side is called in messages to people.
    public var name: String
    /// Whether proxies may be the first members of the side. Where they may not, they wait until a native member is seen.
    public var proxiesFormAlone: Bool
    /// Wait before a proxy that was lost is admitted again; doubles with each failure in a row.
    public var readmission: Interval
    /// How many messages of one sender the side takes before the first of them is ordered.
    public var sendWindow: Int
    /// The largest payload its messages carry, in bytes.
    public var largestPayload: Int

    /// Traits with all their values.
    public init(name: String, proxiesFormAlone: Bool, readmission: Interval, sendWindow: Int, largestPayload: Int) {
        self.name = name
        self.proxiesFormAlone = proxiesFormAlone
        self.readmission = readmission
        self.sendWindow = sendWindow
        self.largestPayload = largestPayload
    }
}

/// Times and bounds of the bridge.
public struct BridgeLimits: Sendable, Hashable {
    /// An acknowledgement is given after this even though the message is not ordered yet (design promise 1).
    public var acknowledgeAfter = Interval.milliseconds(2500)
    /// How long a proxy whose node has gone may take to send what is left of that node's messages.
    public var drain = Interval.seconds(15)
    /// How long a side may take to let a proxy leave before it is stopped in silence.
    public var withdraw = Interval.seconds(6)
    /// Wait before an address that somebody else holds is asked for again; doubles with each failure in a row.
    public var addressRetry = Interval.seconds(5)
    /// The longest wait between two attempts.
    public var longestBackoff = Interval.seconds(60)
    /// Messages that wait for one proxy.
    public var queueMessages = 16_384
    /// Payload bytes that wait on one side, for all proxies together.
    public var queueBytes = 64 << 20
    /// The same alarm is given again after this at the earliest.
    public var alarmInterval = Interval.seconds(10)

    /// The defaults.
    public init() {}
}

/// Everything the core has to be told.
public struct BridgeConfiguration: Sendable, Hashable {
    /// Every node of the cluster.
    public var nodes: [BridgeNode]
    /// The protocols of both sides.
    public var traits: PerSide<SideTraits>
    /// Whether a port is carried across; others are refused.
    public var ports: Set<UInt8>
    /// Times and bounds.
    public var limits = BridgeLimits()

    /// A bridge for `nodes` between two sides.
    public init(nodes: [BridgeNode], traits: PerSide<SideTraits>, ports: Set<UInt8>) {
        self.nodes = nodes
        self.traits = traits
        self.ports = ports
    }
}
