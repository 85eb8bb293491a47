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
            try root.allowOnly(common.union(TotemMemberReader.keys))
            result = try TotemMemberReader(root: root, folder: folder).read()
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

    private func requiredAddress(_ section: YAMLSection) throws(ConfigurationError) -> IPAddress {
        guard let address = try section.address("address") else {
            throw ConfigurationError(section.place, "\(section.qualified("address")) is missing", remedy: "add it")
        }
        return address
    }
}
