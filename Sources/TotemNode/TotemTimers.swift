import EngineKit
import TotemWire

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
    /// Messages per rotation of the whole ring; in 2005 how far `seq` may be ahead of the last `aru`.
    public var windowSize: UInt32 = 50
    /// Messages per visit of the token.
    public var maxMessages: UInt32 = 17
    /// Visits of the token before a missing message is asked for.
    public var missCount: UInt8 = 5
    /// `heartbeat_failures_allowed`: so many retransmit times without the token of a ring that is not idle count as its loss; 0 switches it
    /// off. Not there in 2005.
    public var heartbeatFailuresAllowed = 0
    /// `max_network_delay`, for the heartbeat.
    public var maxNetworkDelay = Interval.milliseconds(50)
    /// `cancel_token_hold_on_retransmit`: a token with requests is not held (corosync 2 and later).
    public var cancelsHoldOnRetransmit = false

    /// The derived values of openais and corosync for a token timeout: retransmit = token / (`retransmitsBeforeLoss` + 0.2), hold =
    /// 0.8 retransmit - 10 ms, consensus = 1.2 token.
    public init(token: Interval, retransmitsBeforeLoss: Int = 4) {
        self.token = token
        let milliseconds = Double(token.milliseconds)
        let retransmit = (milliseconds / (Double(retransmitsBeforeLoss) + 0.2)).rounded(.down)
        tokenRetransmit = .milliseconds(Int64(retransmit))
        hold = .milliseconds(Int64(max(1, retransmit * 0.8 - 10)))
        consensus = .milliseconds(Int64(milliseconds * 1.2))
    }

    /// The defaults of `generation` for `nodes` nodes in a nodelist.
    public init(_ generation: TotemGeneration, nodes: Int) {
        let coefficient = 650 * Int64(max(0, nodes - 2))
        switch generation {
        case .totem2005:
            self.init(token: .milliseconds(200))
            tokenRetransmit = .milliseconds(47)
            hold = .milliseconds(27)
            join = .milliseconds(100)
            consensus = .milliseconds(200)
            failToReceive = 250
            sequenceUnchanged = 20
            windowSize = 128
            maxMessages = 30
        case .openais080:
            self.init(token: .milliseconds(1000))
            consensus = .milliseconds(800)
        case .corosync1: self.init(token: .milliseconds(1000))
        case .corosync2: self.init(token: .milliseconds(1000 + coefficient))
        case .corosync3: self.init(token: .milliseconds(3000 + coefficient))
        }
    }

    /// What cman of RHEL 5 and 6 sets below it (comms_init_ais ais.c:478@cman2).
    public static var cman: TotemTimers {
        var timers = TotemTimers(token: .milliseconds(10_000), retransmitsBeforeLoss: 20)
        timers.join = .milliseconds(60)
        timers.consensus = .milliseconds(4800)
        return timers
    }

    /// After how long without the token a ring that is not idle has lost it; nil while that is not looked at, or would be no sooner than the
    /// token timeout (793@wt).
    var heartbeat: Interval? {
        guard heartbeatFailuresAllowed > 0 else { return nil }
        let limit = tokenRetransmit * Int64(heartbeatFailuresAllowed) + maxNetworkDelay
        return limit < token ? limit : nil
    }
}
