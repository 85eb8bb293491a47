import Captures
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
    /// How often each dialect was recognised.
    public private(set) var dialects: [String: Int] = [:]
    /// The addresses that each node sends from, by its id.
    public private(set) var addresses: [UInt32: Set<IPAddress>] = [:]
    /// When each address last sent, and how often: for nodes that went.
    private(set) var sendings: [IPAddress: [Double]] = [:]
    /// Packets with problems.
    public private(set) var malformed = 0
    /// The first packets with problems, as `frame 12: text`.
    public private(set) var problems: [String] = []
    /// Packets that no key opened.
    public private(set) var encrypted = 0

    private(set) var cman = CmanTimeline()
    private(set) var totem = TotemTimeline()
    private(set) var deliveries = DeliveryTimeline()

    /// A timeline of no packets.
    public init() {}

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
        guard packet.content.kind == .datagram, let source = packet.content.source else { return }
        sendings[source, default: []].append(time)
        guard let dialect = packet.dialect?.name.description else { return }
        dialects[dialect, default: 0] += 1
        if let node = packet.node, node != 0, message != "mcast" { addresses[node, default: []].insert(source) }
        if dialect.hasPrefix("cman") {
            cman.take(packet, at: time)
        } else {
            totem.take(packet, at: time)
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
    public func messages(for reception: Reception) -> [DeliveredMessage] {
        deliveries.messages(for: reception, rings: totem.rings)
    }

    /// Everything that the packets say, as a draft of what a capture means: to be confirmed by what the daemons report.
    public func draft() -> Expectations {
        var draft = Expectations()
        draft.source = "decoder"
        draft.isDraft = true
        draft.packets = packets
        draft.malformed = malformed
        draft.messages = messages
        draft.views = cman.views
        for node in addresses.keys.sorted() { draft.formations += totem.formations(of: node) }
        draft.departures =
            cman.leaves.map { Departure(at: $0.at, node: $0.node, manner: $0.reason & 0xF == 3 ? .removed : .left) }
            + totem.leaves.map { Departure(at: $0.at, node: $0.node, manner: .left) }
        return draft
    }
}
