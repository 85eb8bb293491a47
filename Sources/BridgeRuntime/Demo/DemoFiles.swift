import Foundation
import WireFormat

/// The folder of a demonstration: configurations as an operator would write them, logs, events and captures.
struct DemoFiles {
    /// Its path.
    let path: String
    private let site: LoopbackSite

    /// Names of all nodes; their ids are their places from 1.
    static let names = ["node1", "node2", "node3", "node4", "node5", "node6"]
    static let cluster = "demo"

    /// Timers of the legacy side: a tenth to a twentieth of the protocol's, so that a minute is enough.
    static let legacyTimers =
        "{ joinWait: 700, newCluster: 700, join: 5 s, joinConf: 2 s, hello: 500, deadNode: 4 s, transition: 5 s, duplicateJoin: 1 s, generationGrace: 1 s }"
    /// The token timeout of the ring in milliseconds.
    static let token = 1000

    /// The folder has files of something else, perhaps of an earlier demonstration, whose state would be taken up.
    struct NotEmpty: Error, CustomStringConvertible {
        var path: String
        var description: String { "\(path) is not empty; name a new folder" }
    }

    /// Makes the folder at `path`, or one of its own below the system's folder for temporary files.
    init(path: String?, site: LoopbackSite) throws {
        self.site = site
        if let path {
            self.path = path
        } else {
            let parent = NSTemporaryDirectory()
            let name = "ringbridge-demo-\(UUID().uuidString.prefix(8))"
            self.path = parent.hasSuffix("/") ? parent + name : "\(parent)/\(name)"
        }
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
        guard try FileManager.default.contentsOfDirectory(atPath: self.path).isEmpty else { throw NotEmpty(path: self.path) }
        try write("cluster.conf", clusterConf)
        try write("corosync.conf", corosyncConf)
        try write("bridge.yaml", bridge)
        for id in 1...3 { try write("node\(id)-legacy.yaml", legacyNode(id)) }
        for id in 3...6 { try write("node\(id)-corosync.yaml", corosyncNode(id)) }
    }

    /// The path of the file `name`.
    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes the file `name`.
    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
    }

    func legacyAddress(_ id: Int) -> IPAddress { site.address(id) }

    func totemAddress(_ id: Int) -> IPAddress { site.address(100 + id) }

    private var clusterConf: String {
        let nodes = Self.names.enumerated().map { "    <clusternode name=\"\($0.element)\" nodeid=\"\($0.offset + 1)\" votes=\"1\"/>" }
        return """
            <?xml version="1.0"?>
            <cluster name="\(Self.cluster)" config_version="1">
              <cman expected_votes="\(Self.names.count)" port="\(site.legacyPort)"/>
              <clusternodes>
            \(nodes.joined(separator: "\n"))
              </clusternodes>
            </cluster>

            """
    }

    private var corosyncConf: String {
        let nodes = Self.names.enumerated().map {
            "    node {\n        nodeid: \($0.offset + 1)\n        name: \($0.element)\n        ring0_addr: \(totemAddress($0.offset + 1))\n    }"
        }
        return """
            totem {
                version: 2
                cluster_name: \(Self.cluster)
                transport: udpu
                token: \(Self.token)
                token_coefficient: 0
                interface {
                    ringnumber: 0
                    mcastport: \(site.totemPort)
                }
            }
            nodelist {
            \(nodes.joined(separator: "\n"))
            }
            quorum {
                provider: corosync_votequorum
            }

            """
    }

    private var bridge: String {
        let addresses = Self.names.enumerated().map { "    \($0.element): \(legacyAddress($0.offset + 1))" }
        return """
            cluster: \(Self.cluster)
            legacy:
              clusterConf: cluster.conf
              addresses:
            \(addresses.joined(separator: "\n"))
              timers: \(Self.legacyTimers)
            totem:
              corosyncConf: corosync.conf
            state: bridge.state
            admin: bridge.sock
            capture: bridge.pcap
            captureDirection: sent

            """
    }

    private func legacyNode(_ id: Int) -> String {
        """
        protocol: cman
        cluster: \(Self.cluster)
        name: node\(id)
        id: \(id)
        expectedVotes: \(Self.names.count)
        address: \(legacyAddress(id))
        port: \(site.legacyPort)
        timers: \(Self.legacyTimers)
        capture: node\(id)-legacy.pcap
        captureDirection: sent

        """
    }

    private func corosyncNode(_ id: Int) -> String {
        let nodes = Self.names.enumerated().map {
            "  - { id: \($0.offset + 1), name: \($0.element), address: \(totemAddress($0.offset + 1)) }"
        }
        return """
            protocol: corosync
            cluster: \(Self.cluster)
            id: \(id)
            port: \(site.totemPort)
            nodes:
            \(nodes.joined(separator: "\n"))
            timers: { token: \(Self.token) }
            capture: node\(id)-corosync.pcap
            captureDirection: sent

            """
    }
}
