import CmanWire
import EngineKit
import WireFormat

/// A barrier at which this node waits (reference/cman-wire.md 7).
struct Barrier: Sendable {
    var name: [UInt8]
    /// Nodes that have to come; 0 stands for all members.
    var expected: Int
    /// Ends the transition; all others are programs'.
    var isCompletion: Bool
    var deadline: Instant?
    /// This node waits too.
    var isEntered = false
    /// Nodes that wait, this one included.
    var waiting = 0
    /// Nodes that saw all others wait.
    var completed = 0
    /// This node has seen all others wait.
    var isComplete = false
}

extension CmanNode {
    /// Makes a barrier known before this node waits at it, so that others who do are counted from now on. A node that does without
    /// may miss who waited before it, and learns that all do only from the first that says so.
    public mutating func registerBarrier(name: String, count: Int) {
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty, bytes.count <= CmanBarrierMessage.maximumNameLength, barriers.count < Self.maximumBarriers,
            !barriers.contains(where: { $0.name == bytes })
        else { return }
        barriers.append(Barrier(name: bytes, expected: count, isCompletion: false))
    }

    /// Waits at a barrier until `count` nodes do, or all members when it is 0. `CmanEvent.barrier` tells how it ended. Names have at most
    /// 32 bytes; all nodes have to give the same count.
    public mutating func enterBarrier(name: String, count: Int, timeout: Interval?, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        let bytes = Array(name.utf8)
        guard role.takesPart, !bytes.isEmpty, bytes.count <= CmanBarrierMessage.maximumNameLength, barriers.count < Self.maximumBarriers,
            !barriers.contains(where: { $0.name == bytes && $0.isEntered })
        else {
            effects.report(.barrier(name: name, .aborted))
            return
        }
        startBarrier(bytes, expected: count, timeout: timeout, isCompletion: false, into: &effects)
    }

    private static var maximumBarriers: Int { 256 }

    mutating func startBarrier(_ name: [UInt8], expected: Int, timeout: Interval?, isCompletion: Bool, into effects: inout CmanEffects) {
        if isCompletion { removeBarrier(name) }
        let known = barriers.firstIndex { $0.name == name }
        let index = known ?? barriers.count
        if known == nil { barriers.append(Barrier(name: name, expected: expected, isCompletion: isCompletion)) }
        barriers[index].deadline = timeout.map { now + $0 }
        barriers[index].isEntered = true
        barriers[index].waiting += 1
        timeNextBarrier()
        sendBarrier(.wait, name, into: &effects)
        passBarrierIfPossible(index, into: &effects)
    }

    private mutating func sendBarrier(_ phase: CmanBarrierPhase, _ name: [UInt8], into effects: inout CmanEffects) {
        var message = CmanBarrierMessage()
        message.phase = phase.rawValue
        message.name = name
        send(.barrier(message), to: .everyone, into: &effects)
    }

    mutating func receiveBarrier(_ message: CmanBarrierMessage, from sender: Sender, into effects: inout CmanEffects) {
        guard role.takesPart, sender.node != nil else { return }
        let name = message.name
        guard let index = barriers.firstIndex(where: { $0.name == name }) else { return }
        switch CmanBarrierPhase(rawValue: message.phase) {
        case .wait:
            guard !barriers[index].isComplete else { return }
            barriers[index].waiting += 1
        case .complete:
            barriers[index].completed += 1
            // Who says COMPLETE has seen all WAITs, so all are there even if this node missed some.
            if !barriers[index].isComplete, barriers[index].waiting > 0 { barriers[index].waiting = expectedNodes(barriers[index]) }
        case nil:
            effects.report(.refused(.unexpected(message: "barrier", detail: "phase \(message.phase)", from: sender.endpoint)))
            return
        }
        passBarrierIfPossible(index, into: &effects)
    }

    private func expectedNodes(_ barrier: Barrier) -> Int {
        barrier.expected == 0 ? table.memberCount : barrier.expected
    }

    private mutating func passBarrierIfPossible(_ index: Int, into effects: inout CmanEffects) {
        let expected = expectedNodes(barriers[index])
        if !barriers[index].isComplete, barriers[index].waiting == expected {
            barriers[index].isComplete = true
            barriers[index].completed += 1
            sendBarrier(.complete, barriers[index].name, into: &effects)
        }
        if barriers[index].isComplete, barriers[index].completed >= expected { endBarrier(index, .completed, into: &effects) }
    }

    private mutating func endBarrier(_ index: Int, _ result: CmanBarrierResult, into effects: inout CmanEffects) {
        let barrier = barriers.remove(at: index)
        timeNextBarrier()
        if barrier.isCompletion {
            completionBarrierEnded(result, into: &effects)
        } else {
            effects.report(.barrier(name: String(decoding: barrier.name, as: UTF8.self), result))
        }
    }

    mutating func removeBarrier(_ name: [UInt8]) {
        barriers.removeAll { $0.name == name }
        timeNextBarrier()
    }

    private mutating func timeNextBarrier() {
        timers[.barrier] = barriers.lazy.compactMap(\.deadline).min()
    }

    mutating func barrierTimeout(into effects: inout CmanEffects) {
        guard let index = barriers.firstIndex(where: { $0.deadline.map { $0 <= now } ?? false }) else { return }
        endBarrier(index, .timedOut, into: &effects)
    }

    /// Barriers of programs do not outlive a transition unless they wait for all members and this is the only one.
    mutating func abortBarriersAfterTransition(into effects: inout CmanEffects) {
        for index in barriers.indices.reversed() where !barriers[index].isCompletion {
            let isReached = barriers[index].expected == 0 && table.memberCount == 1
            endBarrier(index, isReached ? .completed : .aborted, into: &effects)
        }
    }
}
