import CmanNode
import EngineKit
import Glibc
import Testing
import TotemNode
import TotemSecurity
import TotemWire
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

    private func corosync(_ text: String, in folder: TemporaryFolder) throws -> NodeConfiguration.Corosync {
        let node = try NodeConfiguration(contentsOf: try folder.write("node.yaml", text), name: nil)
        guard case .corosync(let corosync) = node.dialect else { throw UnexpectedDialect() }
        return corosync
    }

    private static let oldRing = """
        protocol: corosync
        dialect: corosync-1
        cluster: alpha
        id: 2
        corosyncConf: corosync.conf
        nodes:
          - { id: 1, name: node1, address: 10.77.2.1, secondAddress: 10.77.3.1 }
          - { id: 2, name: node2, address: 10.77.2.2, secondAddress: 10.77.3.2 }
        """

    @Test func takesTheRingFromTheFileOfAnOldDaemon() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("corosync.conf", try CorosyncConfTests.recorded("flatiron1.4-udp-rrppassive"))
        let ring = try corosync(Self.oldRing, in: folder)
        #expect(ring.generation == .corosync1 && ring.security == nil)
        #expect(ring.redundantRing.mode == .passive && ring.redundantRing.nodeID == 2)
        #expect(ring.networks.map(\.port) == [5405, 5415])
        #expect(ring.peers.map(\.addresses.last) == [IPAddress("10.77.3.1"), IPAddress("10.77.3.2")])
        let oneAddress = Self.oldRing.replacing(", secondAddress: 10.77.3.1", with: "")
        let error = #expect(throws: ConfigurationError.self) { try corosync(oneAddress, in: folder) }
        #expect(error?.problem.contains("node 1 has 1 addresses") == true)
        let twice = #expect(throws: ConfigurationError.self) { try corosync(Self.oldRing + "\nrrpMode: active", in: folder) }
        #expect(twice?.problem.contains("rrpMode") == true)
    }

    /// The daemons want 128 bytes; what others may write is not trusted.
    @Test(arguments: [(128, 0o400, nil), (128, 0o444, nil), (127, 0o400, "127 bytes"), (128, 0o622, "others may change the key")])
    func readsTheKeyOfARing(size: Int, mode: Int, problem: String?) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("authkey", String(repeating: "k", count: size))
        #expect(chmod(path, mode_t(mode)) == 0)
        let text = """
            protocol: corosync
            dialect: corosync-2
            cluster: alpha
            id: 1
            security: { keyFile: authkey, cipher: aes256, hash: sha1 }
            nodes: [{ id: 1, name: node1, address: 127.0.0.1 }]
            """
        guard let problem else {
            let ring = try corosync(text, in: folder)
            #expect(ring.security?.scheme == SecurityScheme(.corosync23, cipher: .aes256, hash: .sha1))
            return
        }
        let error = #expect(throws: ConfigurationError.self) { try corosync(text, in: folder) }
        #expect(error?.problem.contains(problem) == true, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test(arguments: [
        ("dialect: corosync-4", "corosync-4 is unknown"), ("dialect: openais-0.80\ntransport: udpu", "has no udpu"),
        ("dialect: corosync-2\nrrpMode: passive", "1 networks"), ("rrpMode: active", "not possible"),
        ("dialect: corosync-2\nsecurity: { keyFile: k, cipher: des }", "des is unknown"),
    ])
    func refusesRingsThatNoDaemonHas(_ text: String, _ problem: String) throws {
        let folder = try TemporaryFolder()
        let rest = "\nprotocol: corosync\ncluster: alpha\nid: 1\nnodes: [{ id: 1, name: node1, address: 127.0.0.1 }]\n"
        let error = #expect(throws: ConfigurationError.self) { try corosync(text + rest, in: folder) }
        #expect(error?.problem.contains(problem) == true, "\(error.map(String.init(describing:)) ?? "")")
    }
}
