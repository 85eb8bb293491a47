import EngineKit
import TotemWire

/// A barrier that a program of this node has registered.
struct CmanOnTotemBarrierState: Sendable {
    /// How many nodes must wait at it; 0 for as many as there are members.
    var expected: Int
    /// How many WAITs were seen.
    var waiting = 0
    /// Whether this node has said that it waits.
    var isWaiting = false
    /// Whether enough nodes wait and COMPLETE was sent.
    var isFull = false
}

/// Barriers (barrier.c:74-218@cman2): every node that has one registered counts the WAITs it sees; those that count enough say that it is
/// complete, and the first to say so ends it everywhere.
extension CmanOnTotemService {
    /// Most barriers that programs of this node may have registered.
    static let barrierLimit = 1024
    /// MSG_TOTEM_SAFE, which no Totem acts on (ais-behaviour.md 1).
    private static let safeFlag: UInt32 = 0x0200_0000

    /// Members, those that are about to leave included.
    private var memberCount: Int { nodes.values.reduce(0) { $1.state == .member || $1.state == .leaving ? $0 + 1 : $0 } }

    mutating func receive(
        _ message: CmanOnTotemBarrier,
        from sender: UInt32,
        into outbox: inout Outbox,
        _ effects: inout ProcessorEffects
    ) {
        let name = (0..<33).prefix { message.name.bytes[$0] != 0 }.map { message.name.bytes[$0] }
        guard nodes[sender] != nil, var barrier = barriers[name] else { return }
        switch CmanOnTotemBarrier.Operation(rawValue: message.subcmd) {
        case .wait:
            guard !barrier.isFull else { return }
            barrier.waiting += 1
            if barrier.waiting == (barrier.expected == 0 ? memberCount : barrier.expected) {
                barrier.isFull = true
                say(.complete, name, into: &outbox)
            }
            barriers[name] = barrier
        case .complete:
            barriers[name] = nil
            if barrier.isWaiting { effects.report(.cman(.barrier(String(decoding: name, as: UTF8.self)))) }
        case .register, .change, nil:
            break
        }
    }

    /// A program registers barrier `name` for `nodes` nodes, 0 for all members; false when there is one with another number, the name has no
    /// byte or more than 32, or there are too many.
    package mutating func register(barrier name: String, nodes count: Int) -> Bool {
        let name = Array(name.utf8)
        guard !name.isEmpty, name.count <= 32, count >= 0 else { return false }
        if let known = barriers[name] { return known.expected == count }
        guard barriers.count < Self.barrierLimit else { return false }
        barriers[name] = CmanOnTotemBarrierState(expected: count)
        return true
    }

    /// The program waits at barrier `name`; false when it is not registered. Its completion comes as an event.
    package mutating func wait(barrier name: String, into outbox: inout Outbox) -> Bool {
        let name = Array(name.utf8)
        guard let barrier = barriers[name] else { return false }
        guard !barrier.isWaiting else { return true }
        barriers[name]?.isWaiting = true
        say(.wait, name, into: &outbox)
        return true
    }

    private func say(_ operation: CmanOnTotemBarrier.Operation, _ name: [UInt8], into outbox: inout Outbox) {
        guard let barrier = CmanOnTotemBarrier(operation, name: name, of: generation) else { return }
        say(.barrier(barrier), flags: Self.safeFlag, into: &outbox)
    }
}
