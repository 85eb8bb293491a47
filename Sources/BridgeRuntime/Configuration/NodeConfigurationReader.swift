import CmanNode
import EngineKit
import TotemNode
import WireFormat

/// Takes the meaning out of the YAML configuration of one member.
struct NodeConfigurationReader {
    let root: YAMLSection
    let folder: String

    func read() throws(ConfigurationError) -> NodeConfiguration {
        let common: Set<String> = [
            "protocol", "cluster", "name", "id", "votes", "expectedVotes", "address", "port", "timers", "state", "capture",
            "captureDirection", "configVersion",
            "twoNode",
        ]
        let name = try root.requiredText("protocol")
        var result: NodeConfiguration
        switch name {
        case "cman":
            try root.allowOnly(common.union(["group", "obeyStrangers"]))
            result = try readCman()
        case "corosync":
            try root.allowOnly(common.union(["transport", "multicast", "nodes", "networkMTU", "waitForAll"]))
            result = try readCorosync()
        default:
            throw ConfigurationError(root.place(of: "protocol"), "protocol: \(name) is unknown", remedy: "write cman or corosync")
        }
        result.stateFolder = try root.text("state").map { ConfigurationPath.resolve($0, from: folder) }
        result.capture = try root.text("capture").map { ConfigurationPath.resolve($0, from: folder) }
        if let direction = try root.captureDirection() { result.captureDirection = direction }
        return result
    }

    private func readCman() throws(ConfigurationError) -> NodeConfiguration {
        var timers = CmanTimers()
        try TimerOverrides.apply(try root.section("timers"), to: &timers)
        let cluster = try root.requiredText("cluster")
        guard cluster.utf8.count <= 15 else {
            throw ConfigurationError(root.place(of: "cluster"), "a legacy cluster's name has at most 15 bytes", remedy: "shorten it")
        }
        let votes = UInt32(try root.number("votes", UInt8(0)...255) ?? 1)
        return NodeConfiguration(
            dialect: .cman(
                NodeConfiguration.Cman(
                    group: try root.address("group"),
                    configVersion: try root.number("configVersion", 0...UInt32.max) ?? 1,
                    twoNode: try root.flag("twoNode") ?? false,
                    obeysStrangers: try root.flag("obeyStrangers") ?? false,
                    timers: timers
                )
            ),
            cluster: cluster,
            name: try root.requiredText("name"),
            id: try root.number("id", 0...4096) ?? 0,
            votes: votes,
            expectedVotes: try root.number("expectedVotes", 1...65_535) ?? max(1, votes),
            local: Endpoint(try requiredAddress(root), try root.number("port", 1...65_535) ?? 6809),
            place: root.place
        )
    }

    private func readCorosync() throws(ConfigurationError) -> NodeConfiguration {
        guard let sections = try root.sections("nodes"), !sections.isEmpty else {
            throw ConfigurationError(root.place, "nodes is missing", remedy: "list every node of the ring with id and address")
        }
        var peers: [NodeConfiguration.Peer] = []
        for section in sections {
            try section.allowOnly(["id", "name", "address", "votes"])
            guard let id: UInt32 = try section.number("id", 1...UInt32.max) else {
                throw ConfigurationError(section.place, "a node has no id", remedy: "add it")
            }
            guard !peers.contains(where: { $0.id == id }) else {
                throw ConfigurationError(section.place(of: "id"), "id \(id) is there twice", remedy: "every node needs its own")
            }
            let address = try requiredAddress(section)
            peers.append(
                NodeConfiguration.Peer(
                    id: id,
                    name: try section.text("name") ?? "\(address)",
                    address: address,
                    votes: try section.number("votes", 0...65_535) ?? 1
                )
            )
        }
        guard let id: UInt32 = try root.number("id", 1...UInt32.max), let own = peers.first(where: { $0.id == id }) else {
            throw ConfigurationError(root.place(of: "id"), "id is not among nodes", remedy: "list this node too")
        }
        let transportName = try root.text("transport") ?? "udpu"
        guard let transport = CorosyncConf.Transport(rawValue: transportName) else {
            throw ConfigurationError(root.place(of: "transport"), "transport: \(transportName) is unknown", remedy: "write udpu or udp")
        }
        let cluster = try root.requiredText("cluster")
        var timers = TotemConfiguration(nodeID: id, nodes: peers.map(\.id)).timers
        try TimerOverrides.apply(try root.section("timers"), to: &timers)
        let twoNode = try root.flag("twoNode") ?? false
        let multicast = try root.address("multicast") ?? CorosyncConfReader.multicastAddress(ofCluster: cluster, family: own.address.family)
        return NodeConfiguration(
            dialect: .corosync(
                NodeConfiguration.Corosync(
                    transport: transport,
                    multicast: transport == .udp ? multicast : nil,
                    hops: 1,
                    peers: peers.sorted { $0.id < $1.id },
                    timers: timers,
                    networkMTU: try root.number("networkMTU", 576...65_535) ?? 1500,
                    configVersion: try root.number("configVersion", 0...UInt64.max) ?? 0,
                    hasQuorum: true,
                    twoNode: twoNode,
                    waitForAll: try root.flag("waitForAll") ?? twoNode
                )
            ),
            cluster: cluster,
            name: try root.text("name") ?? own.name,
            id: id,
            votes: try root.number("votes", 0...65_535) ?? own.votes,
            expectedVotes: try root.number("expectedVotes", 1...65_535) ?? peers.reduce(0) { $0 + $1.votes },
            local: Endpoint(own.address, try root.number("port", 1...65_535) ?? 5405),
            place: root.place
        )
    }

    private func requiredAddress(_ section: YAMLSection) throws(ConfigurationError) -> IPAddress {
        guard let address = try section.address("address") else {
            throw ConfigurationError(section.place, "\(section.qualified("address")) is missing", remedy: "add it")
        }
        return address
    }
}
