import Testing

@testable import BridgeRuntime

/// Three processes that speak the legacy protocol to each other over UDP.
@Suite struct LegacyNodeProcessTests {
    static let timers =
        "{ joinWait: 700, newCluster: 700, join: 5 s, hello: 500, deadNode: 3 s, transition: 5 s, duplicateJoin: 1 s, generationGrace: 1 s }"

    static func configuration(_ id: Int, _ site: LoopbackSite) -> String {
        """
        protocol: cman
        cluster: test
        name: node\(id)
        id: \(id)
        expectedVotes: 3
        address: \(site.address(id))
        port: \(site.legacyPort)
        timers: \(timers)
        """
    }

    @Test func threeMembersFormAClusterAndTalk() throws {
        let site = try LoopbackSite()
        let folder = try TemporaryFolder()
        let nodes = try (1...3).map { try NodeUnderTest("node\($0)", configuration: Self.configuration($0, site), in: folder) }
        for node in nodes {
            try node.wait("three votes") { $0.contains("quorum quorate=yes needed=2 votes=3 expected=3") }
            node.client.send("listen 11")
            node.client.send("members")
            try node.wait("members") { $0.contains("members members=1:node1,2:node2,3:node3") }
        }
        for (index, node) in nodes.enumerated() { node.client.send("burst 50 11 all from\(index + 1)") }
        nodes[0].client.send("send 11 3 hex:00ff10")
        for (index, node) in nodes.enumerated() {
            let others = (1...3).filter { $0 != index + 1 }
            let expected = 100 + (index == 2 ? 1 : 0)
            try node.wait("\(expected) messages") { $0.count { $0.hasPrefix("message ") } >= expected }
            // Per sender in order, each once, and the unicast at its target only.
            for other in others {
                let texts = node.messages.filter { $0.hasPrefix("message from=\(other) ") && $0.contains("to=0") }
                    .compactMap { $0.split(separator: "text=").last.map(String.init) }
                #expect(texts == (1...50).map { "from\(other)-\($0)" })
            }
            #expect(node.messages.count { $0.contains("to=3 length=3") } == (index == 2 ? 1 : 0))
        }
        // A burst in flight, and its sender hears of every acknowledgement.
        try nodes[0].wait("51 acknowledged") { $0.count { $0.hasPrefix("sent ") } == 51 }

        nodes[2].client.send("quit")
        try nodes[0].wait("node3 gone") { $0.contains("member-down id=3 name=node3 reason=down") }
        nodes[1].client.process.send(signal: 9)
        try nodes[0].wait("node2 dead and quorum lost") {
            $0.contains("member-down id=2 name=node2 reason=dead") && $0.contains { $0.hasPrefix("quorum quorate=no") }
        }
        nodes[0].client.process.closeInput()
        try nodes[0].wait("left") { $0.contains { $0.hasPrefix("left ") } }
    }
}
