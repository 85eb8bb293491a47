import EngineKit
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

/// Takes the meaning out of the YAML configuration of one Totem processor.
struct TotemMemberReader {
    let root: YAMLSection
    let folder: String

    /// Keys that only a Totem processor has.
    static let keys: Set<String> = [
        "dialect", "corosyncConf", "transport", "multicast", "hops", "nodes", "networkMTU", "waitForAll", "rrpMode", "security",
    ]

    func read() throws(ConfigurationError) -> NodeConfiguration {
        let dialect = try root.text("dialect") ?? TotemGeneration.corosync3.name.description
        guard let generation = TotemGeneration(name: dialect) else {
            let names = TotemGeneration.allCases.map(\.name.description).joined(separator: ", ")
            throw ConfigurationError(root.place(of: "dialect"), "dialect: \(dialect) is unknown", remedy: "write one of \(names)")
        }
        let peers = try readPeers(generation)
        guard let id: UInt32 = try root.number("id", 1...UInt32.max), let own = peers.first(where: { $0.id == id }) else {
            throw ConfigurationError(root.place(of: "id"), "id is not among nodes", remedy: "list this node too")
        }
        var conf: CorosyncConf
        if let file = try root.text("corosyncConf") {
            for key in ["transport", "multicast", "hops", "port", "networkMTU", "waitForAll", "rrpMode", "timers"]
            where root.has(key) {
                throw ConfigurationError(root.place(of: key), "\(key) stands in \(file) already", remedy: "remove it here")
            }
            conf = try CorosyncConf(contentsOf: ConfigurationPath.resolve(file, from: folder), generation: generation)
        } else {
            conf = try readRing(generation, peers)
        }
        conf.clusterName = try root.requiredText("cluster")
        conf.configuredExpectedVotes = try root.number("expectedVotes", 1...65_535) ?? conf.configuredExpectedVotes
        if let security = try root.section("security") { conf.security = try readSecurity(security) }
        var result = try NodeConfiguration.processor(
            own.id,
            name: try root.text("name") ?? own.name,
            peers: peers,
            conf: conf
        )
        result.votes = try root.number("votes", 0...65_535) ?? own.votes
        return result
    }

    private func readPeers(_ generation: TotemGeneration) throws(ConfigurationError) -> [NodeConfiguration.Peer] {
        guard let sections = try root.sections("nodes"), !sections.isEmpty else {
            throw ConfigurationError(root.place, "nodes is missing", remedy: "list every node of the ring with id and address")
        }
        var peers: [NodeConfiguration.Peer] = []
        for section in sections {
            try section.allowOnly(["id", "name", "address", "secondAddress", "votes"])
            guard let id: UInt32 = try section.number("id", 1...UInt32.max) else {
                throw ConfigurationError(section.place, "a node has no id", remedy: "add it")
            }
            guard !peers.contains(where: { $0.id == id }) else {
                throw ConfigurationError(section.place(of: "id"), "id \(id) is there twice", remedy: "every node needs its own")
            }
            guard let address = try section.address("address") else {
                throw ConfigurationError(section.place, "\(section.qualified("address")) is missing", remedy: "add it")
            }
            peers.append(
                NodeConfiguration.Peer(
                    id: id,
                    name: try section.text("name") ?? "\(address)",
                    addresses: [address] + (try section.address("secondAddress").map { [$0] } ?? []),
                    votes: try section.number("votes", 0...65_535) ?? 1
                )
            )
        }
        return peers
    }

    /// What corosync.conf would say.
    private func readRing(
        _ generation: TotemGeneration,
        _ peers: [NodeConfiguration.Peer]
    ) throws(ConfigurationError) -> CorosyncConf {
        let name = try root.text("transport") ?? (generation == .corosync3 ? "udpu" : "udp")
        guard let transport = CorosyncConf.Transport(rawValue: name == "broadcast" ? "udp" : name) else {
            throw ConfigurationError(root.place(of: "transport"), "transport: \(name) is unknown", remedy: "write udpu, udp or broadcast")
        }
        guard generation > .openais080 || transport == .udp else {
            throw ConfigurationError(root.place(of: "transport"), "\(generation.name) has no udpu", remedy: "write udp or broadcast")
        }
        var quorum = CorosyncConfReader.Quorum()
        quorum.hasVoteQuorum = generation >= .corosync1
        quorum.twoNode = try root.flag("twoNode") ?? false
        quorum.waitForAll = try root.flag("waitForAll")
        var conf = CorosyncConf(
            clusterName: try root.requiredText("cluster"),
            transport: transport,
            generation: generation,
            nodes: [],
            quorum: quorum,
            place: root.place
        )
        conf.timers = try TimerOverrides.timers(try root.section("timers"), of: generation, nodes: peers.count)
        conf.networkMTU = try root.number("networkMTU", 576...65_535) ?? 1500
        conf.configVersion = try root.number("configVersion", 0...UInt64.max) ?? 0
        let port: UInt16 = try root.number("port", 1...65_500) ?? 5405
        let hops = try root.number("hops", 0...255) ?? 1
        conf.networks = try networks(
            peers,
            transport == .udpu ? .none : name == "broadcast" ? .broadcast : .multicast,
            port: port,
            hops: hops
        )
        let modeName = try root.text("rrpMode") ?? "none"
        guard let mode = RedundantRingMode(rawValue: modeName), mode == .none || generation != .corosync3 else {
            throw ConfigurationError(
                root.place(of: "rrpMode"),
                "rrpMode: \(modeName) is not possible",
                remedy: "write none, passive or active"
            )
        }
        guard (mode == .none) == (conf.networks.count == 1) else {
            throw ConfigurationError(
                root.place(of: "rrpMode"),
                "rrpMode is \(mode.rawValue) and there are \(conf.networks.count) networks",
                remedy: "give every node a secondAddress, and write rrpMode: passive or active"
            )
        }
        conf.redundantRing = RedundantRingConfiguration(
            nodeID: 0,
            mode: mode,
            generation: generation,
            tokenRetransmit: conf.timers.tokenRetransmit
        )
        // Nothing is encrypted unless it is asked for.
        conf.security = SecuritySettings(isOn: false)
        return conf
    }

    private enum Group {
        case none, broadcast, multicast
    }

    private func networks(
        _ peers: [NodeConfiguration.Peer],
        _ group: Group,
        port: UInt16,
        hops: Int
    ) throws(ConfigurationError) -> [TotemNetwork] {
        let cluster = try root.requiredText("cluster")
        let given = try root.address("multicast")
        let count = min(peers.map(\.addresses.count).max() ?? 1, RedundantRingConfiguration.interfaceLimit)
        return (0..<count).map { number in
            let family = peers.first?.addresses.first?.family ?? .ipv4
            let derived = CorosyncConfReader.multicastAddress(ofCluster: cluster, family: family, ring: UInt16(number))
            let address: IPAddress? =
                switch group {
                case .none: nil
                case .broadcast: TotemNetwork.broadcast
                case .multicast: number == 0 ? given ?? derived : derived
                }
            // All networks have one broadcast address.
            return TotemNetwork(port: group == .broadcast ? port + 2 * UInt16(number) : port, group: address, hops: hops)
        }
    }

    private func readSecurity(_ section: YAMLSection) throws(ConfigurationError) -> SecuritySettings {
        try section.allowOnly(["keyFile", "cipher", "hash", "nss"])
        var settings = SecuritySettings(isOn: true)
        settings.keyFile = try section.text("keyFile").map { ConfigurationPath.resolve($0, from: folder) }
        settings.usesNSS = try section.flag("nss") ?? false
        if let name = try section.text("cipher") {
            guard let cipher = SecurityCipher.allCases.first(where: { $0.name.description == name && $0 != .sober128 }) else {
                throw ConfigurationError(
                    section.place(of: "cipher"),
                    "cipher: \(name) is unknown",
                    remedy: "write none, aes128, aes192 or aes256"
                )
            }
            settings.cipher = cipher
        }
        if let name = try section.text("hash") {
            guard let hash = SecurityHash.allCases.first(where: { $0.name.description == name }) else {
                throw ConfigurationError(section.place(of: "hash"), "hash: \(name) is unknown", remedy: "write none, md5, sha1 or sha256")
            }
            settings.hash = hash
        }
        return settings
    }
}
