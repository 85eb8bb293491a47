import CmanNode
import EngineKit
import Testing
import TotemNode
import WireFormat

@testable import BridgeRuntime

@Suite struct NodeConfigurationTests {
    @Test func readsALegacyMember() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "node.yaml",
            """
            protocol: cman
            cluster: alpha
            name: node1
            id: 1
            expectedVotes: 3
            address: 127.9.1.1
            port: 16809
            obeyStrangers: true
            timers: { joinWait: 500, newCluster: 500 }
            """
        )
        let node = try NodeConfiguration(contentsOf: path, name: nil)
        #expect(node.local == Endpoint("127.9.1.1:16809"))
        #expect(node.expectedVotes == 3)
        guard case .cman(let cman) = node.dialect else { throw UnexpectedDialect() }
        #expect(cman.timers.joinWait == .milliseconds(500))
        #expect(cman.timers.hello == .seconds(5))
        #expect(cman.group == nil)
        #expect(cman.obeysStrangers)
    }

    struct UnexpectedDialect: Error {}

    @Test func readsAProcessor() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "node.yaml",
            """
            protocol: corosync
            cluster: alpha
            id: 2
            transport: udp
            nodes:
              - { id: 1, name: a, address: 127.9.1.1 }
              - { id: 2, name: b, address: 127.9.1.2, votes: 2 }
            timers: { token: 400 }
            """
        )
        let node = try NodeConfiguration(contentsOf: path, name: nil)
        #expect(node.name == "b")
        #expect(node.votes == 2)
        #expect(node.expectedVotes == 3)
        #expect(node.local == Endpoint("127.9.1.2:5405"))
        guard case .corosync(let corosync) = node.dialect else { throw UnexpectedDialect() }
        #expect(corosync.timers.token == .milliseconds(400))
        #expect(corosync.timers.consensus == .milliseconds(480))
        #expect(corosync.networks.first?.group?.isMulticast == true)
    }

    @Test func takesTheFilesOfTheDaemons() throws {
        let folder = try TemporaryFolder()
        let corosync = try folder.write("corosync.conf", BridgeSettingsTests.corosyncConf)
        let node = try NodeConfiguration(contentsOf: corosync, name: "node2")
        #expect(node.id == 2)
        #expect(node.local == Endpoint("10.0.1.2:5405"))
        let nameless = #expect(throws: ConfigurationError.self) { try NodeConfiguration(contentsOf: corosync, name: nil) }
        #expect(nameless?.remedy == "give --name with one of node2, node1")
        let cluster = try folder.write("cluster.conf", BridgeSettingsTests.clusterConf.replacing("node2", with: "127.0.0.7"))
        let legacy = try NodeConfiguration(contentsOf: cluster, name: "127.0.0.7")
        #expect(legacy.id == 2)
        #expect(legacy.local == Endpoint("127.0.0.7:6809"))
        #expect(legacy.expectedVotes == 3)
    }
}
