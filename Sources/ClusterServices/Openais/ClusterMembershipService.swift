import TotemNode
import TotemWire
import WireFormat

/// CLM, the cluster membership service of openais: every member describes itself on every ring (reference/totem-services.md 7.6;
/// clm.c@wt). corosync 1 does the same for the sake of openais, without CLM (evil.c:233@fl). An openais whose EVT does not find a member in
/// CLM aborts (ais-behaviour.md 6), so that nobody may omit it.
struct ClusterMembershipService: Sendable {
    private let node: UInt32
    private let address: IPAddress?
    private let bootTime: UInt64
    private let isOpenais: Bool
    private var initialView: UInt64 = 0

    /// The service of the configured processor, among daemons of `generation`.
    init(of generation: TotemGeneration, _ configuration: ProcessorConfiguration) {
        node = configuration.totem.nodeID
        address = configuration.totem.addresses[node]?.first
        bootTime = configuration.bootTime
        isOpenais = generation == .openais080
    }

    /// A new ring. The view in which a daemon began is the sequence number of its first ring divided by four (clm.c:478@wt); corosync's
    /// stand-in always says 0.
    mutating func initialise(ringSequence: UInt64) {
        if isOpenais, initialView == 0 { initialView = ringSequence / 4 }
    }

    /// What is said while CLM is synchronised.
    func process(into outbox: inout Outbox) {
        outbox.add(CLMNodeJoin(nodeID: node, address: address, bootTime: bootTime, initialView: initialView))
    }
}
