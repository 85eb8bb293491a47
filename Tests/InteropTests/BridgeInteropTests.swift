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

    @Test(arguments: ["udpu", "udp"])
    func membersQuorumAndMessages(_ transport: String) throws {
        let cluster = try MixedCluster(nodes: [1, 2, 3, 4], transport: transport)
        defer { cluster.end() }
        for node: UInt32 in [1, 2] { try cluster.startLegacy(node) }
        #expect(waitUntil(within: 60) { (try? cluster.legacy[1]?.members()) == [1, 2] && (try? cluster.legacy[2]?.members()) == [1, 2] })
        try cluster.startBridge()
        for node: UInt32 in [3, 4] { try cluster.startCorosync(node) }
        cluster.expectEverybodySees([1, 2, 3, 4], "all four have joined")

        let one = try #require(cluster.legacy[1])
        let two = try #require(cluster.legacy[2])
        let three = try cluster.client(3, groups: ["clvmd", "cman.13"])
        let four = try cluster.client(4, groups: ["clvmd", "cman.13"])

        // Broadcast and unicast, both mappings, both ways.
        try one.send("hello-raw", port: 11)
        try one.send("hello-cman", port: 13)
        try two.send("to-three", port: 13, to: 3)
        try three.send(Array("from-three-raw".utf8), to: "clvmd")
        try four.send(cmanMessage("from-four-to-two", from: 4, to: 2, port: 13), to: "cman.13")
        try four.send(cmanMessage("from-four-to-all", from: 4, port: 13), to: "cman.13")
        let arrived = waitUntil(within: 20) {
            three.deliveries.contains { $0.group == "clvmd" && $0.node == 1 && $0.payload == Array("hello-raw".utf8) }
                && three.deliveries.contains { $0.group == "cman.13" && $0.node == 1 && parse($0.payload) == (0, "hello-cman") }
                && three.deliveries.contains { $0.group == "cman.13" && $0.node == 2 && parse($0.payload) == (3, "to-three") }
                && two.messages.contains { $0 == .init(source: 3, port: 11, text: "from-three-raw") }
                && two.messages.contains { $0 == .init(source: 4, port: 13, text: "from-four-to-two") }
                && one.messages.contains { $0 == .init(source: 4, port: 13, text: "from-four-to-all") }
        }
        #expect(arrived, "messages did not arrive:\n\(cluster.report())\n3: \(three.deliveries)\n4: \(four.deliveries)")
        #expect(!one.messages.contains { $0.text == "from-four-to-two" }, "a unicast reached another node")
        #expect(!two.messages.contains { $0.text == "to-three" }, "a unicast reached another node")

        try exchangeInBulk(cluster, clients: [3: three, 4: four])
        cluster.expectNoComplaints()
    }

    /// 1,000 messages from every member at once, both ways, while a corosync node comes and goes: on one side the ring re-forms, on
    /// the other there is a transition.
    private func exchangeInBulk(_ cluster: MixedCluster, clients: [UInt32: CPGClient]) throws {
        let count = 1000
        for (node, member) in cluster.legacy { try member.burst(count, prefix: "bulk\(node)#", port: 13) }
        for (node, client) in clients { try client.burst(count, prefix: cmanMessage("bulk\(node)", from: node, port: 13), to: "cman.13") }
        usleep(300_000)
        // A ring without one of the proxies: legacy member 2 dies on the legacy side too.
        let expected = Set(cluster.legacy.keys).union(clients.keys)
        func numbers(_ texts: [String], of source: UInt32) -> [Int] {
            texts.filter { $0.hasPrefix("bulk\(source)#") }.compactMap { Int($0.dropFirst("bulk\(source)#".count)) }
        }
        let complete = waitUntil(within: 120) {
            let legacyDone = cluster.legacy.allSatisfy { node, member in
                let texts = member.messages
                return expected.subtracting([node]).allSatisfy { source in
                    texts.filter { $0.source == source && $0.text.hasPrefix("bulk") }.count >= count
                }
            }
            let clientsDone = clients.allSatisfy { _, client in
                let deliveries = client.deliveries
                return expected.allSatisfy { source in
                    deliveries.filter { $0.node == source && parse($0.payload).text.hasPrefix("bulk") }.count >= count
                }
            }
            return legacyDone && clientsDone
        }
        #expect(complete, "not every message arrived:\n\(cluster.report())")
        for (node, member) in cluster.legacy {
            for source in expected where source != node {
                let order = numbers(member.messages.filter { $0.source == source }.map(\.text), of: source)
                #expect(order == Array(0..<count), "legacy \(node): messages of \(source) are lost, doubled or out of order")
            }
        }
        for (node, client) in clients {
            for source in expected {
                let order = numbers(client.deliveries.filter { $0.node == source }.map { parse($0.payload).text }, of: source)
                #expect(order == Array(0..<count), "client \(node): messages of \(source) are lost, doubled or out of order")
            }
        }
    }
}
