import ClusterServices
import EngineKit
import Testing
import TotemNode
import TotemWire

/// Whole processors of the older generations, ring and services together.
@Suite struct OlderProcessors {
    private func aClusterWorks<Dialect: TotemDialect>(_ dialect: Dialect.Type, hasQuorum: Bool) {
        var network = DialectNetwork<Dialect>(nodes: [1, 2, 3], seed: 30) { configuration in
            if !hasQuorum { configuration.quorum = nil }
        }
        network.start(1, 2, 3)
        #expect(network.run(.seconds(60)) { $0.isCluster(1, 2, 3) })
        for id in 1...3 as ClosedRange<UInt32> { network.join("g", id) }
        #expect(network.run(.seconds(10)) { network in (1...3).allSatisfy { network[$0]?.processes(in: "g").count == 3 } })
        let large = [UInt8](repeating: 5, count: 100_000)
        network.send("one", to: "g", from: 2)
        network.send(large, to: "g", from: 1)
        #expect(network.run(.seconds(10)) { network in (1...3).allSatisfy { network.deliveries[$0]?.count == 2 } })
        #expect(network.deliveries[1] == network.deliveries[3])
        if hasQuorum { for id in 1...3 as ClosedRange<UInt32> { #expect(network[id]?.quorum?.isQuorate == true) } }
        network.crash(3)
        #expect(network.run(.seconds(60)) { $0.isCluster(1, 2) })
        network.run(.seconds(1))
        #expect(network.changes(of: "g", at: 1).last?.left == [.init(process: CPGProcess(node: 3, pid: 100), reason: .nodeDown)])
        if hasQuorum { #expect(network[1]?.quorum?.totalVotes == 2) }
        // It comes back, and learns of the others.
        network.start(3)
        #expect(network.run(.seconds(60)) { $0.isCluster(1, 2, 3) })
        network.run(.seconds(1))
        #expect(network[3]?.processes(in: "g").map(\.node) == [1, 2])
        #expect(network.refusals == [])
    }

    @Test func corosync2() { aClusterWorks(Corosync2.self, hasQuorum: true) }

    @Test func corosync1() { aClusterWorks(Corosync1.self, hasQuorum: true) }

    @Test func openais() { aClusterWorks(OpenAIS080.self, hasQuorum: false) }

    @Test func cmanOnOpenais() {
        var network = DialectNetwork<OpenAIS080>(nodes: [1, 2, 3], seed: 31) { configuration in
            configuration.quorum = nil
            configuration.cman = CmanOnTotemConfiguration(.cman2, clusterName: "alpha", votes: [1: 1, 2: 1, 3: 1], joinTime: 77)
        }
        network.start(1, 2, 3)
        #expect(network.run(.seconds(60)) { network in (1...3).allSatisfy { network[$0]?.cmanMembers == [1, 2, 3] } })
        network.perform(2) { #expect($0.open(port: 11, at: $1, into: &$2)) }
        network.run(.seconds(1))
        network.perform(1) { processor, now, effects in
            [UInt8]("hello".utf8).withUnsafeBytes { try? processor.send($0, to: 2, port: 11, from: 50, at: now, into: &effects) }
        }
        network.run(.seconds(1))
        let data = (network.events[2] ?? []).filter { if case .cman(.data(1, 50, 2, 11, _)) = $0 { true } else { false } }
        #expect(data.count == 1)
        // What leaves says so, and the others count without it as soon as they have read it.
        network.perform(3) { $0.leave(at: $1, into: &$2) }
        #expect(network.run(.seconds(60)) { $0[1]?.cmanMembers == [1, 2] && $0[3]?.state == .left })
        #expect(network[1]?.cmanQuorum?.isQuorate == true)
    }

    @Test func nothingIsSaidThatAnOlderDaemonCannotRead() throws {
        var configuration = ProcessorConfiguration(nodeID: 1, nodes: [1])
        configuration.quorum = nil
        let name = try #require(CPGName("g".utf8))
        var first = ServiceStack(of: .totem2005, configuration: configuration)
        let hasJoined = first.join(name, pid: 5)
        #expect(!hasJoined)
        var openais = ServiceStack(of: .openais080, configuration: configuration)
        openais.kill(node: 2, reason: "")
        for stack in [first, openais] {
            #expect(stack.clientMessages.isEmpty)
            #expect(stack.serviceMessages.isEmpty)
        }
    }
}
