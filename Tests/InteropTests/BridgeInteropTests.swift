import Foundation
import Testing

/// The bridge between real corosync daemons and legacy members, everything in network namespaces of its own.
///
/// Serialised: each test keeps a small cluster busy, and the machine has few cores.
@Suite(.serialized, .enabled(if: Requirements.missing == nil, Comment(rawValue: Requirements.missing ?? "")))
struct BridgeInteropTests {
    /// The header of cman on Totem in front of a payload: target port, source port, flags, source, target, all little-endian
    /// (reference/totem-services.md 7.7.1). Written out here so that the test does not share the layout with what it tests.
    private func cmanMessage(_ text: String, from source: UInt32, to target: UInt32 = 0, port: UInt8) -> [UInt8] {
        var bytes: [UInt8] = [port, port, 0, 0, 0, 0, 0, 0]
        for number in [source, target] { for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) } }
        return bytes + Array(text.utf8)
    }

    /// Text behind the header of cman on Totem, and its target.
    private func parse(_ payload: [UInt8]) -> (target: UInt32, text: String) {
        guard payload.count >= 16 else { return (UInt32.max, "") }
        let target = payload[12..<16].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return (target, String(decoding: payload[16...], as: UTF8.self))
    }

    /// Members, votes, quorum and messages on both sides; the proxies have the lowest ids of the ring.
    @Test(arguments: ["udpu", "udp"])
    func membersQuorumAndMessages(_ transport: String) throws {
        let cluster = try MixedCluster(nodes: [1, 2, 3, 4, 5], transport: transport)
        defer { cluster.end() }
        try cluster.form(legacy: [1, 2], corosync: [3, 4])
        cluster.expectEverybodySees([1, 2, 3, 4], "all four have joined")

        let one = try #require(cluster.legacy[1])
        let two = try #require(cluster.legacy[2])
        let rawThree = try cluster.client(3, group: "clvmd")
        let three = try cluster.client(3, group: "cman.13")
        let four = try cluster.client(4, group: "cman.13")

        // Broadcast and unicast, both mappings, both ways.
        try one.send("hello-raw", port: 11)
        try one.send("hello-cman", port: 13)
        try two.send("to-three", port: 13, to: 3)
        try rawThree.send(Array("from-three-raw".utf8), to: "clvmd")
        try four.send(cmanMessage("from-four-to-two", from: 4, to: 2, port: 13), to: "cman.13")
        try four.send(cmanMessage("from-four-to-all", from: 4, port: 13), to: "cman.13")
        let arrived = waitUntil(within: 20) {
            rawThree.deliveries.contains { $0.node == 1 && $0.payload == Array("hello-raw".utf8) }
                && three.deliveries.contains { $0.node == 1 && parse($0.payload) == (0, "hello-cman") }
                && three.deliveries.contains { $0.node == 2 && parse($0.payload) == (3, "to-three") }
                && two.messages.contains { $0 == .init(source: 3, port: 11, text: "from-three-raw") }
                && two.messages.contains { $0 == .init(source: 4, port: 13, text: "from-four-to-two") }
                && one.messages.contains { $0 == .init(source: 4, port: 13, text: "from-four-to-all") }
        }
        #expect(arrived, "messages did not arrive:\n\(cluster.report())\n3: \(three.deliveries)\n4: \(four.deliveries)")
        #expect(!one.messages.contains { $0.text == "from-four-to-two" }, "a unicast reached another node")
        #expect(!two.messages.contains { $0.text == "to-three" }, "a unicast reached another node")

        try exchangeInBulk(cluster, clients: [3: three, 4: four], newcomer: 5)
        cluster.expectEverybodySees([1, 2, 3, 4, 5], "node 5 has joined during the exchange")
        cluster.expectNoComplaints()
    }

    /// 1,000 messages from every member at once, both ways, while another corosync node joins: on one side the ring re-forms, on the
    /// other there is a transition.
    private func exchangeInBulk(_ cluster: MixedCluster, clients: [UInt32: CPGClient], newcomer: UInt32) throws {
        let count = 1000
        for (node, member) in cluster.legacy { try member.burst(count, prefix: "bulk\(node)", port: 13) }
        for (node, client) in clients { try client.burst(count, prefix: cmanMessage("bulk\(node)", from: node, port: 13), to: "cman.13") }
        try cluster.startCorosync(newcomer)
        let senders = Set(cluster.legacy.keys).union(clients.keys)
        let complete = waitUntil(within: 180) {
            usleep(200_000)
            return cluster.legacy.allSatisfy { node, member in
                member.messages.count { $0.text.hasPrefix("bulk") } >= count * senders.subtracting([node]).count
            } && clients.values.allSatisfy { $0.deliveries.count { parse($0.payload).text.hasPrefix("bulk") } >= count * senders.count }
        }
        #expect(complete, "not every message arrived:\n\(cluster.report())")
        let wanted = Array(1...count)
        for (node, member) in cluster.legacy {
            let messages = member.messages
            for source in senders where source != node {
                let numbers = numbers(messages.filter { $0.source == source }.map(\.text), of: source)
                #expect(numbers == wanted, "legacy \(node): messages of \(source) are lost, doubled or out of order")
            }
        }
        for (node, client) in clients {
            let deliveries = client.deliveries
            for source in senders {
                let numbers = numbers(deliveries.filter { $0.node == source }.map { parse($0.payload).text }, of: source)
                #expect(numbers == wanted, "client \(node): messages of \(source) are lost, doubled or out of order")
            }
        }
    }

    private func numbers(_ texts: [String], of source: UInt32) -> [Int] {
        let prefix = "bulk\(source)-"
        return texts.filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count)) }
    }

    /// Members come and go on both sides, in order and by force; the proxies have the lowest ids on the legacy side.
    @Test func comingsAndGoings() throws {
        let cluster = try MixedCluster(nodes: [1, 2, 3, 4], transport: "udpu")
        defer { cluster.end() }
        try cluster.form(legacy: [3, 4], corosync: [1, 2])
        let everybody: Set<UInt32> = [1, 2, 3, 4]
        cluster.expectEverybodySees(everybody, "formed")

        try cluster.endLegacy(4) { try $0.leave() }
        cluster.expectEverybodySees([1, 2, 3], "legacy member 4 has left")
        try cluster.startLegacy(4)
        cluster.expectEverybodySees(everybody, "legacy member 4 is back")

        try cluster.endLegacy(4) { $0.kill() }
        cluster.expectEverybodySees([1, 2, 3], "legacy member 4 was killed")
        try cluster.startLegacy(4)
        cluster.expectEverybodySees(everybody, "legacy member 4 is back after its death")

        try cluster.endCorosync(2) { $0.stop() }
        cluster.expectEverybodySees([1, 3, 4], "corosync node 2 has stopped")
        try cluster.startCorosync(2)
        cluster.expectEverybodySees(everybody, "corosync node 2 is back")

        // The ring takes longer to re-form than a legacy sender waits for an acknowledgement: nobody else may be lost.
        let three = try #require(cluster.legacy[3])
        try three.burst(200, prefix: "outstanding", port: 13)
        try cluster.endCorosync(2) { $0.kill() }
        cluster.expectEverybodySees([1, 3, 4], "corosync node 2 was killed")
        for (node, member) in cluster.legacy { #expect(member.departure == nil, "legacy member \(node) lost its membership") }
        let four = try #require(cluster.legacy[4])
        #expect(
            waitUntil(within: 30) { four.messages.filter { $0.text.hasPrefix("outstanding") }.count == 200 },
            "legacy broadcasts were lost while the ring re-formed"
        )
        try cluster.startCorosync(2)
        cluster.expectEverybodySees(everybody, "corosync node 2 is back after its death")

        // One step of an upgrade, and back.
        try cluster.endLegacy(4) { try $0.leave() }
        try cluster.startCorosync(4)
        cluster.expectEverybodySees(everybody, "node 4 has moved to Totem")
        let client = try cluster.client(4, group: "cman.13")
        try client.send(cmanMessage("from the upgraded node", from: 4, port: 13), to: "cman.13")
        #expect(waitUntil(within: 20) { three.messages.contains { $0.source == 4 && $0.text == "from the upgraded node" } })
        try cluster.endCorosync(4) { $0.stop() }
        try cluster.startLegacy(4)
        cluster.expectEverybodySees(everybody, "node 4 has moved back")
        cluster.expectNoComplaints()
    }

    /// Three proxies on one side, whichever it is.
    @Test(arguments: [[1, 2, 3], [1]] as [[UInt32]])
    func threeProxies(_ legacy: [UInt32]) throws {
        let cluster = try MixedCluster(nodes: [1, 2, 3, 4], transport: "udpu")
        defer { cluster.end() }
        let corosync = cluster.nodes.filter { !legacy.contains($0) }
        try cluster.form(legacy: legacy, corosync: corosync)
        cluster.expectEverybodySees([1, 2, 3, 4], "formed")
        let client = try cluster.client(4, group: "cman.13")
        let one = try #require(cluster.legacy[1])
        // Until the bridge has asked the legacy members, nobody listens for it, and it counts what comes instead of carrying it across.
        let listeners = Set(legacy).union([4])
        #expect(waitUntil(within: 30) { listeners.isSubset(of: client.members(of: "cman.13")) }, "the proxies do not listen")
        try one.burst(100, prefix: "bulk1", port: 13)
        try client.burst(100, prefix: cmanMessage("bulk4", from: 4, port: 13), to: "cman.13")
        let arrived = waitUntil(within: 60) {
            numbers(client.deliveries.map { parse($0.payload).text }, of: 1) == Array(1...100)
                && cluster.legacy.values.allSatisfy { numbers($0.messages.map(\.text), of: 4) == Array(1...100) }
        }
        #expect(arrived, "messages are lost, doubled or out of order:\n\(cluster.report())")
        cluster.expectNoComplaints()
    }
}
