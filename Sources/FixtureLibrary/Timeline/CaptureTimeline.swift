import Captures
import CmanWire
import Dissection
import TotemWire
import WireFormat

/// What the packets of a capture say, collected in one pass over them.
public struct CaptureTimeline {
    /// Number of packets.
    public private(set) var packets = 0
    /// Time of the first packet, in nanoseconds since 1970-01-01 00:00 UTC.
    public private(set) var firstTime: Int64 = 0
    /// Seconds from the first packet to the last.
    public private(set) var duration = 0.0
    /// How often each message occurs.
    public private(set) var messages: [String: Int] = [:]
    /// How often each carried message occurs.
    public private(set) var carried: [String: Int] = [:]
    /// How often each dialect was recognised, and the kernel DLM under the name of its fields, which belongs to no dialect.
    public private(set) var dialects: [String: Int] = [:]
    /// The addresses that each node sends from, by its id.
    public var addresses: [UInt32: Set<IPAddress>] { identities.addresses }
    /// When each address last sent, and how often: for nodes that went.
    private(set) var sendings: [IPAddress: [Double]] = [:]
    /// Packets with problems.
    public private(set) var malformed = 0
    /// The first packets with problems, as `frame 12: text`.
    public private(set) var problems: [String] = []
    /// Packets that no key opened.
    public private(set) var encrypted = 0

    private(set) var identities: NodeIdentities
    private(set) var cman = CmanTimeline()
    private(set) var totem = TotemTimeline()
    private(set) var deliveries = DeliveryTimeline()

    /// A timeline of no packets. What `nodes` says of addresses is believed more than packets.
    public init(nodes: [FixtureNode] = []) {
        identities = NodeIdentities(nodes)
    }

    /// Takes the next packet of the capture.
    public mutating func take(_ packet: Dissection) {
        if packets == 0 { firstTime = packet.time }
        packets += 1
        let time = Double(packet.time - firstTime) / 1_000_000_000
        duration = max(duration, time)
        let message = packet.message.description
        messages[message, default: 0] += 1
        if message == "encrypted" { encrypted += 1 }
        for carried in packet.carries { self.carried[carried.message.description, default: 0] += 1 }
        if !packet.problems.isEmpty {
            malformed += 1
            if problems.count < 8 { problems.append("frame \(packet.frame): \(packet.problems.strings.joined(separator: "; "))") }
        }
        if packet.upperProtocols.last?.description == DLMRecord.protocolName.description {
            dialects[DLMRecord.protocolName.description, default: 0] += 1
        }
        guard packet.content.kind == .datagram, let source = packet.content.source else { return }
        sendings[source, default: []].append(time)
        guard let dialect = packet.dialect?.name.description else { return }
        dialects[dialect, default: 0] += 1
        identities.take(packet, from: source)
        if dialect.hasPrefix("cman") {
            cman.take(packet, at: time)
        } else {
            totem.take(packet, from: source, at: time)
        }
        deliveries.take(packet, at: time)
    }

    /// The dialect of most packets.
    public var mainDialect: String? {
        dialects.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    /// The nodes that sent, with their addresses.
    public var nodes: [FixtureNode] {
        addresses.sorted { $0.key < $1.key }.map { id, addresses in
            FixtureNode(id: id, name: "node\(id)", addresses: addresses.sorted().map(\.description))
        }
    }

    /// What the packets say of a program's messages.
    func messages(for reception: Reception) -> [DeliveryTimeline.Delivery] {
        deliveries.messages(for: reception) { members(of: $0).contains(reception.node) }
    }

    /// The processors of a ring, by node id.
    func members(of ring: RingID) -> Set<UInt32> {
        Set((totem.rings[ring]?.members ?? []).compactMap { identities.node(at: $0) })
    }

    /// The presences of a processor in rings, in order.
    func presences(of node: UInt32) -> [TotemTimeline.Presence] {
        totem.presences.filter { identities.node(at: $0.address) == node }
    }

    /// Orderly leaves of the ring, by node id.
    var totemLeaves: [(at: Double, node: UInt32)] {
        totem.leaves.compactMap { leave in identities.node(at: leave.address).map { (leave.at, $0) } }
    }

    /// A ring that a processor was in and that was used.
    struct RingInUse {
        var formation: RingFormation
        /// Whether the capture holds its commit token.
        var isFormedHere: Bool
        /// When its first ordinary message was sent.
        var from: Double
    }

    /// The rings that `node` was in and that were used, in the order of their numbers.
    func ringsInUse(by node: UInt32) -> [RingInUse] {
        totem.rings.values
            .sorted { ($0.id.sequence, $0.id.representative) < ($1.id.sequence, $1.id.representative) }
            .compactMap { ring in
                let members = members(of: ring.id)
                guard let from = ring.usedFrom, members.contains(node) else { return nil }
                let formation = RingFormation(node: node, ring: "\(ring.id)", members: members.sorted())
                return RingInUse(formation: formation, isFormedHere: ring.isFormedHere, from: from)
            }
    }

    /// Messages of the rings that the capture misses.
    public var missingMessages: Int { totem.rings.values.reduce(0) { $0 + $1.missing } }

    /// Everything that the packets say, as a draft of what a capture means: to be confirmed by what the daemons report.
    public func draft() -> Expectations {
        var draft = Expectations()
        draft.source = "decoder"
        draft.isDraft = true
        draft.packets = packets
        draft.malformed = malformed
        draft.messages = messages
        draft.views = cman.views
        for node in addresses.keys.sorted() { draft.formations += ringsInUse(by: node).map(\.formation) }
        draft.departures =
            cman.leaves.map { Departure(at: $0.at, node: $0.node, manner: $0.reason & 0xF == 3 ? .removed : .left) }
            + totemLeaves.map { Departure(at: $0.at, node: $0.node, manner: .left) }
        return draft
    }
}
