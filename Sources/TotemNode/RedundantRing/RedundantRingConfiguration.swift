import EngineKit
import TotemWire

/// How the packets of a processor use its networks (`rrp_mode`; reference/totem-wire.md 1.4).
public enum RedundantRingMode: String, Sendable, Hashable, CaseIterable {
    /// There is one network.
    case none
    /// Every packet goes over one network, in turns.
    case passive
    /// Every packet goes over every network, and a token counts when it has come over all of them.
    case active
}

/// What the redundant ring protocol of one processor has to be told. The names in parentheses are those of the configuration files.
public struct RedundantRingConfiguration: Sendable, Hashable {
    /// How many networks a processor of openais 0.80 to corosync 2 may have (INTERFACE_MAX, totem.h).
    public static let interfaceLimit = 2

    /// This processor's node id, which ring tests carry.
    public var nodeID: UInt32
    /// How packets use the networks (`rrp_mode`).
    public var mode: RedundantRingMode
    /// How many networks there are: 1 or 2.
    public var interfaceCount: Int
    /// Active replication hands up a token that has not come over all networks after this (`rrp_token_expired_timeout`).
    public var tokenExpired: Interval
    /// One problem of every network is forgotten after this (`rrp_problem_count_timeout`).
    public var problemCountTimeout = Interval.milliseconds(2000)
    /// With so many problems a network is faulty; in passive replication, when it lacks more tokens than this
    /// (`rrp_problem_count_threshold`).
    public var problemCountThreshold = 10
    /// In passive replication a network that lacks more multicasts than this is faulty (`rrp_problem_count_mcast_threshold`).
    public var multicastProblemCountThreshold: Int
    /// How often a faulty network is tested (`rrp_autorecovery_check_timeout`). nil in openais 0.80, where a network stays faulty until
    /// somebody says otherwise.
    public var autorecoveryCheck: Interval?

    /// A processor of `generation` with that generation's defaults (totemconfig.c:72-74, 466-478@wt; 83-86, 736-768@fl; 76-79,
    /// 280-293@ne): a token expires when it would be sent again; only openais counts lacking multicasts like lacking tokens.
    public init(nodeID: UInt32, mode: RedundantRingMode, generation: TotemGeneration, tokenRetransmit: Interval) {
        self.nodeID = nodeID
        self.mode = mode
        interfaceCount = mode == .none ? 1 : Self.interfaceLimit
        tokenExpired = tokenRetransmit
        multicastProblemCountThreshold = generation <= .openais080 ? problemCountThreshold : problemCountThreshold * 10
        autorecoveryCheck = generation <= .openais080 ? nil : .milliseconds(1000)
    }

    /// The lowest threshold that daemons of `generation` accept (RRP_PROBLEM_COUNT_THRESHOLD_MIN, totemconfig.c:74@wt, :85@fl, :78@ne).
    public static func lowestThreshold(of generation: TotemGeneration) -> Int { generation <= .openais080 ? 5 : 2 }
}
