import ClusterServices
import EngineKit
import Testing
import TotemNode
import TotemWire
import WireFormat

@Suite struct ProcessGroups {
    private func cluster(seed: UInt64) -> ClusterNetwork {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: seed)
        network.start(1, 2, 3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        return network
    }

    @Test func theOrderOfMessagesIsTheSameEverywhere() {
        for seed in 20..<24 as Range<UInt64> {
            var network = cluster(seed: seed)
            for id in 1...3 as ClosedRange<UInt32> { network.join("g", id) }
            network.run(.seconds(1))
            network.lossPercentage = seed % 2 * 5
            for number in 0..<100 {
                for id in 1...3 as ClosedRange<UInt32> { network.send("\(id) \(number)", to: "g", from: id) }
            }
            #expect(network.run(.seconds(60)) { network in (1...3).allSatisfy { network.deliveries[$0]?.count == 300 } }, "seed \(seed)")
            #expect(network.deliveries[1] == network.deliveries[2], "seed \(seed)")
            #expect(network.deliveries[1] == network.deliveries[3], "seed \(seed)")
            for id in 1...3 as ClosedRange<UInt32> {
                let own = network.deliveries[1]?.filter { $0.sender.node == id }.map { String(decoding: $0.payload, as: UTF8.self) }
                #expect(own == (0..<100).map { "\(id) \($0)" }, "seed \(seed)")
            }
        }
    }

    @Test func onlyNodesWithAProcessInTheGroupAreTold() {
        var network = cluster(seed: 30)
        network.join("g", 1)
        network.join("g", 2)
        network.run(.seconds(1))
        network.send("for g", to: "g", from: 1)
        network.send("for h", to: "h", from: 1)
        network.run(.seconds(1))
        #expect(network.deliveries[1]?.map(\.group) == ["g"])
        #expect(network.deliveries[2]?.map(\.group) == ["g"])
        #expect(network.deliveries[3] == nil)
    }

    @Test func aSenderWithoutAProcessInTheGroupIsRefused() {
        var network = cluster(seed: 31)
        network.join("g", 1)
        network.run(.seconds(1))
        network.send("stranger", to: "g", from: 2)
        network.run(.seconds(1))
        #expect(network.deliveries[1] == nil)
        #expect(network.refusals == [.unknownSender(group: "g", from: CPGProcess(node: 2, pid: 100))])
    }

    @Test func processesComeAndGo() {
        var network = cluster(seed: 32)
        network.join("g", 1)
        network.run(.seconds(1))
        network.join("g", 2, pid: 7)
        network.run(.seconds(1))
        network.perform(2) { #expect($0.leave(group: "g", pid: 7, at: $1, into: &$2)) }
        network.perform(2) { #expect(!$0.leave(group: "g", pid: 7, at: $1, into: &$2)) }
        network.run(.seconds(1))
        let one = CPGProcess(node: 1, pid: 100)
        let two = CPGProcess(node: 2, pid: 7)
        let expected = [
            CPGMembership(group: "g", members: [one], joined: [.init(process: one, reason: .join)], left: []),
            CPGMembership(group: "g", members: [one, two], joined: [.init(process: two, reason: .join)], left: []),
            CPGMembership(group: "g", members: [one], joined: [], left: [.init(process: two, reason: .leave)]),
        ]
        for id in 1...3 as ClosedRange<UInt32> { #expect(network.changes(of: "g", at: id) == expected) }
    }

    @Test func processesOfADeadNodeLeave() {
        var network = cluster(seed: 33)
        network.join("a", 1)
        network.join("a", 3)
        network.join("b", 3, pid: 5)
        network.run(.seconds(1))
        network.crash(3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        for id in 1...2 as ClosedRange<UInt32> {
            #expect(network.changes(of: "a", at: id).last?.left == [.init(process: CPGProcess(node: 3, pid: 100), reason: .nodeDown)])
            #expect(network.changes(of: "b", at: id).last?.left == [.init(process: CPGProcess(node: 3, pid: 5), reason: .nodeDown)])
            #expect(network[id]?.processes(in: "a") == [CPGProcess(node: 1, pid: 100)])
            #expect(network[id]?.processes(in: "b") == [])
        }
    }

    @Test func aLateNodeLearnsWhoIsThere() {
        var network = ClusterNetwork(nodes: [1, 2, 3], seed: 34)
        network.start(1, 2)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) })
        network.join("g", 1)
        network.join("g", 2, pid: 9)
        network.join("h", 2, pid: 8)
        network.run(.seconds(1))
        network.start(3)
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        #expect(network[3]?.processes(in: "g") == [CPGProcess(node: 1, pid: 100), CPGProcess(node: 2, pid: 9)])
        #expect(network[3]?.processes(in: "h") == [CPGProcess(node: 2, pid: 8)])
        let reasons = Set(network.changes(of: "g", at: 3).flatMap(\.joined).map(\.reason))
        #expect(reasons == [.nodeUp])
        network.join("g", 3)
        network.run(.seconds(1))
        network.send("hello", to: "g", from: 1)
        network.run(.seconds(1))
        #expect(network.deliveries[3]?.map(\.payload) == [Array("hello".utf8)])
    }

    @Test func aProcessThatLeftDuringAPartitionIsFoundOut() {
        var network = cluster(seed: 35)
        network.join("g", 1)
        network.join("g", 3)
        network.join("g", 3, pid: 200)
        network.run(.seconds(1))
        network.passes = { ($0 == 3) == ($1 == 3) }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2) && $0.isCluster(3) })
        network.perform(3) { $0.leave(group: "g", pid: 200, at: $1, into: &$2) }
        network.passes = { _, _ in true }
        #expect(network.run(.seconds(30)) { $0.isCluster(1, 2, 3) })
        network.run(.seconds(1))
        let expected = [CPGProcess(node: 1, pid: 100), CPGProcess(node: 3, pid: 100)]
        for id in 1...3 as ClosedRange<UInt32> { #expect(network[id]?.processes(in: "g") == expected) }
    }

    @Test(arguments: [100_000, (1 << 20) - 1024, (1 << 20) - 1023, 1 << 20]) func largeMessagesArriveWhole(_ count: Int) {
        var network = cluster(seed: 36)
        network.join("g", 1)
        network.join("g", 2)
        network.run(.seconds(1))
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        #expect(network.send(payload, to: "g", from: 1) == nil)
        network.send("after", to: "g", from: 1)
        #expect(network.run(.seconds(30)) { $0.deliveries[2]?.count == 2 && $0.deliveries[1]?.count == 2 })
        for id in 1...2 as ClosedRange<UInt32> {
            #expect(network.deliveries[id]?.first?.payload == payload)
            #expect(network.deliveries[id]?.last?.payload == Array("after".utf8))
        }
    }

    @Test func messagesAcrossAChangeOfTheRingArriveOnceAndInOrder() {
        for seed in 40..<44 as Range<UInt64> {
            var network = cluster(seed: seed)
            network.join("g", 1)
            network.join("g", 2)
            network.run(.seconds(1))
            for number in 0..<300 {
                #expect(network.send("\(number) " + String(repeating: "x", count: 3000), to: "g", from: 1) == nil, "seed \(seed)")
                if number == 50 { network.run(.microseconds(Int64(seed) * 37)) }
                if number == 100 { network.crash(3) }
            }
            #expect(network.run(.seconds(60)) { $0.deliveries[2]?.count == 300 }, "seed \(seed)")
            let numbers = network.deliveries[2]?.map { String(decoding: $0.payload.prefix { $0 != 32 }, as: UTF8.self) }
            #expect(numbers == (0..<300).map { "\($0)" }, "seed \(seed)")
            #expect(network.deliveries[1] == network.deliveries[2], "seed \(seed)")
        }
    }

    @Test func largeMessagesSurviveTheEndOfASynchronisationUnderLoss() {
        // A packet that comes late brings the last barrier and what was said after it at once.
        for seed in 60..<64 as Range<UInt64> {
            var network = cluster(seed: seed)
            for id in 1...3 as ClosedRange<UInt32> { network.join("g", id) }
            network.run(.seconds(1))
            network.crash(3)
            for number in 0..<20 {
                for id in 1...2 as ClosedRange<UInt32> {
                    network.send("\(id) \(number) " + String(repeating: "x", count: 5000), to: "g", from: id)
                }
            }
            network.start(3)
            network.lossPercentage = 15
            #expect(network.run(.seconds(120)) { network in (1...2).allSatisfy { network.deliveries[$0]?.count == 40 } }, "seed \(seed)")
            #expect(network.deliveries[1] == network.deliveries[2], "seed \(seed)")
            #expect(network.refusals(at: 1) == [], "seed \(seed)")
            #expect(network.refusals(at: 2) == [], "seed \(seed)")
        }
    }

    /// The clients lie in a set, whose order is another one in every process.
    @Test func aStoppingNodeLeavesItsGroupsInTheOrderOfTheirNames() {
        var stack = ServiceStack(configuration: ProcessorConfiguration(nodeID: 1, nodes: [1]))
        let names = ["delta", "alpha", "hotel", "bravo", "golf", "charlie", "foxtrot", "echo"]
        for name in names { _ = CPGName(name.utf8).map { stack.join($0, pid: 7) } }
        stack.clientMessages.drain { _, _, _ in true }
        stack.leave()
        var left: [String] = []
        stack.clientMessages.drain { _, head, _ in
            if let message = try? CPGProcessLeave(reading: head) { left.append(message.change.groupName.description) }
            return true
        }
        #expect(left == names.sorted())
    }
}
