import EngineKit
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

/// Takes the meaning out of the sections of corosync.conf.
struct CorosyncConfReader {
    /// The quorum section.
    struct Quorum {
        var hasVoteQuorum = false
        var expectedVotes: UInt32?
        var twoNode = false
        var waitForAll: Bool?
    }

    let root: CorosyncSection
    let file: String
    let generation: TotemGeneration
    private var warnings: [ConfigurationWarning] = []

    init(root: CorosyncSection, file: String, generation: TotemGeneration) {
        self.root = root
        self.file = file
        self.generation = generation
    }

    /// Keys that only other parts of the daemon care about, so that they need no warning.
    private static let withoutEffectOnTheWire: Set<String> = [
        "threads", "ip_version", "block_unlisted_ips", "cluster_uuid", "vsftype", "clear_node_high_bit",
    ]

    mutating func read() throws(ConfigurationError) -> CorosyncConf {
        let nodes = try readNodes()
        let quorum = try readQuorum()
        guard let totem = root.sections.first(where: { $0.name == "totem" }) else {
            throw ConfigurationError(
                ConfigurationPlace(file: file),
                "has no totem section",
                remedy: "name the corosync.conf of the cluster"
            )
        }
        let transport = try readTransport(totem)
        var conf = CorosyncConf(
            clusterName: totem.value("cluster_name")?.value,
            transport: transport,
            generation: generation,
            nodes: nodes,
            quorum: quorum,
            place: totem.place
        )
        try readTotem(totem, into: &conf)
        try readInterfaces(totem, into: &conf)
        try readRedundantRing(totem, into: &conf)
        conf.security = try readSecurity(totem)
        for section in root.sections
        where !["totem", "nodelist", "quorum", "logging", "system", "resources", "uidgid", "nozzle", "service", "aisexec", "amf", "event"]
            .contains(section.name)
        {
            warnings.append(ConfigurationWarning(section.place, "section \(section.name) is unknown and has no effect"))
        }
        conf.warnings = warnings
        return conf
    }

    private func readTransport(_ totem: CorosyncSection) throws(ConfigurationError) -> CorosyncConf.Transport {
        if let version = totem.value("version"), version.value != "2" {
            throw ConfigurationError(version.place, "version: \(version.value) is unknown", remedy: "write version: 2")
        }
        for key in ["crypto_cipher", "crypto_hash", "secauth"] where generation == .corosync3 {
            if let entry = totem.value(key), !["none", "off"].contains(entry.value) {
                throw ConfigurationError(
                    entry.place,
                    "\(key): \(entry.value) is not spoken by the bridge",
                    remedy:
                        "set it to \(key == "secauth" ? "off" : "none") for the time of the upgrade (corosync 3 has encryption with knet only)"
                )
            }
        }
        guard let entry = totem.value("transport") else {
            // Before knet it was udp, and openais had nothing else.
            guard generation == .corosync3 else { return .udp }
            throw ConfigurationError(
                totem.place,
                "has no transport, which means knet, and the bridge does not speak knet",
                remedy: "write transport: udpu (or udp); changing it after the upgrade needs a stop of the cluster"
            )
        }
        guard let transport = CorosyncConf.Transport(rawValue: entry.value), generation > .openais080 || transport == .udp else {
            throw ConfigurationError(
                entry.place,
                "transport: \(entry.value) is not spoken by the bridge",
                remedy: "write transport: udpu (or udp); changing it after the upgrade needs a stop of the cluster"
            )
        }
        return transport
    }

    private mutating func readTotem(_ totem: CorosyncSection, into conf: inout CorosyncConf) throws(ConfigurationError) {
        var token: Int64?
        var coefficient: Int64 = 650
        for entry in totem.entries {
            switch entry.key {
            case "token": token = try number(entry, 30...3_600_000)
            case "token_coefficient": coefficient = try number(entry, 0...600_000)
            case "netmtu": conf.networkMTU = Int(try number(entry, 576...65_535))
            case "config_version": conf.configVersion = UInt64(try number(entry, 0...Int64.max))
            default: break
            }
        }
        conf.timers = Self.timers(generation, token: token, coefficient: coefficient, nodes: conf.nodes.count)
        for entry in totem.entries {
            switch entry.key {
            case "token_retransmit": conf.timers.tokenRetransmit = try milliseconds(entry)
            case "hold": conf.timers.hold = try milliseconds(entry)
            case "join": conf.timers.join = try milliseconds(entry)
            case "consensus": conf.timers.consensus = try milliseconds(entry)
            case "merge": conf.timers.merge = try milliseconds(entry)
            case "fail_recv_const": conf.timers.failToReceive = Int(try number(entry, 1...1_000_000))
            case "seqno_unchanged_const": conf.timers.sequenceUnchanged = UInt32(try number(entry, 1...1_000_000))
            case "window_size": conf.timers.windowSize = UInt32(try number(entry, 1...10_000))
            case "max_messages": conf.timers.maxMessages = UInt32(try number(entry, 1...10_000))
            case "miss_count_const": conf.timers.missCount = UInt8(try number(entry, 1...255))
            case "version", "cluster_name", "transport", "crypto_cipher", "crypto_hash", "secauth", "token", "token_coefficient", "netmtu",
                "config_version":
                break
            case "rrp_mode", "rrp_token_expired_timeout", "rrp_problem_count_timeout", "rrp_problem_count_threshold",
                "rrp_problem_count_mcast_threshold", "rrp_autorecovery_check_timeout", "crypto_type", "crypto_accept", "keyfile", "nodeid":
                if generation == .corosync3 { warnIfUnknown(entry, in: "totem") }
            default: warnIfUnknown(entry, in: "totem")
            }
        }
        // openais has its consensus below the token's time by default (totemconfig.c:60-90@wt).
        if generation > .openais080, conf.timers.consensus < conf.timers.token {
            throw ConfigurationError(
                totem.value("consensus")?.place ?? totem.place,
                "consensus (\(conf.timers.consensus)) is shorter than token (\(conf.timers.token))",
                remedy: "leave consensus out: it is 1.2 times token then"
            )
        }
    }

    /// The timers of a ring of `generation`; the coefficient counts from the third node of a nodelist on (reference/totem-engine.md 1).
    static func timers(_ generation: TotemGeneration, token: Int64?, coefficient: Int64 = 650, nodes: Int) -> TotemTimers {
        var timers = TotemTimers(generation, nodes: nodes)
        let more = generation >= .corosync2 ? coefficient * Int64(max(0, nodes - 2)) : 0
        let derived = TotemTimers(token: .milliseconds((token ?? TotemTimers(generation, nodes: 2).token.milliseconds) + more))
        timers.token = derived.token
        // What else follows from the token's time is fixed in 2005, and consensus in openais too (totemconfig.c:60-90@wt).
        if generation > .totem2005 { (timers.tokenRetransmit, timers.hold) = (derived.tokenRetransmit, derived.hold) }
        if generation > .openais080 { timers.consensus = derived.consensus }
        return timers
    }

    private mutating func readInterfaces(_ totem: CorosyncSection, into conf: inout CorosyncConf) throws(ConfigurationError) {
        let limit = generation == .corosync3 || generation == .totem2005 ? 1 : RedundantRingConfiguration.interfaceLimit
        // Nodes with two addresses have two networks even when no section says so.
        let count = min(limit, max(1, conf.nodes.map(\.addresses.count).max() ?? 1))
        conf.networks = Array(repeating: TotemNetwork(port: 5405), count: count)
        for section in totem.sections {
            guard section.name == "interface" else {
                warnings.append(ConfigurationWarning(section.place, "section totem.\(section.name) is unknown and has no effect"))
                continue
            }
            var ring = 0
            if let entry = section.value("ringnumber") ?? section.value("linknumber") {
                guard entry.value == "0" || limit == 2 else {
                    throw ConfigurationError(
                        entry.place,
                        "has a second ring",
                        remedy: "\(generation.name) has one ring with udp and udpu: remove the section"
                    )
                }
                ring = Int(try number(entry, 0...Int64(limit - 1)))
            }
            while conf.networks.count <= ring { conf.networks.append(TotemNetwork(port: 5405)) }
            try read(section, into: &conf.networks[ring])
            if conf.networks[ring].group == TotemNetwork.broadcast, section.value("mcastport") == nil {
                // All networks have one broadcast address (totemconfig.c:1207@ne).
                conf.networks[ring].port = 5405 + 2 * UInt16(ring)
            }
        }
        guard conf.transport == .udp else {
            for index in conf.networks.indices { conf.networks[index].group = nil }
            return
        }
        let usesIPv6 = totem.value("ip_version").map { $0.value == "ipv6" } ?? conf.nodes.contains { $0.address.contains(":") }
        for index in conf.networks.indices where conf.networks[index].group == nil {
            let family: IPAddress.Family = usesIPv6 ? .ipv6 : .ipv4
            conf.networks[index].group = Self.multicastAddress(ofCluster: conf.clusterName ?? "", family: family, ring: UInt16(index))
        }
    }

    private mutating func read(_ section: CorosyncSection, into network: inout TotemNetwork) throws(ConfigurationError) {
        for entry in section.entries {
            switch entry.key {
            case "mcastport": network.port = UInt16(try number(entry, 1...65_535))
            case "ttl": network.hops = Int(try number(entry, 0...255))
            case "mcastaddr":
                guard let address = IPAddress(entry.value), address.isMulticast else {
                    throw ConfigurationError(
                        entry.place,
                        "mcastaddr: \(entry.value) is no multicast address",
                        remedy: "write e.g. 239.192.1.1"
                    )
                }
                network.group = address
            case "broadcast": if entry.value == "yes" { network.group = TotemNetwork.broadcast }
            case "ringnumber", "linknumber", "bindnetaddr": break
            default: warnIfUnknown(entry, in: "totem.interface")
            }
        }
    }

    /// The address that corosync derives from the cluster's name for ring number `ring` (reference/totem-wire.md 1.2).
    static func multicastAddress(ofCluster name: String, family: IPAddress.Family, ring: UInt16 = 0) -> IPAddress {
        let number = name.utf8.reduce(UInt16(0)) { $0 &* 2 &+ UInt16($1) } &+ ring
        return switch family {
        case .ipv4: IPAddress(ipv4: 0xEFC0_0000 | UInt32(number >> 8) << 8 | UInt32(number % 255))
        case .ipv6: IPAddress(ipv6High: 0xFF15_0000_0000_0000, low: UInt64(number))
        }
    }

    private mutating func readNodes() throws(ConfigurationError) -> [CorosyncConf.Node] {
        guard let list = root.sections.first(where: { $0.name == "nodelist" }) else {
            // Who is in the cluster then stands elsewhere.
            guard generation == .corosync3 else { return [] }
            throw ConfigurationError(
                ConfigurationPlace(file: file),
                "has no nodelist section",
                remedy: "list every node with nodeid, name and ring0_addr"
            )
        }
        var nodes: [CorosyncConf.Node] = []
        for section in list.sections {
            guard section.name == "node" else {
                warnings.append(ConfigurationWarning(section.place, "section nodelist.\(section.name) is unknown and has no effect"))
                continue
            }
            guard let idEntry = section.value("nodeid") else {
                throw ConfigurationError(
                    section.place,
                    "a node has no nodeid",
                    remedy: "give every node the id it has in the legacy cluster"
                )
            }
            let id = UInt32(try number(idEntry, 1...Int64(UInt32.max)))
            guard let address = section.value("ring0_addr") else {
                throw ConfigurationError(section.place, "node \(id) has no ring0_addr", remedy: "give its address on the cluster network")
            }
            if nodes.contains(where: { $0.id == id }) {
                throw ConfigurationError(idEntry.place, "nodeid \(id) is there twice", remedy: "every node needs its own")
            }
            if nodes.contains(where: { $0.address == address.value }) {
                throw ConfigurationError(address.place, "ring0_addr \(address.value) is there twice", remedy: "every node needs its own")
            }
            var node = CorosyncConf.Node(
                id: id,
                name: section.value("name")?.value ?? address.value,
                addresses: [address.value],
                place: section.place
            )
            for entry in section.entries {
                switch entry.key {
                case "quorum_votes": node.votes = UInt32(try number(entry, 0...65_535))
                case "ring1_addr" where generation != .corosync3: node.addresses.append(entry.value)
                case "nodeid", "name", "ring0_addr": break
                default: warnings.append(ConfigurationWarning(entry.place, "\(entry.key) of a node has no effect here"))
                }
            }
            nodes.append(node)
        }
        guard !nodes.isEmpty else { throw ConfigurationError(list.place, "lists no node", remedy: "list every node") }
        return nodes
    }

    private mutating func readQuorum() throws(ConfigurationError) -> Quorum {
        var quorum = Quorum()
        guard let section = root.sections.first(where: { $0.name == "quorum" }) else { return quorum }
        for entry in section.entries {
            switch entry.key {
            case "provider":
                guard entry.value == "corosync_votequorum" else {
                    throw ConfigurationError(
                        entry.place,
                        "provider: \(entry.value) is unknown",
                        remedy: "write provider: corosync_votequorum"
                    )
                }
                quorum.hasVoteQuorum = true
            case "expected_votes": quorum.expectedVotes = UInt32(try number(entry, 1...65_535))
            case "two_node": quorum.twoNode = try number(entry, 0...1) == 1
            case "wait_for_all": quorum.waitForAll = try number(entry, 0...1) == 1
            default: warnIfUnknown(entry, in: "quorum")
            }
        }
        for inner in section.sections {
            warnings.append(
                ConfigurationWarning(inner.place, "section quorum.\(inner.name) has no effect: the bridge counts no quorum device")
            )
        }
        return quorum
    }

    mutating func warnIfUnknown(_ entry: CorosyncSection.Entry, in section: String) {
        guard !Self.withoutEffectOnTheWire.contains(entry.key) else { return }
        warnings.append(ConfigurationWarning(entry.place, "\(section).\(entry.key) is unknown and has no effect here"))
    }

    func milliseconds(_ entry: CorosyncSection.Entry) throws(ConfigurationError) -> Interval {
        .milliseconds(try number(entry, 1...3_600_000))
    }

    func number(_ entry: CorosyncSection.Entry, _ range: ClosedRange<Int64>) throws(ConfigurationError) -> Int64 {
        guard let number = Int64(entry.value), range.contains(number) else {
            throw ConfigurationError(
                entry.place,
                "\(entry.key): \(entry.value) is no number from \(range.lowerBound) to \(range.upperBound)",
                remedy: "mend it"
            )
        }
        return number
    }
}

extension CorosyncSection {
    /// The entry for `key` that counts: the last one.
    func value(_ key: String) -> Entry? { entries.last { $0.key == key } }
}
