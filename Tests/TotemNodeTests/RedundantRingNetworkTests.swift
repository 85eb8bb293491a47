import EngineKit
import Testing
import TotemNode
import TotemWire

/// Whole rings over two networks of which one fails: for the processors nothing happens.
@Suite struct RedundantRingNetworkTests {
    /// Messages flow, network 1 fails for `lost`, messages flow on; then it is mended.
    private func survives<Dialect: TotemDialect>(
        _: Dialect.Type,
        _ mode: RedundantRingMode,
        seed: UInt64,
        lost: (Int) -> Set<UInt32>
    ) {
        // Where a token waits at every hop for its time to be up, five hops take longer than the loss of the token does.
        let count = 3 + Int(seed % 2)
        var network = RedundantRingNetwork<Dialect>(count, mode, seed: seed)
        expect(network.run(.seconds(10)) { $0.isRing }, seed)
        var sent = 0
        func send(_ rounds: Int) {
            for _ in 0..<rounds {
                sent += 1
                for id in network.ids { network.send("\(id)#\(sent)", from: id) }
                _ = network.run(.milliseconds(30))
            }
        }
        send(20)
        let rings = network.rings
        network.cut[1] = lost(count)
        send(20)
        // Whoever shares the network with a processor that lost it may find it faulty, or not: in passive replication only who lacks tokens.
        expect(network.run(.seconds(60)) { !$0.faulty(1).isEmpty }, seed)
        send(20)
        expect(network.run(.seconds(30)) { network in network.ids.allSatisfy { network.delivered[$0]?.count == sent * count } }, seed)
        #expect(network.faulty(0) == [], "seed \(seed)")
        network.cut[1] = []
        if Dialect.generation == .openais080 { network.reenable() }
        expect(network.run(.seconds(30)) { $0.faulty(1).isEmpty }, seed)
        send(20)
        expect(network.run(.seconds(30)) { network in network.ids.allSatisfy { network.delivered[$0]?.count == sent * count } }, seed)
        _ = network.run(.seconds(5))
        #expect(network.faulty(1) == [], "seed \(seed)")
        // One ring all the time, and one order.
        #expect(network.rings == rings, "seed \(seed)")
        #expect(network.refusals == [], "seed \(seed)")
        for id in network.ids { #expect(network.delivered[id] == network.delivered[1], "seed \(seed)") }
    }

    /// As `#expect`, for calls that change the network.
    private func expect(_ condition: Bool, _ seed: UInt64, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(condition, "seed \(seed)", sourceLocation: sourceLocation)
    }

    @Test(arguments: [RedundantRingMode.passive, .active], 1...2)
    func aNetworkFailsForAll(mode: RedundantRingMode, seed: Int) {
        survives(OpenAIS080.self, mode, seed: UInt64(seed)) { Set((1...$0).map { UInt32($0) }) }
        survives(Corosync1.self, mode, seed: UInt64(seed)) { Set((1...$0).map { UInt32($0) }) }
        survives(Corosync2.self, mode, seed: UInt64(seed)) { Set((1...$0).map { UInt32($0) }) }
    }

    @Test(arguments: [RedundantRingMode.passive, .active], 1...2)
    func aNetworkFailsForOne(mode: RedundantRingMode, seed: Int) {
        survives(OpenAIS080.self, mode, seed: UInt64(seed)) { _ in [2] }
        survives(Corosync1.self, mode, seed: UInt64(seed)) { _ in [2] }
        survives(Corosync2.self, mode, seed: UInt64(seed)) { _ in [2] }
    }

    /// Both networks lose packets; messages arrive all the same, in one order.
    @Test(arguments: [RedundantRingMode.passive, .active], 1...4)
    func lossOnBothNetworksIsRepaired(mode: RedundantRingMode, seed: Int) {
        var network = RedundantRingNetwork<Corosync2>(3, mode, seed: UInt64(seed))
        expect(network.run(.seconds(10)) { $0.isRing }, UInt64(seed))
        network.lossPercentage = [3, 3]
        for number in 1...40 {
            for id in network.ids { network.send("\(id)#\(number)", from: id) }
            _ = network.run(.milliseconds(50))
        }
        network.lossPercentage = [0, 0]
        expect(network.run(.seconds(60)) { network in network.ids.allSatisfy { network.delivered[$0]?.count == 120 } }, UInt64(seed))
        for id in network.ids { #expect(network.delivered[id] == network.delivered[1], "seed \(seed)") }
    }
}
