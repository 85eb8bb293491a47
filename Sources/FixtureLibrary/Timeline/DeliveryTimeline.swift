import Dissection
import TotemWire
import WireFormat

/// The messages that packets carry to programs, and who was in which group, in the order in which they are delivered.
struct DeliveryTimeline {
    /// A message or a change of a group.
    struct Event {
        enum Kind {
            case message
            case join
            case leave
        }

        var kind: Kind
        var service: Reception.Service
        /// Totem's order; nil in legacy cman, where events stand in the order of the packets.
        var order: DeliveryOrder?
        var at: Double
        var sender: UInt32
        var process: UInt32
        var place: String
        /// The only receiver; nil for all.
        var target: UInt32?
        /// Whether the sender receives it too.
        var includesSender: Bool
        var content: [UInt8]
    }

    /// A message of legacy cman: who sent it, under which number, and what it holds.
    private struct Sent: Hashable {
        var sender: UInt32
        var sequence: UInt64
        var content: [UInt8]
    }

    /// A message that a program must have received, and when it was sent.
    struct Delivery {
        var at: Double
        var message: DeliveredMessage
    }

    private(set) var events: [Event] = []
    /// When each message of legacy cman was sent first. Numbers come again after 65535 messages.
    private var sent: [Sent: Double] = [:]
    /// No sender repeats a message for longer, in seconds (reference/cman-wire.md 2.4).
    private static let repetition = 30.0

    /// The largest content that a program of legacy cman receives; what is longer arrives cut (reference/cman-wire.md 1.6: 1500 bytes
    /// are read, 20 of them the header).
    private static let portLimit = 1480
    /// Legacy cman: the sender's own programs receive the message too.
    private static let broadcastSelf: UInt64 = 0x40_0000

    /// Takes a packet.
    mutating func take(_ packet: Dissection, at time: Double) {
        if packet.message.description == "data", packet.upperProtocols.contains(where: { $0.description == "cman" }) {
            takeData(packet, at: time)
        }
        for carried in packet.carries { take(carried, of: packet, at: time) }
    }

    private mutating func takeData(_ packet: Dissection, at time: Double) {
        let fields = PacketFields(packet.tree, nodes: 0..<packet.ownNodes)
        guard let node = packet.node, let content = fields.bytes("data"), let port = fields.number("target_port") else { return }
        // A retransmission, perhaps on another network, goes to those that did not get the first copy.
        let message = Sent(sender: node, sequence: fields.number("sequence") ?? 0, content: content)
        if let first = sent[message], time - first < Self.repetition { return }
        sent[message] = time
        let target = fields.word("target_id") ?? 0
        events.append(
            Event(
                kind: .message,
                service: .port,
                order: nil,
                at: time,
                sender: node,
                process: fields.word("source_port") ?? 0,
                place: String(port),
                target: target == 0 ? nil : target,
                includesSender: (fields.number("flags") ?? 0) & Self.broadcastSelf != 0,
                content: Array(content.prefix(Self.portLimit))
            )
        )
    }

    private mutating func take(_ carried: CarriedMessage, of packet: Dissection, at time: Double) {
        let kind: Event.Kind
        switch carried.kind {
        case .cpgMulticast, .evsMulticast, .cman(.data): kind = .message
        case .cpgProcessJoin: kind = .join
        case .cpgProcessLeave: kind = .leave
        default: return
        }
        let fields = PacketFields(packet.tree, nodes: carried.contentNodes)
        var event = Event(
            kind: kind,
            service: .cpg,
            order: carried.order,
            at: time,
            sender: carried.sender,
            process: fields.word("pid") ?? 0,
            place: fields.text("group_name.value") ?? "",
            target: nil,
            includesSender: true,
            content: fields.bytes("message") ?? []
        )
        if carried.kind == .evsMulticast {
            event.service = .evs
            event.place = fields.firstBytes(named: "key").map { $0.map { String($0) }.joined(separator: " ") } ?? ""
        }
        if carried.kind == .cman(.data) {
            event.service = .port
            event.process = fields.word("srcport") ?? 0
            event.place = fields.number("tgtport").map { String($0) } ?? ""
            let target = fields.word("tgtid") ?? 0
            event.target = target == 0 ? nil : target
            event.content = fields.bytes("data") ?? []
        }
        events.append(event)
    }

    /// What a program must have received by what the packets say. `isMember` tells whether its node is in a ring.
    func messages(for reception: Reception, isMember: (RingID) -> Bool) -> [Delivery] {
        var places = Set(reception.places)
        // Keys of EVS groups are bytes that only the joining program knows; it sends to the groups that it is in.
        if reception.service == .evs { places = Set(events.filter { $0.sender == reception.node && $0.service == .evs }.map(\.place)) }
        var known: [RingID: Bool] = [:]
        var result: [Delivery] = []
        for event in ordered() where event.service == reception.service {
            if let order = event.order {
                let isInside = known[order.ring] ?? isMember(order.ring)
                known[order.ring] = isInside
                guard isInside else { continue }
            }
            switch event.kind {
            case .join:
                if event.sender == reception.node, event.process == reception.process { places.insert(event.place) }
            case .leave:
                if event.sender == reception.node, event.process == reception.process { places.remove(event.place) }
            case .message:
                guard places.contains(event.place) else { continue }
                if let target = event.target, target != reception.node { continue }
                if event.sender == reception.node, !event.includesSender { continue }
                if let from = reception.from, event.at < from { continue }
                if let until = reception.until, event.at > until { continue }
                let message = DeliveredMessage(
                    sender: event.sender,
                    process: reception.service == .evs ? 0 : event.process,
                    place: reception.service == .evs ? "" : event.place,
                    length: event.content.count,
                    hash: reception.hash(event.content)
                )
                result.append(Delivery(at: event.at, message: message))
            }
        }
        return result
    }

    private func ordered() -> [Event] {
        guard events.contains(where: { $0.order != nil }) else { return events }
        return events.sorted { left, right in
            guard let one = left.order, let other = right.order else { return left.at < right.at }
            return one < other
        }
    }
}
