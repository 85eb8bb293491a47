import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// The service stacks of the members of a ring, with a total order between them and no ring: whatever a member says is delivered to all
/// in the order in which it was said.
struct ServiceEnsemble {
    private(set) var stacks: [UInt32: ServiceStack] = [:]
    private var rings: [UInt32: [UInt32]] = [:]
    /// What every member reported.
    private(set) var events: [UInt32: [ProcessorEvent]] = [:]
    /// What every member said, the services' own messages before those of clients.
    private(set) var said: [(sender: UInt32, message: SaidMessage)] = []

    init(_ configurations: [ProcessorConfiguration], of generation: TotemGeneration) {
        self.init(configurations.map { (generation, $0) })
    }

    init(_ members: [(TotemGeneration, ProcessorConfiguration)]) {
        for (generation, configuration) in members {
            var stack = ServiceStack(of: generation, configuration: configuration)
            var effects = ProcessorEffects()
            stack.start(into: &effects)
            stacks[configuration.totem.nodeID] = stack
        }
    }

    /// Lets a member do something.
    mutating func perform(_ node: UInt32, _ body: (inout ServiceStack, inout ProcessorEffects) -> Void) {
        guard var stack = stacks.removeValue(forKey: node) else { return }
        var effects = ProcessorEffects()
        body(&stack, &effects)
        stacks[node] = stack
        for case .event(let event) in effects.effects { events[node, default: []].append(event) }
    }

    /// A new ring of `members`; everybody who is left out has gone.
    mutating func enter(_ ring: TotemRingID, members: [UInt32]) {
        for node in members {
            let before = rings[node] ?? []
            let transitional = members.filter { before.contains($0) && rings[$0] == before }
            perform(node) { stack, effects in
                for configuration in TotemMembership.change(to: ring, members, from: before, transitional: transitional) {
                    stack.receive(configuration, at: .zero, into: &effects)
                }
            }
        }
        for node in members { rings[node] = members }
        settle(members)
    }

    /// Delivers what is said until nobody has anything left to say.
    mutating func settle(_ members: [UInt32]) {
        var idle = 0
        while idle < 8 {
            var messages: [(sender: UInt32, message: SaidMessage)] = []
            for node in members {
                perform(node) { stack, _ in
                    stack.tokenSent()
                    messages += stack.takeMessages().map { (node, $0) }
                }
            }
            idle = messages.isEmpty ? idle + 1 : 0
            said += messages
            for (sender, message) in messages { deliver(message, from: sender, to: members) }
        }
    }

    /// Delivers `message` of `sender` to `members`.
    mutating func deliver(_ message: SaidMessage, from sender: UInt32, to members: [UInt32]) {
        for node in members { perform(node) { stack, effects in stack.take(message, from: sender, into: &effects) } }
    }
}

extension ServiceStack {
    /// What is to be multicast now.
    mutating func takeMessages() -> [SaidMessage] {
        var messages: [SaidMessage] = []
        let generation = generation
        func take(_ outbox: inout Outbox) {
            outbox.drain { group, head, payload in
                messages.append(SaidMessage(group: group, bytes: Array(head) + Array(payload), generation: generation))
                return true
            }
        }
        take(&serviceMessages)
        if isSynchronised { take(&clientMessages) }
        return messages
    }

    /// Delivers `message` of `sender`.
    mutating func take(_ message: SaidMessage, from sender: UInt32, into effects: inout ProcessorEffects) {
        message.bytes.withUnsafeBytes { bytes in
            Array(message.group.name.description.utf8).withUnsafeBytes { group in
                receive(bytes, group: group, byteOrder: message.byteOrder, from: sender, into: &effects)
            }
        }
    }
}

extension TotemMembership {
    /// The two configurations by which a member comes from a ring of `before` to `ring` of `members`, `transitional` of whom come along.
    static func change(to ring: TotemRingID, _ members: [UInt32], from before: [UInt32], transitional: [UInt32]) -> [TotemMembership] {
        return [
            TotemMembership(
                isTransitional: true,
                ring: ring,
                members: transitional,
                joined: [],
                left: before.filter { !transitional.contains($0) }
            ),
            TotemMembership(
                isTransitional: false,
                ring: ring,
                members: members,
                joined: members.filter { !transitional.contains($0) },
                left: []
            ),
        ]
    }
}
