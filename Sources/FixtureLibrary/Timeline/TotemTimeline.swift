import Captures
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
        /// Addresses that tokens and messages come from.
        var members: Set<IPAddress> = []
        /// When the first ordinary message was sent in it.
        var usedFrom: Double?
        /// Whether its commit token is in the capture.
        var isFormedHere = false
        /// Sequence numbers of its messages.
        var sequences: Set<UInt64> = []
        var lowest = UInt64.max
        var highest: UInt64 = 0

        /// Messages that the capture misses.
        var missing: Int { sequences.isEmpty ? 0 : Int(highest - lowest) + 1 - sequences.count }
    }

    /// A processor in a ring: from its first packet that names the ring to the last one before it names another.
    struct Presence {
        var begin: Double
        var end: Double
        var address: IPAddress
        var ring: RingID
    }

    /// A message that changes cman's view of a ring's members (reference/totem-services.md 7.7.3).
    struct CmanChange {
        enum Kind {
            /// TRANSITION: the sender is a member.
            case member
            /// LEAVE and KILLNODE: the node is none any more.
            case gone
        }

        var at: Double
        var ring: RingID
        var node: UInt32
        var kind: Kind
        /// Who sent it, where only the sender acts upon it; nil when all do.
        var observer: UInt32?
    }

    private(set) var rings: [RingID: Ring] = [:]
    /// Which processor was in which ring, in the order in which they came there.
    private(set) var presences: [Presence] = []
    /// Orderly leaves of the ring, and of cman above it with its reason.
    private(set) var leaves: [(at: Double, address: IPAddress)] = []
    private(set) var cmanLeaves: [(at: Double, node: UInt32, reason: UInt64)] = []
    private(set) var cmanChanges: [CmanChange] = []

    /// For each address its last presence.
    private var latest: [IPAddress: Int] = [:]

    /// Takes a packet of Totem.
    mutating func take(_ packet: Dissection, from source: IPAddress, at time: Double) {
        switch packet.message.description {
        case "token", "mcast": takeRing(packet, from: source, at: time)
        case "commit-token":
            if let ring = packet.ring { rings[ring, default: Ring(id: ring)].isFormedHere = true }
        case "join":
            if packet.detailText.hasPrefix("LEAVE") { leaves.append((time, source)) }
        default: break
        }
        for carried in packet.carries { takeCman(carried, of: packet, at: time) }
    }

    private mutating func takeRing(_ packet: Dissection, from source: IPAddress, at time: Double) {
        guard let id = packet.ring else { return }
        let isMulticast = packet.message.description == "mcast"
        var ring = rings[id] ?? Ring(id: id)
        // A copy of the ring would be made for every message otherwise.
        rings[id] = nil
        defer { rings[id] = ring }
        ring.members.insert(source)
        if isMulticast {
            if ring.usedFrom == nil, !packet.recovers { ring.usedFrom = time }
            if let sequence = packet.ownNumber("seq") {
                ring.sequences.insert(sequence)
                ring.lowest = min(ring.lowest, sequence)
                ring.highest = max(ring.highest, sequence)
            }
        }
        if let index = latest[source], presences[index].ring == id {
            presences[index].end = time
        } else if !isMulticast || ring.usedFrom != nil {
            latest[source] = presences.count
            presences.append(Presence(begin: time, end: time, address: source, ring: id))
        }
    }

    private mutating func takeCman(_ carried: CarriedMessage, of packet: Dissection, at time: Double) {
        guard let ring = carried.order?.ring else { return }
        switch carried.message.description {
        case "cman.transition":
            cmanChanges.append(CmanChange(at: time, ring: ring, node: carried.sender, kind: .member))
        case "cman.leave":
            let fields = PacketFields(packet.tree, nodes: carried.contentNodes)
            cmanChanges.append(CmanChange(at: time, ring: ring, node: carried.sender, kind: .gone))
            cmanLeaves.append((time, carried.sender, fields.number("reason") ?? 0))
        case "cman.killnode":
            let fields = PacketFields(packet.tree, nodes: carried.contentNodes)
            guard let node = fields.word("nodeid") else { return }
            // Only the named node acts upon it, and it goes; the sender has it counted out before.
            cmanChanges.append(CmanChange(at: time, ring: ring, node: node, kind: .gone, observer: carried.sender))
        default: break
        }
    }

    /// Who is a member of `ring` for cman at `time`: who sent a TRANSITION in it and did not go. Of a ring that was formed before the
    /// capture nobody's TRANSITION is there, and `processors` are its members.
    func cmanMembers(of ring: RingID, seenBy node: UInt32, processors: Set<UInt32>, at time: Double) -> Set<UInt32> {
        let changes = cmanChanges.filter { $0.ring == ring && $0.at <= time && ($0.observer ?? node) == node }
        let isFormedHere = cmanChanges.contains { $0.ring == ring && $0.kind == .member }
        var members = isFormedHere ? Set(changes.filter { $0.kind == .member }.map(\.node)) : processors
        for change in changes where change.kind == .gone { members.remove(change.node) }
        return members
    }
}

extension Dissection {
    /// What the packet means, without its message's name.
    var detailText: String { String(decoding: detail.bytes, as: UTF8.self) }

    /// Whether an mcast carries a message of an old ring.
    var recovers: Bool {
        tree.nodes.prefix(ownNodes).contains { node in
            guard case .begin(let group) = node.kind, case .structure = group else { return false }
            return node.name.description == "recovered"
        }
    }

    /// The number in the packet's first own field called `name`, whatever structure it is in.
    func ownNumber(_ name: String) -> UInt64? {
        for node in tree.nodes.prefix(ownNodes) {
            if case .field(.unsigned(let number)) = node.kind, node.name.description == name { return number }
        }
        return nil
    }
}
