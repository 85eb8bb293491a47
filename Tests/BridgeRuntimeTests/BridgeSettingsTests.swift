import CmanNode
import EngineKit
import Sides
import Testing
import WireFormat

@testable import BridgeRuntime

@Suite struct BridgeSettingsTests {
    static let yaml = """
        cluster: alpha
        legacy:
          clusterConf: cluster.conf
          interface: eth1
          addresses: { node1: 10.0.0.1, node2: 10.0.0.2 }
          timers: { hello: 2 s, retransmit: 500 }
        totem: { corosyncConf: corosync.conf, interface: eth2 }
        ports:
          11: { group: clvmd, mapping: raw }
          20: {}
        manageAddresses: true
        state: alpha.state
        """
    static let clusterConf = """
        <cluster name="alpha" config_version="3">
          <clusternodes>
            <clusternode name="node1" votes="1"/>
            <clusternode name="node2" votes="2" nodeid="2"/>
          </clusternodes>
        </cluster>
        """
    static let corosyncConf = """
        totem {
          version: 2
          transport: udpu
        }
        nodelist {
          node {
            nodeid: 2
            name: node2
            ring0_addr: 10.0.1.2
          }
          node {
            nodeid: 1
            name: node1
            ring0_addr: 10.0.1.1
          }
        }
        """

    @Test func strangersAreObeyedOnlyWhereThatIsWritten() throws {
        let folder = try TemporaryFolder()
        let state = try StateFile(path: "\(folder.path)/state")
        #expect(try !Self.read().engineConfiguration(state: state).cman.obeysStrangers)
        let open = Self.yaml.replacing("interface: eth1", with: "obeyStrangers: true")
        #expect(try Self.read(yaml: open).engineConfiguration(state: state).cman.obeysStrangers)
    }

    static func read(
        yaml: String = yaml,
        clusterConf: String = clusterConf,
        corosyncConf: String = corosyncConf
    ) throws -> BridgeSettings {
        let folder = try TemporaryFolder()
        try folder.write("cluster.conf", clusterConf)
        try folder.write("corosync.conf", corosyncConf)
        return try BridgeSettings(contentsOf: try folder.write("bridge.yaml", yaml))
    }

    @Test func bringsTheFilesTogether() throws {
        let settings = try Self.read()
        #expect(settings.nodes.map(\.id) == [1, 2])
        #expect(settings.nodes.map(\.legacyAddress) == ["10.0.0.1", "10.0.0.2"].map { IPAddress($0) })
        #expect(settings.nodes.map(\.totemAddress) == ["10.0.1.1", "10.0.1.2"].map { IPAddress($0) })
        #expect(
            settings.ports == [
                BridgeSettings.Port(number: 11, group: "clvmd", mapping: .raw),
                BridgeSettings.Port(number: 20, group: "cman.20", mapping: .cman),
            ]
        )
        #expect(settings.legacyTimers.hello == .seconds(2))
        #expect(settings.legacyTimers.retransmit == .milliseconds(500))
        #expect(settings.manageAddresses)
        #expect(settings.legacyInterface == "eth1")
        #expect(settings.totemInterface == "eth2")
        #expect(settings.stateFile.hasSuffix("/alpha.state"))
        #expect(settings.adminSocket == "/run/ringbridge/alpha.sock")
        // Votes differ: 2 in cluster.conf, 1 in corosync.conf.
        #expect(settings.warnings.count == 1)
    }

    static let faults: [(old: String, new: String, file: String, line: Int, part: String)] = [
        ("cluster: alpha", "cluster: beta", "bridge.yaml", 1, "names it alpha"),
        ("interface: eth1", "interfaces: eth1", "bridge.yaml", 4, "unknown key legacy.interfaces"),
        ("node2: 10.0.0.2", "node9: 10.0.0.2", "bridge.yaml", 5, "unknown key legacy.addresses.node9"),
        ("node2: 10.0.0.2", "node2: ten", "bridge.yaml", 5, "no IP address"),
        ("node2: 10.0.0.2", "node2: 10.0.1.2", "bridge.yaml", 3, "on both sides"),
        ("hello: 2 s", "hello: 2 h", "bridge.yaml", 6, "length of time"),
        ("11: {", "2: {", "bridge.yaml", 9, "ports.2"),
        ("11: {", "011: {", "bridge.yaml", 9, "ports.011"),
        ("20: {}", "20: { group: clvmd }", "bridge.yaml", 10, "stands for port 11 already"),
        ("mapping: raw", "mapping: cooked", "bridge.yaml", 9, "cooked"),
        ("manageAddresses: true", "manageAddresses: perhaps", "bridge.yaml", 11, "neither true nor false"),
        ("manageAddresses: true", "manageAddresses: [", "bridge.yaml", 11, "is not YAML"),
        ("nodeid=\"2\"", "nodeid=\"4\"", "cluster.conf", 4, "no counterpart"),
        ("name: node1", "name: other", "cluster.conf", 3, "no counterpart"),
    ]

    @Test(arguments: faults) func namesFileLineAndRemedy(_ fault: (old: String, new: String, file: String, line: Int, part: String)) throws
    {
        let error = #expect(throws: ConfigurationError.self) {
            try Self.read(
                yaml: Self.yaml.replacing(fault.old, with: fault.new),
                clusterConf: Self.clusterConf.replacing(fault.old, with: fault.new),
                corosyncConf: Self.corosyncConf.replacing(fault.old, with: fault.new)
            )
        }
        #expect(error?.place.file.hasSuffix(fault.file) == true, "\(error.map(String.init(describing:)) ?? "")")
        #expect(error?.place.line == fault.line, "\(error.map(String.init(describing:)) ?? "")")
        #expect(error?.problem.contains(fault.part) == true, "\(error.map(String.init(describing:)) ?? "")")
    }
}
