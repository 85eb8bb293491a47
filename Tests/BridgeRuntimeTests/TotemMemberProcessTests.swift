import Captures
import Foundation
import Testing
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

@testable import BridgeRuntime

/// Processes of every dialect that form rings over UDP, encrypted too, and over two networks of which one fails.
@Suite struct TotemMemberProcessTests {
    struct Ring: Sendable, CustomTestStringConvertible {
        var dialect: TotemGeneration
        var transport: String
        var mode = RedundantRingMode.none
        /// Keys of `security` besides the key file; nil without security.
        var security: String?

        var testDescription: String { "\(dialect.name) \(transport) rrp \(mode) \(security ?? "plain")" }
        var isEncrypted: Bool { security != nil || dialect == .totem2005 }
    }

    static let rings = [
        Ring(dialect: .totem2005, transport: "udp"),
        Ring(dialect: .openais080, transport: "udp", mode: .active, security: ""),
        Ring(dialect: .openais080, transport: "broadcast"),
        Ring(dialect: .corosync1, transport: "udp", security: ", nss: true"),
        Ring(dialect: .corosync1, transport: "udpu", mode: .passive, security: ""),
        Ring(dialect: .corosync2, transport: "udp", mode: .active),
        Ring(dialect: .corosync2, transport: "udpu", mode: .passive, security: ", cipher: aes256, hash: sha1"),
        Ring(dialect: .corosync2, transport: "udpu", security: ", cipher: none, hash: sha256"),
        Ring(dialect: .corosync3, transport: "udp"),
    ]

    private static let key = SecurityKey(name: "key", bytes: (0..<128).map { UInt8($0 ^ 0x5A) })

    private func configuration(_ ring: Ring, _ id: Int, _ site: LoopbackSite, _ folder: TemporaryFolder, token: Int = 2000) -> String {
        let nodes = (1...3).map { number in
            let second = ring.mode == .none ? "" : ", secondAddress: \(site.address(100 + number))"
            return "  - { id: \(number), name: node\(number), address: \(site.address(number))\(second) }\n"
        }
        let security = ring.security.map { "security: { keyFile: key\($0) }\n" } ?? ""
        return """
            protocol: corosync
            dialect: \(ring.dialect.name)
            cluster: test
            id: \(id)
            transport: \(ring.transport)
            rrpMode: \(ring.mode)
            port: \(site.totemPort)
            capture: node\(id).pcap
            captureDirection: sent
            \(security)nodes:
            \(nodes.joined())timers: { token: \(token) }
            """
    }

    private func writeKey(in folder: TemporaryFolder) throws {
        let path = "\(folder.path)/key"
        try Data(Self.key.bytes).write(to: URL(fileURLWithPath: path))
        #expect(chmod(path, 0o400) == 0)
    }

    @Test(arguments: rings) func threeMembersFormARingAndTalk(_ ring: Ring) throws {
        let site = try LoopbackSite()
        let folder = try TemporaryFolder()
        try writeKey(in: folder)
        let nodes = try (1...3).map {
            try NodeUnderTest("node\($0)", configuration: configuration(ring, $0, site, folder), in: folder)
        }
        guard ring.dialect != .totem2005 else {
            // What ran on it had no groups.
            for node in nodes {
                try node.wait("a ring of three") { $0.contains { $0.hasPrefix("ring ") && Self.count(in: $0, "members=") == 3 } }
            }
            for node in nodes { node.client.send("quit") }
            for node in nodes { try node.wait("its end") { $0.contains("state state=left") } }
            return try (1...3).forEach { try check(ring, "\(folder.path)/node\($0).pcap") }
        }
        for node in nodes { node.client.send("join g") }
        for node in nodes {
            try node.wait("all in the group") { $0.contains { $0.hasPrefix("group ") && Self.count(in: $0, "nodes=") == 3 } }
        }
        for (index, node) in nodes.enumerated() { node.client.send("burst 50 g all from\(index + 1)") }
        for node in nodes { try node.wait("150 messages") { $0.count { $0.hasPrefix("message ") } >= 150 } }
        #expect(nodes[0].messages == nodes[1].messages)
        #expect(nodes[1].messages == nodes[2].messages)
        for node in nodes {
            node.client.send("status")
            try node.wait("its status") { $0.contains { $0.hasPrefix("status ") && $0.contains("unconfirmed=0") && !$0.contains("yes:") } }
            node.client.send("quit")
        }
        for node in nodes { try node.wait("its end") { $0.contains("state state=left") } }
        for id in 1...3 { try check(ring, "\(folder.path)/node\(id).pcap") }
    }

    private static func count(in line: String, _ key: String) -> Int {
        line.split(separator: " ").first { $0.hasPrefix(key) }.map { $0.split(separator: ",").count } ?? 0
    }

    /// Everything that a member sent is a packet of its dialect, in the envelope and by the key of its configuration, and there is no
    /// byte that none of its fields has.
    private func check(_ ring: Ring, _ path: String) throws {
        let datagrams = try CaptureFile.datagrams(atPath: path)
        #expect(datagrams.count > 8)
        var opener = SecurityOpener(keys: [Self.key])
        var kinds: Set<TotemMessageKind> = []
        for datagram in datagrams {
            try datagram.payload.withUnsafeBytes { bytes in
                var plain = bytes
                if case .opened(let content) = opener.open(bytes, from: datagram.source, to: datagram.destination) {
                    plain = content.plaintext
                    #expect(content.isAuthentic == ring.isEncrypted)
                } else {
                    #expect(!ring.isEncrypted && ring.dialect != .corosync2)
                }
                kinds.insert(try read(ring.dialect, plain))
            }
        }
        #expect(kinds.isSuperset(of: [.token, .join, .commitToken]))
        #expect(kinds.contains(.mcast) || ring.dialect == .totem2005)
    }

    private func read(_ dialect: TotemGeneration, _ bytes: UnsafeRawBufferPointer) throws -> TotemMessageKind {
        func read<Dialect: TotemDialect>(_: Dialect.Type) throws -> TotemMessageKind {
            let packet = try TotemPacket<Dialect>(reading: bytes)
            #expect(packet.trailing.count == 0 && packet.byteOrder == .host)
            return try TotemPacket<Dialect>.identify(bytes).0
        }
        return switch dialect {
        case .totem2005: try read(OpenAIS2005.self)
        case .openais080: try read(OpenAIS080.self)
        case .corosync1: try read(Corosync1.self)
        case .corosync2: try read(Corosync2.self)
        case .corosync3: try read(Corosync3.self)
        }
    }

    // MARK: A network fails

    /// A network namespace with a loopback interface and nothing else.
    private final class Namespace {
        let name = "ringbridge-rings-\(getpid())-\(UInt32.random(in: 0...99_999))"

        /// nil without the rights or the programs for it.
        init?() {
            guard geteuid() == 0, Self.run(["netns", "add", name]) else { return nil }
            guard Self.run(["-n", name, "link", "set", "lo", "up"]), nft("add table inet cut") else { return nil }
        }

        deinit { _ = Self.run(["netns", "delete", name]) }

        func nft(_ text: String) -> Bool { Self.run(["netns", "exec", name, "nft"] + text.split(separator: " ").map(String.init)) }

        private static func run(_ arguments: [String]) -> Bool {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: NodeUnderTest.ip)
            process.arguments = arguments
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
    }

    static let failingRings = [
        Ring(dialect: .corosync2, transport: "udpu", mode: .passive, security: ", cipher: aes256, hash: sha1"),
        Ring(dialect: .corosync2, transport: "udpu", mode: .active),
        Ring(dialect: .corosync1, transport: "udpu", mode: .active, security: ""),
        Ring(dialect: .openais080, transport: "broadcast", mode: .active),
    ]

    /// The second network is cut while messages are sent: nobody leaves, every message arrives, every member finds the fault, and the
    /// network is used again when it works, in openais when somebody says so.
    @Test(.enabled(if: geteuid() == 0, "network namespaces need root"), arguments: failingRings)
    func theLossOfOneNetworkIsSurvived(_ ring: Ring) throws {
        let namespace = try #require(Namespace(), "needs ip netns and nft")
        let site = try LoopbackSite()
        let folder = try TemporaryFolder()
        try writeKey(in: folder)
        let nodes = try (1...3).map {
            try NodeUnderTest(
                "node\($0)",
                configuration: configuration(ring, $0, site, folder, token: 900),
                in: folder,
                namespace: namespace.name
            )
        }
        for node in nodes { node.client.send("join g") }
        for node in nodes {
            try node.wait("all in the group") { $0.contains { $0.hasPrefix("group ") && Self.count(in: $0, "nodes=") == 3 } }
        }
        let rings = nodes.map { node in node.client.lines.count { $0.hasPrefix("ring ") } }
        let second =
            ring.transport == "broadcast" ? "udp dport \(site.totemPort + 2)" : "ip daddr \(site.address(101))-\(site.address(103))"
        #expect(namespace.nft("add chain inet cut input { type filter hook input priority 0 ; }"))
        #expect(namespace.nft("add rule inet cut input \(second) drop"))
        for (index, node) in nodes.enumerated() { node.client.send("burst 100 g all from\(index + 1)") }
        for node in nodes { try node.wait("300 messages") { $0.count { $0.hasPrefix("message ") } >= 300 } }
        #expect(nodes[0].messages == nodes[1].messages && nodes[1].messages == nodes[2].messages)
        for node in nodes { try node.wait("the fault") { $0.contains("network number=1 faulty=yes") } }
        #expect(namespace.nft("flush table inet cut"))
        if ring.dialect == .openais080 { for node in nodes { node.client.send("reenable") } }
        for node in nodes { try node.wait("the recovery") { $0.contains("network number=1 faulty=no") } }
        // Nobody left the ring for it.
        #expect(nodes.map { node in node.client.lines.count { $0.hasPrefix("ring ") } } == rings)
        #expect(!nodes.contains { $0.client.lines.contains { $0.hasPrefix("network number=0") } })
    }

    /// Whoever has another key is not heard.
    @Test func aMemberWithAnotherKeyStaysAlone() throws {
        let site = try LoopbackSite()
        let ring = Ring(dialect: .corosync2, transport: "udpu", security: ", cipher: aes256, hash: sha1")
        let folders = try (1...3).map { _ in try TemporaryFolder() }
        for folder in folders { try writeKey(in: folder) }
        let stranger = "\(folders[2].path)/key"
        #expect(chmod(stranger, 0o600) == 0)
        try Data(repeating: 7, count: 128).write(to: URL(fileURLWithPath: stranger))
        let nodes = try (1...3).map {
            try NodeUnderTest("node\($0)", configuration: configuration(ring, $0, site, folders[$0 - 1]), in: folders[$0 - 1])
        }
        for node in nodes[..<2] { try node.wait("a ring of two") { $0.contains { $0.hasPrefix("ring ") && $0.hasSuffix(" members=1,2") } } }
        try nodes[2].wait("itself") { $0.contains { $0.hasPrefix("ring ") && $0.hasSuffix(" members=3") } }
        nodes[2].client.send("status")
        try nodes[2].wait("refused datagrams") { $0.contains { $0.hasPrefix("status ") && !$0.contains("unconfirmed=0") } }
        #expect(!nodes[0].client.lines.contains { $0.hasPrefix("ring ") && $0.contains("3") && $0.contains("members=1,2,3") })
    }
}
