import Foundation
import Testing

/// A cluster in the middle of its upgrade: some hosts run a legacy member, some a real corosync, and one the bridge.
///
/// Node N has the legacy address 10.77.1.N and the Totem address 10.77.2.N; its host holds the one that its protocol uses.
final class MixedCluster {
    /// Name of the cluster on both sides.
    static let name = "interop"

    let laboratory: Laboratory
    let nodes: [UInt32]
    private let transport: String
    private var hosts: [UInt32: Laboratory.Host] = [:]
    private let bridgeHost: Laboratory.Host
    private let clientProgram: String
    private(set) var legacy: [UInt32: LegacyMember] = [:]
    private(set) var corosync: [UInt32: CorosyncDaemon] = [:]
    private(set) var bridge: BridgeProcess?
    private var retired: [CorosyncDaemon] = []

    /// The hosts of `nodes`, with nothing running on them.
    init(nodes: [UInt32], transport: String) throws {
        self.nodes = nodes
        self.transport = transport
        laboratory = try Laboratory()
        clientProgram = try CPGClient.compile(into: laboratory.folder)
        for node in nodes { hosts[node] = try laboratory.addHost(Int(node), addresses: []) }
        bridgeHost = try laboratory.addHost(99, addresses: ["10.77.3.1"])
    }

    func legacyAddress(_ node: UInt32) -> String { "10.77.1.\(node)" }
    func totemAddress(_ node: UInt32) -> String { "10.77.2.\(node)" }

    private func host(_ node: UInt32) throws -> Laboratory.Host { try #require(hosts[node]) }

    /// Forms the cluster as an upgrade finds it: first the legacy members, then the bridge, then the nodes that run corosync.
    func form(legacy legacyNodes: [UInt32], corosync corosyncNodes: [UInt32]) throws {
        for node in legacyNodes { try startLegacy(node) }
        let formed = waitUntil(within: 60) { legacy.values.allSatisfy { (try? $0.members()) == Set(legacyNodes) } }
        #expect(formed, "the legacy members do not form a cluster")
        try startBridge()
        for node in corosyncNodes { try startCorosync(node) }
    }

    /// Starts the legacy member of a node, which listens on ports 11 and 13.
    func startLegacy(_ node: UInt32) throws {
        try laboratory.add(legacyAddress(node), to: host(node))
        legacy[node] = try LegacyMember(
            node: node,
            in: laboratory,
            on: host(node),
            address: legacyAddress(node),
            expectedVotes: nodes.count,
            ports: [11, 13]
        )
    }

    /// Ends the legacy member of a node and takes its address from the host.
    func endLegacy(_ node: UInt32, _ how: (LegacyMember) throws -> Void) throws {
        guard let member = legacy.removeValue(forKey: node) else { return }
        try how(member)
        try laboratory.remove(legacyAddress(node), from: host(node))
    }

    /// Starts the real corosync of a node.
    func startCorosync(_ node: UInt32) throws {
        try laboratory.add(totemAddress(node), to: host(node))
        corosync[node] = try CorosyncDaemon(node: node, in: laboratory, on: host(node), configuration: corosyncConf)
    }

    /// Ends the corosync of a node and takes its address from the host.
    func endCorosync(_ node: UInt32, _ how: (CorosyncDaemon) -> Void) throws {
        guard let daemon = corosync.removeValue(forKey: node) else { return }
        how(daemon)
        retired.append(daemon)
        try laboratory.remove(totemAddress(node), from: host(node))
    }

    /// Starts the bridge.
    func startBridge() throws {
        bridge = try BridgeProcess(
            in: laboratory,
            on: bridgeHost,
            clusterConf: clusterConf,
            corosyncConf: corosyncConf,
            legacyAddresses: Dictionary(uniqueKeysWithValues: nodes.map { ($0, legacyAddress($0)) })
        )
    }

    /// Starts a libcpg client beside the corosync of a node, joined to `group`. A client of libcpg is in one group at most.
    func client(_ node: UInt32, group: String) throws -> CPGClient {
        let client = try CPGClient(of: try #require(corosync[node]), program: clientProgram)
        try client.join(group)
        return client
    }

    private var clusterConf: String {
        """
        <?xml version="1.0"?>
        <cluster name="\(Self.name)" config_version="1">
          <cman expected_votes="\(nodes.count)"/>
          <clusternodes>
        \(nodes.map { "    <clusternode name=\"node\($0)\" votes=\"1\" nodeid=\"\($0)\"/>" }.joined(separator: "\n"))
          </clusternodes>
        </cluster>
        """
    }

    private var corosyncConf: String {
        """
        totem {
            version: 2
            cluster_name: \(Self.name)
            transport: \(transport)
        }
        nodelist {
        \(nodes.map { "    node {\n        nodeid: \($0)\n        name: node\($0)\n        ring0_addr: \(totemAddress($0))\n    }" }.joined(separator: "\n"))
        }
        quorum {
            provider: corosync_votequorum
        }
        logging {
            to_stderr: yes
            to_syslog: no
            timestamp: hires
        }
        """
    }

    /// Waits until every member of both sides, legacy members and real corosync daemons, sees exactly `members` and is quorate.
    func expectEverybodySees(
        _ members: Set<UInt32>,
        within seconds: Double = 60,
        _ what: String,
        at location: SourceLocation = #_sourceLocation
    ) {
        var last = ""
        let agreed = waitUntil(within: seconds) {
            var differences: [String] = []
            for (node, member) in legacy {
                let seen = (try? member.members()) ?? []
                if seen != members || !member.isQuorate {
                    differences.append("legacy \(node) sees \(seen.sorted()) quorate \(member.isQuorate)")
                }
            }
            for (node, daemon) in corosync {
                let quorum = try? daemon.quorum()
                let votes = Dictionary(uniqueKeysWithValues: members.map { ($0, 1) })
                if quorum?.votes != votes || quorum?.isQuorate != true {
                    differences.append("corosync \(node): \(quorum.map(\.description) ?? "no answer")")
                }
            }
            last = differences.joined(separator: "; ")
            if !differences.isEmpty { usleep(200_000) }
            return differences.isEmpty
        }
        #expect(agreed, "\(what): not everybody sees \(members.sorted()): \(last)", sourceLocation: location)
        if !agreed { print(report()) }
    }

    /// Checks that every corosync daemon synchronised and that none complained about what it heard. A log that does not even tell of the
    /// synchronisation proves nothing.
    func expectNoComplaints() {
        for daemon in retired + corosync.values {
            #expect(daemon.log.contains { $0.contains("Completed service synchronization") }, "corosync \(daemon.node) did not synchronise")
            #expect(daemon.complaints.isEmpty, "corosync \(daemon.node) complains")
        }
    }

    /// Ends everything.
    func end() {
        for member in legacy.values { member.stop() }
        for daemon in corosync.values { daemon.stop() }
        bridge?.stop()
    }

    /// What everybody said last.
    func report() -> String {
        var text = (try? bridge?.status()) ?? "no bridge"
        text += "\nbridge log:\n" + (bridge?.log.suffix(60).joined(separator: "\n") ?? "")
        for (node, member) in legacy { text += "\nlegacy \(node):\n\(member.tail)" }
        for (node, daemon) in corosync { text += "\ncorosync \(node):\n\(daemon.log.suffix(15).joined(separator: "\n"))" }
        return text
    }
}
