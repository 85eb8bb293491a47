import WireFormat

/// Takes the meaning out of bridge.yaml and brings the two files that it names together.
struct BridgeSettingsReader {
    let root: YAMLSection
    let folder: String
    private var warnings: [ConfigurationWarning] = []

    init(root: YAMLSection, folder: String) {
        self.root = root
        self.folder = folder
    }

    mutating func read() throws(ConfigurationError) -> BridgeSettings {
        try root.allowOnly([
            "cluster", "legacy", "totem", "ports", "manageAddresses", "addressHook", "state", "admin", "capture", "captureDirection",
        ])
        let cluster = try root.requiredText("cluster")
        let legacy = try root.requiredSection("legacy")
        try legacy.allowOnly(["clusterConf", "interface", "addresses", "ids", "port", "group", "timers", "obeyStrangers"])
        let totem = try root.requiredSection("totem")
        try totem.allowOnly(["corosyncConf", "interface"])

        var clusterConf = try ClusterConf(contentsOf: ConfigurationPath.resolve(try legacy.requiredText("clusterConf"), from: folder))
        let corosyncConf = try CorosyncConf(contentsOf: ConfigurationPath.resolve(try totem.requiredText("corosyncConf"), from: folder))
        guard corosyncConf.multicast != TotemNetwork.broadcast else {
            throw ConfigurationError(
                corosyncConf.place,
                "broadcast: yes is not spoken by the bridge",
                remedy: "use mcastaddr or transport: udpu"
            )
        }
        clusterConf.port = try legacy.number("port", 1...65_535) ?? clusterConf.port
        guard clusterConf.name == cluster else {
            throw ConfigurationError(
                root.place(of: "cluster"),
                "cluster is \(cluster), but \(clusterConf.place) names it \(clusterConf.name)",
                remedy: "make them equal"
            )
        }
        let nodes = try readNodes(legacy, clusterConf: clusterConf, corosyncConf: corosyncConf)
        var result = BridgeSettings(
            cluster: cluster,
            clusterConf: clusterConf,
            corosyncConf: corosyncConf,
            nodes: nodes,
            ports: try readPorts(),
            manageAddresses: try root.flag("manageAddresses") ?? false,
            place: root.place
        )
        try TimerOverrides.apply(try legacy.section("timers"), to: &result.legacyTimers)
        result.legacyObeysStrangers = try legacy.flag("obeyStrangers") ?? false
        result.legacyInterface = try legacy.text("interface")
        result.totemInterface = try totem.text("interface")
        result.legacyGroup = try readGroup(legacy, clusterConf)
        result.addressHook = try root.text("addressHook")
        result.stateFile = try root.text("state").map { ConfigurationPath.resolve($0, from: folder) } ?? result.stateFile
        result.adminSocket = try root.text("admin").map { ConfigurationPath.resolve($0, from: folder) } ?? result.adminSocket
        result.capture = try root.text("capture").map { ConfigurationPath.resolve($0, from: folder) }
        if let direction = try root.captureDirection() { result.captureDirection = direction }
        result.warnings += warnings
        return result
    }

    private func readGroup(_ legacy: YAMLSection, _ clusterConf: ClusterConf) throws(ConfigurationError) -> IPAddress? {
        if let group = try legacy.address("group") { return group }
        guard let text = clusterConf.multicast else { return nil }
        guard let address = IPAddress(text), address.isMulticast else {
            throw ConfigurationError(clusterConf.place, "multicast addr=\"\(text)\" is no multicast address", remedy: "mend it")
        }
        return address
    }

    private mutating func readNodes(
        _ legacy: YAMLSection,
        clusterConf: ClusterConf,
        corosyncConf: CorosyncConf
    ) throws(ConfigurationError) -> [BridgeSettings.Node] {
        let addresses = try legacy.section("addresses")
        let ids = try legacy.section("ids")
        let names = Set(clusterConf.nodes.map(\.name))
        try addresses?.allowOnly(names)
        try ids?.allowOnly(names)
        var nodes: [BridgeSettings.Node] = []
        for member in clusterConf.nodes {
            let id = try ids?.number(member.name, 1...4096) ?? member.id
            // The name decides where cluster.conf leaves ids to the running cluster.
            guard let counterpart = corosyncConf.nodes.first(where: { id == nil ? $0.name == member.name : $0.id == id }) else {
                throw ConfigurationError(
                    member.place,
                    "\(member.name)\(id.map { " (id \($0))" } ?? "") has no counterpart in the nodelist of \(corosyncConf.place.file)",
                    remedy: "list every node there with the id and name it has here"
                )
            }
            if let id, let other = corosyncConf.nodes.first(where: { $0.name == member.name }), other.id != id {
                throw ConfigurationError(
                    other.place,
                    "\(member.name) has nodeid \(other.id), but \(id) in the legacy cluster",
                    remedy: "give it the same id on both sides"
                )
            }
            if UInt32(member.votes) != counterpart.votes {
                warnings.append(
                    ConfigurationWarning(
                        counterpart.place,
                        "\(member.name) has \(counterpart.votes) votes here and \(member.votes) in \(member.place): its votes change when it moves"
                    )
                )
            }
            nodes.append(
                BridgeSettings.Node(
                    name: member.name,
                    id: counterpart.id,
                    legacyAddress: try legacyAddress(of: member, addresses),
                    totemAddress: try totemAddress(of: counterpart),
                    legacyVotes: member.votes,
                    totemVotes: counterpart.votes
                )
            )
        }
        try refuseSharedAddresses(nodes, legacy)
        for node in corosyncConf.nodes where !nodes.contains(where: { $0.id == node.id }) {
            warnings.append(
                ConfigurationWarning(node.place, "node \(node.id) is not in \(clusterConf.place.file): the bridge never stands in for it")
            )
        }
        return nodes.sorted { $0.id < $1.id }
    }

    private func legacyAddress(of member: ClusterConf.Node, _ addresses: YAMLSection?) throws(ConfigurationError) -> IPAddress {
        if let address = try addresses?.address(member.name) { return address }
        guard let address = NameResolver.address(of: member.name) else {
            throw ConfigurationError(
                member.place,
                "the address of \(member.name) is unknown: the resolver does not know the name",
                remedy: "write it under legacy.addresses"
            )
        }
        return address
    }

    private func totemAddress(of node: CorosyncConf.Node) throws(ConfigurationError) -> IPAddress {
        guard let address = NameResolver.address(of: node.address) else {
            throw ConfigurationError(
                node.place,
                "ring0_addr \(node.address) is unknown to the resolver",
                remedy: "write the address in numbers"
            )
        }
        return address
    }

    /// Two addresses per node are what the upgrade rests on.
    private func refuseSharedAddresses(_ nodes: [BridgeSettings.Node], _ legacy: YAMLSection) throws(ConfigurationError) {
        var owners: [IPAddress: String] = [:]
        for node in nodes {
            for address in [node.legacyAddress, node.totemAddress] {
                if let owner = owners.updateValue(node.name, forKey: address) {
                    throw ConfigurationError(
                        legacy.place,
                        "\(address) is an address of \(owner)\(owner == node.name ? " on both sides" : " and of \(node.name)")",
                        remedy: "give every node one legacy address and another Totem address"
                    )
                }
            }
        }
    }

    private func readPorts() throws(ConfigurationError) -> [BridgeSettings.Port] {
        guard let section = try root.section("ports") else { return [] }
        var ports: [BridgeSettings.Port] = []
        for key in section.keys {
            // 0 and 1 are the protocol's own, 2 the service manager's, which is answered and not translated.
            guard let number = UInt8(key), number > 2, key == "\(number)" else {
                throw ConfigurationError(section.place(of: key), "ports.\(key) is no port from 3 to 255", remedy: "mend it")
            }
            let port = try section.requiredSection(key)
            try port.allowOnly(["group", "mapping"])
            let text = try port.text("mapping") ?? "cman"
            guard let mapping = BridgeSettings.Mapping(rawValue: text) else {
                throw ConfigurationError(port.place(of: "mapping"), "mapping: \(text) is unknown", remedy: "write cman or raw")
            }
            let group = try port.text("group") ?? "cman.\(number)"
            guard (1...127).contains(group.utf8.count) else {
                throw ConfigurationError(port.place(of: "group"), "a group's name has 1 to 127 bytes", remedy: "shorten it")
            }
            if let other = ports.first(where: { $0.group == group }) {
                throw ConfigurationError(
                    port.place(of: "group"),
                    "group \(group) stands for port \(other.number) already",
                    remedy: "give every port a group of its own"
                )
            }
            ports.append(BridgeSettings.Port(number: number, group: group, mapping: mapping))
        }
        return ports.sorted { $0.number < $1.number }
    }
}
