import Dissection
import TotemWire
import WireFormat

/// What the packets of Totem tell about its rings.
///
/// Who passes a ring's token or sends messages in it is its member. A ring is in use when ordinary messages are sent in it: those that
/// only carry another ring's are part of its forming (reference/totem-engine.md 6).
struct TotemTimeline {
    /// What is known about one ring.
    struct Ring {
        var id: RingID
        /// When it was first named by a token or message.
        var begin: Double
        var members: Set<UInt32> = []
        /// Whether ordinary messages were sent in it.
        var isUsed = false
    }

    /// A processor in a ring: from its first packet that names the ring to the last one before it names another.
    struct Presence {
        var begin: Double
        var end: Double
        var node: UInt32
        var ring: RingID
    }

    /// The rings by id.
    private(set) var rings: [RingID: Ring] = [:]
    /// Which processor was in which ring, in the order in which they came there.
    private(set) var presences: [Presence] = []
    /// Orderly leaves.
    private(set) var leaves: [(at: Double, node: UInt32)] = []

    /// For each processor its last presence.
    private var latest: [UInt32: Int] = [:]

    /// Takes a packet of Totem.
    mutating func take(_ packet: Dissection, at time: Double) {
        guard let node = packet.node else { return }
        switch packet.message.description {
        case "token", "mcast":
            guard let ring = packet.ring, node != 0 else { return }
            let isMulticast = packet.message.description == "mcast"
            rings[ring, default: Ring(id: ring, begin: time)].members.insert(node)
            let isUsed = rings[ring]?.isUsed ?? false
            if isMulticast, !isUsed, Self.isOrdinary(packet) { rings[ring]?.isUsed = true }
            // A retransmission of another ring's packets would be an old ring's; a processor is in the ring that it named last.
            if let index = latest[node], presences[index].ring == ring {
                presences[index].end = time
            } else if !isMulticast || rings[ring]?.isUsed == true {
                latest[node] = presences.count
                presences.append(Presence(begin: time, end: time, node: node, ring: ring))
            }
        case "join":
            if packet.detailText.hasPrefix("LEAVE") { leaves.append((time, node)) }
        default: break
        }
    }

    /// Whether an mcast is a message of its own ring, and not one of an old ring that is recovered.
    private static func isOrdinary(_ packet: Dissection) -> Bool {
        !packet.tree.nodes.prefix(packet.ownNodes).contains { node in
            guard case .begin(let group) = node.kind, case .structure = group else { return false }
            return node.name.description == "recovered"
        }
    }

    /// The rings that `node` was in, in order of their numbers: only those that were used.
    func formations(of node: UInt32) -> [RingFormation] {
        rings.values.filter { $0.members.contains(node) && $0.isUsed }
            .sorted { ($0.id.sequence, $0.id.representative) < ($1.id.sequence, $1.id.representative) }
            .map { RingFormation(node: node, ring: "\($0.id)", members: $0.members.sorted()) }
    }

    /// The presences of `node`, in order.
    func presences(of node: UInt32) -> [Presence] { presences.filter { $0.node == node } }
}

extension Dissection {
    /// What the packet means, without its message's name.
    var detailText: String { String(decoding: detail.bytes, as: UTF8.self) }
}
