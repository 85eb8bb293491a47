import EngineKit
import WireFormat

/// Everything a Totem processor has to be told.
public struct TotemConfiguration: Sendable, Hashable {
    /// This processor's node id; never 0.
    public var nodeID: UInt32
    /// Ids of every configured node, this one included, ascending (the nodelist).
    public var nodes: [UInt32]
    /// The address of each node on ring 0, and on ring 1 if there is one. Before corosync 3 processors are told apart and put in order by
    /// the first (reference/totem-engine.md 2), and a node without one cannot take part; in 2005 the node id is the address as a
    /// number and nothing is needed here, nor is it for corosync 3.
    public var addresses: [UInt32: [IPAddress]] = [:]
    /// Timers and limits.
    public var timers: TotemTimers
    /// Largest totempg packet this processor sends, in bytes: `net_mtu` after all adjustments (reference/totem-wire.md 1.3). The
    /// default is what corosync 3.1.7 has for an MTU of 1500: its largest datagram holds 45 + 1410 bytes (capture 3.1.7-udpu-form,
    /// frame 9), over IPv6 too, where IP fragments it.
    public var networkMTU = 1410
    /// The ring sequence number that was stored last (reference/totem-engine.md 2); 0 when there is none.
    public var storedRingSequence: UInt64 = 0
    /// Longest queue of packets that wait for the token.
    public var queueLimit = 3000

    /// A processor `nodeID` among `nodes`, with corosync 3's defaults for that many nodes.
    public init(nodeID: UInt32, nodes: [UInt32]) {
        self.nodeID = nodeID
        self.nodes = nodes
        timers = TotemTimers(token: .milliseconds(3000 + 650 * Int64(max(0, nodes.count - 2))))
    }
}

/// Timers and limits of the single ring protocol (reference/totem-engine.md 1).
public struct TotemTimers: Sendable, Hashable {
    /// Token loss; includes the coefficient for the number of nodes.
    public var token: Interval
    /// Resend the last token.
    public var tokenRetransmit: Interval
    /// The representative lets a held token go after this.
    public var hold: Interval
    /// Repetition of JOIN.
    public var join = Interval.milliseconds(50)
    /// Gather gives up on silent processors after this.
    public var consensus: Interval
    /// Merge detection.
    public var merge = Interval.milliseconds(200)
    /// Rotations with a stuck aru before a processor calls itself unable to receive.
    public var failToReceive = 2500
    /// Idle rotations before the token is held.
    public var sequenceUnchanged: UInt32 = 30
    /// Messages per rotation of the whole ring.
    public var windowSize: UInt32 = 50
    /// Messages per visit of the token.
    public var maxMessages: UInt32 = 17
    /// Visits of the token before a missing message is asked for.
    public var missCount: UInt8 = 5

    /// corosync's derived values for a token timeout: retransmit = token / 4.2, hold = 0.8 retransmit - 10 ms, consensus = 1.2 token.
    public init(token: Interval) {
        self.token = token
        let milliseconds = Double(token.milliseconds)
        let retransmit = (milliseconds / 4.2).rounded(.down)
        tokenRetransmit = .milliseconds(Int64(retransmit))
        hold = .milliseconds(Int64(max(1, retransmit * 0.8 - 10)))
        consensus = .milliseconds(Int64(milliseconds * 1.2))
    }
}
