import Captures
import Dissection
import WireFormat

/// What the packets of legacy cman tell about its members.
///
/// A view begins with the ENDTRANS of a master: its members are the master, those whose STARTACK answered its last STARTTRANS, and the
/// node that joined (reference/cman-wire.md 5.4 to 5.7). Between transitions a view shrinks when its owner sends or acknowledges a
/// NODEDOWN or is told a LEAVE, and a HELLO tells the generation of its sender, and that it is alone.
struct CmanTimeline {
    private struct Transition {
        var generation: UInt64
        var acknowledged: Set<UInt32> = []
    }

    private struct Sent: Hashable {
        var sender: Endpoint
        var sequence: UInt64
    }

    /// Views in the order of time.
    private(set) var views: [MembershipView] = []
    /// LEAVE messages: when, who, and the reason.
    private(set) var leaves: [(at: Double, node: UInt32, reason: UInt64)] = []
    /// NODEDOWN messages: when, about whom, and the reason.
    private(set) var deaths: [(at: Double, node: UInt32, reason: UInt64)] = []

    private var latest: [UInt32: MembershipView] = [:]
    private var transitions: [UInt32: Transition] = [:]
    private var announcedDeaths: [Sent: UInt32] = [:]

    /// Takes a packet of cman.
    mutating func take(_ packet: Dissection, at time: Double) {
        guard let node = packet.node else { return }
        let fields = PacketFields(packet.tree, nodes: 0..<packet.ownNodes)
        switch packet.message.description {
        case "starttrans":
            guard let generation = fields.number("generation"), transitions[node]?.generation != generation else { return }
            transitions[node] = Transition(generation: generation)
        case "startack":
            guard let master = fields.word("target_id"), transitions[master]?.generation == fields.number("generation") else { return }
            transitions[master]?.acknowledged.insert(node)
        case "endtrans":
            finish(master: node, fields, at: time)
        case "nodedown":
            guard let dead = fields.word("node_id") else { return }
            deaths.append((time, dead, fields.number("reason") ?? 0))
            remove(dead, from: node, at: time)
            if let source = packet.content.sourceEndpoint, let sequence = fields.number("sequence") {
                announcedDeaths[Sent(sender: source, sequence: sequence)] = dead
            }
        case "ack":
            guard let destination = packet.content.destinationEndpoint, let sequence = fields.number("ack"),
                let dead = announcedDeaths[Sent(sender: destination, sequence: sequence)]
            else { return }
            remove(dead, from: node, at: time)
        case "leave":
            leaves.append((time, node, fields.number("reason") ?? 0))
            if let target = fields.word("target_id") { remove(node, from: target, at: time) }
        case "hello":
            hello(node, fields, at: time)
        default: break
        }
    }

    private mutating func finish(master: UInt32, _ fields: PacketFields, at time: Double) {
        guard let generation = fields.number("generation") else { return }
        var members = (transitions[master]?.acknowledged ?? []).union([master])
        if let joined = fields.word("new_node_id"), joined != 0 { members.insert(joined) }
        for node in members {
            guard latest[node]?.generation != generation || latest[node]?.members != members.sorted() else { continue }
            add(MembershipView(at: time, node: node, members: members.sorted(), generation: generation))
        }
    }

    private mutating func hello(_ node: UInt32, _ fields: PacketFields, at time: Double) {
        guard let generation = fields.number("generation"), let count = fields.number("members") else { return }
        var view = latest[node] ?? MembershipView(at: time, node: node, members: count == 1 ? [node] : [])
        view.at = time
        view.generation = generation
        if count == 1 { view.members = [node] }
        view.isQuorate = fields.number("hello.flags").map { $0 & 2 != 0 }
        guard
            view.members != latest[node]?.members || view.generation != latest[node]?.generation
                || view.isQuorate != latest[node]?.isQuorate
        else { return }
        add(view)
    }

    private mutating func remove(_ gone: UInt32, from node: UInt32, at time: Double) {
        guard var view = latest[node], view.members.contains(gone), gone != node else { return }
        view.at = time
        view.members.removeAll { $0 == gone }
        view.isQuorate = nil
        add(view)
    }

    private mutating func add(_ view: MembershipView) {
        latest[view.node] = view
        views.append(view)
    }
}
