import EngineKit
import Testing
import TotemNode
import TotemWire
import WireFormat

/// Feeds a member of a working ring with what its peers sent, changed at random; whatever happens, it must not stop, and once the
/// flood ends the ring must work again.
@Test(arguments: 1...8)
func changedPacketsNeitherStopAProcessorNorBreakItsRingForGood(seed: UInt64) {
    var network = RingNetwork(nodes: [1, 2, 3], seed: seed)
    network.start(1, 2, 3)
    network.run(.seconds(5)) { $0.isRing([1, 2, 3]) }
    var random = RandomSource(seed: seed)
    var samples: [[UInt8]] = []
    network.observe { samples.append($0) }
    for number in 1...10 {
        for id: UInt32 in 1...3 { network.send("message \(number) of \(id)", from: id) }
        network.run(.milliseconds(1))
    }
    network.run(.seconds(1))
    network.send("ends the idleness", from: 2)
    network.run(.milliseconds(5))
    network.observe { _ in }
    network.crash(3)
    network.run(.seconds(5)) { $0.isRing([1, 2]) }
    network.start(3)
    network.observe { samples.append($0) }
    network.run(.seconds(5)) { $0.isRing([1, 2, 3]) }
    network.observe { _ in }
    #expect(Set(samples.map { $0[3] }).count == TotemMessageKind.allCases.count)
    guard let ring = network.node(1)?.ring.wire, let ringBytes = try? ring.bytes() else { return }
    for _ in 0..<2000 {
        var datagram = samples[Int(random.next() % UInt64(samples.count))]
        // Most are brought into the present ring, so that they are not refused at once.
        if random.next() % 4 > 0 { put(ringBytes, into: &datagram) }
        for _ in 0..<(random.next() % 4) {
            let place = 3 + Int(random.next() % UInt64(datagram.count - 3))
            datagram[place] = random.next() % 2 == 0 ? UInt8(random.next() % 8) : UInt8(truncatingIfNeeded: random.next())
        }
        if random.next() % 8 == 0 { datagram.removeLast(Int(random.next() % UInt64(datagram.count))) }
        network.inject(datagram, from: 2, to: UInt32(1 + random.next() % 3))
        if random.next() % 16 == 0 { network.send("under fire", from: UInt32(1 + random.next() % 3)) }
        network.run(.microseconds(Int64(random.next() % 2000)))
    }
    let isWhole = network.run(.seconds(60)) { $0.isRing([1, 2, 3]) }
    #expect(isWhole, "seed \(seed)")
    network.send("afterwards", from: 2)
    network.run(.seconds(2))
    for id: UInt32 in 1...3 { #expect(network.messages(of: id).contains(.message(from: 2, text: "afterwards")), "seed \(seed)") }
}

/// Writes a ring id where the message of this kind has it.
private func put(_ ring: [UInt8], into datagram: inout [UInt8]) {
    let offset: Int? =
        switch TotemMessageKind(rawValue: Int8(bitPattern: datagram[3])) {
        case .token: 29
        case .mcast: 25
        case .mergeDetect, .commitToken: 17
        case .holdCancel: 13
        case .join, nil: nil
        }
    guard let offset, offset + ring.count <= datagram.count else { return }
    datagram.replaceSubrange(offset..<offset + ring.count, with: ring)
}

@Test func datagramsOfOthersAreRefusedByName() {
    var network = RingNetwork(nodes: [1, 2, 3], seed: 1)
    network.start(1, 2, 3)
    network.run(.seconds(5)) { $0.isRing([1, 2, 3]) }
    let source = RingNetwork.endpoint(9)
    network.inject([0, 1, 2], from: 9, to: 1)
    network.inject(Array("\u{22}\u{FF} not for corosync 3".utf8), from: 9, to: 1)
    network.inject([0x70, 0xC0, 3, 1, 2], from: 9, to: 1)
    var join = MemberJoin<Corosync3>()
    join.header.type = TotemMessageKind.join.rawValue
    join.header.nodeID = 9
    join.systemFrom = Corosync3.Address(9)
    join.processors = [Corosync3.Address(9)]
    network.inject((try? join.bytes()) ?? [], from: 9, to: 1)
    #expect(
        network.refusals == [
            .foreignDialect(from: source), .foreignDialect(from: source),
            .malformed(WireError(.truncated(needed: 4, available: 0), field: "nodeid", offset: 5), from: source),
            .unknownNode(9, from: source),
        ]
    )
    #expect(network.node(1)?.counters.refused == 4)
    join.header.nodeID = 1
    join.systemFrom = Corosync3.Address(1)
    join.processors = [Corosync3.Address(1)]
    network.inject((try? join.bytes()) ?? [], from: 9, to: 1)
    #expect(network.duplicates == [source])
    #expect(network.isRing([1, 2, 3]))
}
