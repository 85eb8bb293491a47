import Foundation
import Glibc
import Testing

@testable import BridgeRuntime

/// The bridge takes and gives back addresses on a real Ethernet link: two network namespaces, a node in one, the bridge in the other.
@Suite struct AddressManagementTests {
    /// Two namespaces with a veth pair; both go away with the value.
    final class Link {
        let bridge: String
        let host: String

        init() throws {
            let name = "rbt\(getpid() % 10_000)x\(UInt16.random(in: 0 ... .max))"
            bridge = "\(name)a"
            host = "\(name)b"
            try Self.ip("netns", "add", bridge)
            try Self.ip("netns", "add", host)
            try Self.ip("link", "add", "eth0", "netns", bridge, "type", "veth", "peer", "name", "eth0", "netns", host)
            for name in [bridge, host] {
                try Self.ip("-n", name, "link", "set", "lo", "up")
                try Self.ip("-n", name, "link", "set", "eth0", "up")
            }
        }

        deinit {
            for name in [bridge, host] { _ = try? Self.ip("netns", "del", name) }
        }

        /// Runs `ip` and returns what it prints.
        @discardableResult
        static func ip(_ arguments: String...) throws -> String { try ip(arguments) }

        @discardableResult
        static func ip(_ arguments: [String]) throws -> String {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/sbin/ip")
            process.arguments = arguments
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "ip \(arguments.joined(separator: " "))")
            return String(decoding: data, as: UTF8.self)
        }
    }

    static func wait(_ what: String, until condition: () throws -> Bool) throws {
        let end = Date().addingTimeInterval(40)
        while Date() < end {
            if try condition() { return }
            usleep(50_000)
        }
        throw NodeUnderTest.Timeout(description: "never: \(what)")
    }

    @Test(
        .enabled(
            if: geteuid() == 0 && access("/usr/sbin/ip", X_OK) == 0,
            "needs root and iproute2, for network namespaces"
        ),
        arguments: ["10.88.0", "fd88::"]
    )
    func takesAnAddressThatNobodyAnswersFor(_ totemNetwork: String) throws {
        let isIPv6 = totemNetwork.contains(":")
        func totem(_ last: Int) -> String { isIPv6 ? "\(totemNetwork)\(last)" : "\(totemNetwork).\(last)" }
        let prefix = isIPv6 ? "/64" : "/24"
        let link = try Link()
        let folder = try TemporaryFolder()
        try Link.ip("-n", link.bridge, "addr", "add", "10.88.0.250/24", "brd", "+", "dev", "eth0")
        try Link.ip("-n", link.host, "addr", "add", "10.88.0.1/24", "brd", "+", "dev", "eth0")
        // Somebody has forgotten to remove the Totem address of node 1.
        let nodad = isIPv6 ? ["nodad"] : []
        try Link.ip(["-n", link.host, "addr", "add", totem(101) + prefix, "dev", "eth0"] + nodad)
        if isIPv6 { try Link.ip("-n", link.bridge, "addr", "add", totem(250) + prefix, "dev", "eth0", "nodad") }
        // A killed bridge has left the address of node 2, which nobody needs now.
        try Link.ip(["-n", link.bridge, "addr", "add", totem(102) + (isIPv6 ? "/128" : "/32"), "dev", "eth0"] + nodad)
        let mac = try Link.ip("-n", link.host, "link", "show", "eth0").split(separator: " ").map(String.init)
        let hardware = try #require(mac.firstIndex(of: "link/ether").map { mac[$0 + 1] })

        try folder.write(
            "cluster.conf",
            """
            <cluster name="test" config_version="1">
              <clusternodes><clusternode name="node1" nodeid="1"/><clusternode name="node2" nodeid="2"/></clusternodes>
            </cluster>
            """
        )
        let nodes = (1...2).map { "node {\nnodeid: \($0)\nname: node\($0)\nring0_addr: \(totem(100 + $0))\n}\n" }.joined()
        try folder.write("corosync.conf", "totem {\nversion: 2\ntransport: udpu\ntoken: 1000\n}\nnodelist {\n\(nodes)}\n")
        let bridgeFile = try folder.write(
            "bridge.yaml",
            """
            cluster: test
            legacy:
              clusterConf: cluster.conf
              interface: eth0
              addresses: { node1: 10.88.0.1, node2: 10.88.0.2 }
              timers: \(LegacyNodeProcessTests.timers)
            totem: { corosyncConf: corosync.conf, interface: eth0 }
            manageAddresses: true
            state: state
            admin: admin.sock
            """
        )
        let nodeFile = try folder.write(
            "node.yaml",
            """
            protocol: cman
            cluster: test
            name: node1
            id: 1
            expectedVotes: 2
            address: 10.88.0.1
            timers: \(LegacyNodeProcessTests.timers)
            """
        )
        let executable = try NodeUnderTest.executable
        let log = "\(folder.path)/log"
        let node = try ChildProcess(
            "/usr/sbin/ip",
            ["netns", "exec", link.host, executable, "node", "--config", nodeFile],
            input: .pipe,
            output: .null,
            error: .file(log)
        )
        let bridge = try ChildProcess(
            "/usr/sbin/ip",
            ["netns", "exec", link.bridge, executable, "run", "--config", bridgeFile, "--until-input-ends"],
            input: .pipe,
            output: .null,
            error: .file(log)
        )
        let socket = "\(folder.path)/admin.sock"
        try Self.wait("the address is refused, and its holder named") {
            let holder = (try? StatusClient.ask(socket))?.corosync.proxies.first { $0.id == 1 }?.addressHolder
            return holder?.hasPrefix(hardware) == true
        }
        #expect(try !Link.ip("-n", link.bridge, "addr", "show", "eth0").contains(totem(101)))
        #expect(try !Link.ip("-n", link.bridge, "addr", "show", "eth0").contains(totem(102)))

        try Link.ip("-n", link.host, "addr", "del", totem(101) + prefix, "dev", "eth0")
        try Self.wait("the proxy is there") { (try? StatusClient.ask(socket))?.corosync.proxies.first { $0.id == 1 }?.phase == "member" }
        #expect(try Link.ip("-n", link.bridge, "addr", "show", "eth0").contains(totem(101)))
        bridge.closeInput()
        try Self.wait("the bridge has stopped") { bridge.exitStatus() != nil }
        #expect(bridge.exitStatus() == 0)
        #expect(try !Link.ip("-n", link.bridge, "addr", "show", "eth0").contains(totem(101)))
        node.closeInput()
        try Self.wait("the node has stopped") { node.exitStatus() != nil }
    }
}
