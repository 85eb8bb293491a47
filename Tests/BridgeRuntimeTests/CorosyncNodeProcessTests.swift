import Testing

@testable import BridgeRuntime

/// Three processes that form a Totem ring over UDP.
@Suite struct CorosyncNodeProcessTests {
    static func configuration(_ id: Int, _ site: LoopbackSite, transport: String) -> String {
        """
        protocol: corosync
        cluster: test
        id: \(id)
        transport: \(transport)
        multicast: 239.192.78.1
        port: \(site.totemPort)
        nodes:
          - { id: 1, name: node1, address: \(site.address(1)) }
          - { id: 2, name: node2, address: \(site.address(2)) }
          - { id: 3, name: node3, address: \(site.address(3)) }
        timers: { token: 1500 }
        """
    }

    @Test(arguments: ["udpu", "udp"]) func threeMembersFormARingAndTalk(_ transport: String) throws {
        let site = try LoopbackSite()
        let folder = try TemporaryFolder()
        let nodes = try (1...3).map {
            try NodeUnderTest("node\($0)", configuration: Self.configuration($0, site, transport: transport), in: folder)
        }
        for node in nodes {
            try node.wait("three votes") { $0.contains("quorum quorate=yes needed=2 votes=3 expected=3") }
            node.client.send("listen 11")
            node.client.send("join clvmd")
        }
        for node in nodes {
            try node.wait("all in both groups") {
                $0.contains { $0.hasPrefix("group group=clvmd nodes=1,2,3") }
                    && $0.contains { $0.hasPrefix("group group=cman.11 nodes=1,2,3") }
            }
        }
        for (index, node) in nodes.enumerated() { node.client.send("burst 50 11 all from\(index + 1)") }
        nodes[0].client.send("send 11 3 only")
        nodes[1].client.send("send clvmd all raw")
        for (index, node) in nodes.enumerated() {
            let expected = 151 + (index == 2 ? 1 : 0)
            try node.wait("\(expected) messages") { $0.count { $0.hasPrefix("message ") } >= expected }
        }
        // One total order.
        let orders = nodes.map { $0.messages.filter { !$0.contains("to=3") } }
        #expect(orders[0] == orders[1])
        #expect(orders[1] == orders[2])
        #expect(orders[0].count == 151)
        #expect(nodes[2].messages.count { $0.contains("to=3") } == 1)

        // What is measured is counted instead of reported, and the others hear it all the same.
        nodes[0].client.send("measure clvmd 200 70000")
        try nodes[0].wait("a throughput") { $0.contains { $0.hasPrefix("measured group=clvmd count=200 size=70000 nanoseconds=") } }
        nodes[0].client.send("echo clvmd 20 100")
        try nodes[0].wait("round trips") { $0.contains { $0.hasPrefix("echoed group=clvmd count=20 size=100 minimum=") } }
        try nodes[1].wait("the messages") {
            $0.count { $0.contains("length=70000") } == 200 && $0.count { $0.contains("length=100 ") } == 20
        }
        #expect(!nodes[0].messages.contains { $0.contains("length=70000") })

        nodes[2].client.send("quit")
        try nodes[0].wait("node3 gone") { $0.contains { $0.hasPrefix("member-down id=3 ") } }
        nodes[1].client.process.send(signal: 9)
        try nodes[0].wait("node2 dead and quorum lost") {
            $0.contains { $0.hasPrefix("member-down id=2 ") } && $0.contains { $0.hasPrefix("quorum quorate=no") }
        }
    }

    @Test func aMemberThatIsKilledLeavesAndComesBackWhenTold() throws {
        let site = try LoopbackSite()
        let folder = try TemporaryFolder()
        let nodes = try (1...3).map {
            try NodeUnderTest("node\($0)", configuration: Self.configuration($0, site, transport: "udpu"), in: folder)
        }
        for node in nodes { try node.wait("three votes") { $0.contains("quorum quorate=yes needed=2 votes=3 expected=3") } }
        nodes[0].client.send("kill 3")
        try nodes[2].wait("the end") { $0.contains("killed by=1") && $0.contains("left reason=killed") }
        for node in nodes[..<2] { try node.wait("node3 gone") { $0.contains { $0.hasPrefix("member-down id=3 ") } } }
        nodes[2].client.send("start")
        for node in nodes[..<2] { try node.wait("node3 back") { $0.count { $0.hasPrefix("member-up id=3 ") } == 2 } }
    }
}
