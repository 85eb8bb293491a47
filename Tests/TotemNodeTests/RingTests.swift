import EngineKit
import Testing
import TotemNode
import WireFormat

private func ids(_ count: Int) -> [UInt32] { (1...count).map { UInt32($0) } }

private func network(_ count: Int, seed: UInt64 = 1) -> RingNetwork {
    var network = RingNetwork(nodes: ids(count), seed: seed)
    for id in ids(count) { network.start(id) }
    return network
}

/// As `#expect`, for calls that change the network.
private func expect(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}

private func text(_ node: UInt32, _ number: Int, length: Int = 20) -> String {
    let head = "n\(node)#\(number) "
    return head + String(repeating: "x", count: max(0, length - head.utf8.count))
}

@Test(arguments: [1, 2, 3, 5, 8])
func processorsFormOneRing(count: Int) {
    var network = network(count)
    expect(network.run(.seconds(5)) { $0.isRing(ids(count)) })
    for id in ids(count) {
        #expect(network.history[id]?.last == .regular(network.node(1)?.ring ?? .init(representative: 0, sequence: 0), members: ids(count)))
    }
    #expect(network.refusals == [])
}

@Test(arguments: [1, 2, 3, 5, 8])
func everyoneDeliversTheSameOrder(count: Int) {
    var network = network(count)
    expect(network.run(.seconds(5)) { $0.isRing(ids(count)) })
    for number in 1...40 {
        for id in ids(count) { expect(network.send(text(id, number, length: 10 + 37 * number), from: id)) }
        if number % 10 == 0 { network.run(.milliseconds(2)) }
    }
    expect(network.run(.seconds(5)) { network in ids(count).allSatisfy { network.messages(of: $0).count == 40 * count } })
    let order = network.messages(of: 1)
    for id in ids(count) {
        #expect(network.messages(of: id) == order)
        let own = order.filter { if case .message(id, _) = $0 { true } else { false } }
        #expect(own == (1...40).map { .message(from: id, text: text(id, $0, length: 10 + 37 * $0)) })
    }
}

@Test(arguments: 1...10)
func lossIsRepaired(seed: UInt64) {
    var network = network(3, seed: seed)
    expect(network.run(.seconds(10)) { $0.isRing(ids(3)) })
    network.lossPercentage = 10
    for number in 1...60 {
        for id in ids(3) { network.send(text(id, number, length: 200), from: id) }
        network.run(.milliseconds(20))
    }
    network.lossPercentage = 0
    expect(network.run(.seconds(30)) { network in network.isRing(ids(3)) })
    network.run(.seconds(5))
    expectExtendedVirtualSynchrony(network, ids(3), seed)
    // Whoever stayed with the others all the time has everything.
    let formed = (network.history[1] ?? []).filter { if case .regular(_, ids(3)) = $0 { true } else { false } }
    if formed.count == 1 { #expect(network.messages(of: 1).count == 180) }
}

@Test func aCrashLeadsToARingOfTheOthers() {
    var network = network(3)
    expect(network.run(.seconds(5)) { $0.isRing(ids(3)) })
    for number in 1...20 { network.send(text(3, number), from: 3) }
    network.run(.milliseconds(1))
    network.crash(3)
    for number in 1...20 { network.send(text(1, number), from: 1) }
    let begin = network.now
    expect(network.run(.seconds(10)) { $0.isRing([1, 2]) })
    // About token + consensus (reference/totem-engine.md 8).
    #expect((network.now - begin).milliseconds < 3000)
    network.run(.seconds(1))
    expectExtendedVirtualSynchrony(network, ids(3), 0)
    #expect(network.messages(of: 1).filter { if case .message(1, _) = $0 { true } else { false } }.count == 20)
}

@Test func aLeaveNeedsNoTokenLoss() {
    var network = network(3)
    expect(network.run(.seconds(5)) { $0.isRing(ids(3)) })
    network.leave(3)
    let begin = network.now
    expect(network.run(.seconds(10)) { $0.isRing([1, 2]) })
    #expect((network.now - begin).milliseconds < 900)
    #expect(network.node(1)?.counters.tokenLosses == 0)
}

@Test func aProcessorThatRestartsComesBack() {
    var network = network(3)
    expect(network.run(.seconds(5)) { $0.isRing(ids(3)) })
    network.crash(1)
    network.run(.milliseconds(30))
    network.start(1)
    expect(network.run(.seconds(10)) { $0.isRing(ids(3)) })
    network.leave(2)
    network.run(.seconds(3))
    network.start(2)
    expect(network.run(.seconds(10)) { $0.isRing(ids(3)) })
    network.send("after", from: 2)
    network.run(.seconds(1))
    #expect(ids(3).allSatisfy { network.messages(of: $0).contains(.message(from: 2, text: "after")) })
}

@Test(arguments: 1...10)
func ringsThatWerePartedMerge(seed: UInt64) {
    var network = network(5, seed: seed)
    expect(network.run(.seconds(5)) { $0.isRing(ids(5)) })
    for id in ids(5) { for number in 1...10 { network.send(text(id, number, length: 500), from: id) } }
    network.run(.microseconds(Int64(seed) * 150))
    network.passes = { source, target, _ in (source <= 2) == (target <= 2) }
    expect(network.run(.seconds(10)) { $0.isRing([1, 2]) && $0.isRing([3, 4, 5]) })
    for id in ids(5) { for number in 11...20 { network.send(text(id, number), from: id) } }
    network.run(.milliseconds(500))
    network.passes = { _, _, _ in true }
    expect(network.run(.seconds(10)) { $0.isRing(ids(5)) })
    network.run(.seconds(1))
    expectExtendedVirtualSynchrony(network, ids(5), seed)
}

@Test func largeMessagesAreSplitAndPutTogether() {
    var network = network(3)
    expect(network.run(.seconds(5)) { $0.isRing(ids(3)) })
    let lengths = Array(1385...1405) + [1, 2795, 2796, 5000, 100_000, 0, 3]
    for (number, length) in lengths.enumerated() {
        network.send(text(1, number, length: length), from: 1)
        network.send(text(3, number, length: length), from: 3)
    }
    network.send(String(repeating: "y", count: 1 << 20), from: 2)
    expect(network.run(.seconds(10)) { network in ids(3).allSatisfy { network.messages(of: $0).count == 2 * lengths.count + 1 } })
    #expect(network.messages(of: 1) == network.messages(of: 2))
    #expect(network.messages(of: 1) == network.messages(of: 3))
    #expect(network.messages(of: 2).contains(.message(from: 2, text: String(repeating: "y", count: 1 << 20))))
    expect(!network.send(String(repeating: "z", count: 1 << 20 + 1), from: 2))
}

@Test func messagesThatOnlyOneSurvivorHasAreRecovered() {
    var network = network(3)
    expect(network.run(.seconds(5)) { $0.isRing(ids(3)) })
    // Node 2 misses every message of node 1 (longer than a token), then node 1 dies: only node 3 has them.
    network.passes = { source, target, bytes in !(target == 2 && bytes.count > 300) }
    for number in 1...6 { network.send(text(1, number, length: 700), from: 1) }
    expect(network.run(.seconds(1)) { $0.messages(of: 3).count == 6 })
    #expect(network.messages(of: 2).isEmpty)
    network.crash(1)
    network.passes = { _, _, _ in true }
    expect(network.run(.seconds(10)) { $0.isRing([2, 3]) })
    expectExtendedVirtualSynchrony(network, ids(3), 0)
    #expect(network.messages(of: 2) == (1...6).map { .message(from: 1, text: text(1, $0, length: 700)) })
}

@Test func sequenceNumbersRollOver() {
    var network = RingNetwork(nodes: ids(3), seed: 1)
    network.messageSequenceStart = .max - 100
    network.start(1, 2, 3)
    expect(network.run(.seconds(5)) { $0.isRing(ids(3)) })
    for number in 1...300 {
        network.send(text(UInt32(number % 3 + 1), number, length: 1200), from: UInt32(number % 3 + 1))
        network.run(.microseconds(100))
    }
    expect(network.run(.seconds(5)) { network in ids(3).allSatisfy { network.messages(of: $0).count == 300 } })
    #expect(network.messages(of: 1) == network.messages(of: 2))
    network.crash(1)
    expect(network.run(.seconds(10)) { $0.isRing([2, 3]) })
}

@Test func anIdleRingHoldsItsTokenAndStaysTogether() {
    var network = network(3)
    expect(network.run(.seconds(5)) { $0.isRing(ids(3)) })
    network.run(.seconds(1))
    let before = network.datagramsSent
    network.run(.seconds(60))
    #expect(network.isRing(ids(3)))
    // One rotation of three hops and one merge detect to two nodes per hold interval of 180 ms, not full speed.
    #expect(network.datagramsSent - before < 60 * 6 * 6)
    network.send("wake", from: 2)
    expect(network.run(.milliseconds(5)) { network in ids(3).allSatisfy { network.messages(of: $0).count == 1 } })
}

/// Checks what extended virtual synchrony promises about the histories: processors that go together from one regular configuration
/// to the next deliver the same in between, each sender's messages come in order, and none twice.
private func expectExtendedVirtualSynchrony(_ network: RingNetwork, _ nodes: [UInt32], _ seed: UInt64) {
    struct Step: Hashable {
        var from: TotemRingID?
        var to: TotemRingID
        var together: [UInt32]
    }
    var deliveries: [Step: [UInt32: [RingNetwork.Delivery]]] = [:]
    for node in nodes {
        let history = network.history[node] ?? []
        #expect(Set(network.messages(of: node)).count == network.messages(of: node).count, "seed \(seed): node \(node) delivers twice")
        var ring: TotemRingID?
        var together: [UInt32] = []
        var span: [RingNetwork.Delivery] = []
        for delivery in history {
            switch delivery {
            case .message: span.append(delivery)
            case .transitional(_, let members):
                span.append(delivery)
                together = members
            case .regular(let next, _):
                deliveries[Step(from: ring, to: next, together: together), default: [:]][node] = span
                ring = next
                span = []
            }
        }
    }
    for (step, spans) in deliveries where !step.together.isEmpty {
        #expect(Set(spans.keys).isSubset(of: Set(step.together)), "seed \(seed)")
        for (node, span) in spans {
            #expect(span == spans.first?.value, "seed \(seed): \(node) from \(step.from?.description ?? "-") to \(step.to)")
        }
    }
}
