import EngineKit
import TotemWire
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
    /// Largest totempg packet this processor sends, in bytes: `net_mtu` after all adjustments (reference/totem-wire.md 1.3).
    public var networkMTU: Int
    /// The ring sequence number that was stored last (reference/totem-engine.md 2); 0 when there is none.
    public var storedRingSequence: UInt64 = 0
    /// Longest queue of packets that wait for the token.
    public var queueLimit = 3000

    /// A processor `nodeID` among `nodes`, with the defaults that `generation` has for that many nodes.
    public init(nodeID: UInt32, nodes: [UInt32], generation: TotemGeneration = .corosync3) {
        self.nodeID = nodeID
        self.nodes = nodes
        timers = TotemTimers(generation, nodes: nodes.count)
        // A packet of corosync 2 has four bytes of envelope even when nothing is secured.
        networkMTU = Self.networkMTU(of: generation, envelope: generation == .corosync2 ? 4 : 0)
    }

    /// Largest totempg packet of `generation` over networks with IP packets of `packetSize` bytes (reference/totem-wire.md 1.3), with `envelope`
    /// bytes of security around it; corosync 1 and 2 take the headers and the envelope off once for every network.
    /// For corosync 3 it is what 3.1.7 has, over IPv6 too, where IP fragments it: its largest datagram holds 45 + 1410 bytes (capture
    /// 3.1.7-udpu-form, frame 9).
    public static func networkMTU(
        of generation: TotemGeneration,
        packetSize: Int = 1500,
        ipv6: Bool = false,
        networks: Int = 1,
        envelope: Int = 0
    ) -> Int {
        let around = networks * ((ipv6 ? 48 : 28) + envelope)
        return switch generation {
        // TOTEMSRP_PACKET_SIZE_MAX, whatever the MTU is.
        case .totem2005: 1404
        // A header of IPv6 is not thought of (totemnet.c:1471@wt).
        case .openais080: packetSize - 98 - 28 - envelope
        case .corosync1: packetSize - 98 - around
        case .corosync2: packetSize - 2 * 99 - around
        case .corosync3: packetSize - 2 * 45
        }
    }
}
