import EngineKit
import TotemNode
import TotemSecurity
import TotemWire

/// What corosync.conf says against the failure of a network, and against strangers.
extension CorosyncConfReader {
    func readRedundantRing(_ totem: CorosyncSection, into conf: inout CorosyncConf) throws(ConfigurationError) {
        var mode = RedundantRingMode.none
        let entry = totem.value("rrp_mode")
        if let entry, generation != .corosync3 {
            guard let found = RedundantRingMode(rawValue: entry.value) else {
                throw ConfigurationError(entry.place, "rrp_mode: \(entry.value) is unknown", remedy: "write none, passive or active")
            }
            mode = found
        }
        guard mode != .none || conf.networks.count == 1 else {
            throw ConfigurationError(
                entry?.place ?? totem.place,
                "has two networks and no rrp_mode",
                remedy: "write rrp_mode: passive or rrp_mode: active"
            )
        }
        var ring = RedundantRingConfiguration(nodeID: 0, mode: mode, generation: generation, tokenRetransmit: conf.timers.tokenRetransmit)
        ring.interfaceCount = conf.networks.count
        let lowest = Int64(RedundantRingConfiguration.lowestThreshold(of: generation))
        if let entry = totem.value("rrp_problem_count_threshold") {
            ring.problemCountThreshold = Int(try number(entry, lowest...1_000_000))
            ring.multicastProblemCountThreshold = ring.problemCountThreshold * (generation <= .openais080 ? 1 : 10)
        }
        if generation > .openais080, let entry = totem.value("rrp_problem_count_mcast_threshold") {
            ring.multicastProblemCountThreshold = Int(try number(entry, lowest...10_000_000))
        }
        if let entry = totem.value("rrp_token_expired_timeout") { ring.tokenExpired = try milliseconds(entry) }
        if let entry = totem.value("rrp_problem_count_timeout") { ring.problemCountTimeout = try milliseconds(entry) }
        if ring.autorecoveryCheck != nil, let entry = totem.value("rrp_autorecovery_check_timeout") {
            ring.autorecoveryCheck = try milliseconds(entry)
        }
        conf.redundantRing = ring
    }

    func readSecurity(_ totem: CorosyncSection) throws(ConfigurationError) -> SecuritySettings {
        var settings = SecuritySettings()
        // It is on unless it is off (totemconfig.c:136, 158-164@wt; 426@ne).
        settings.isOn = totem.value("secauth").map { $0.value != "off" }
        if let entry = totem.value("crypto_cipher"), generation == .corosync2 {
            guard let cipher = SecurityCipher.allCases.first(where: { $0.name.description == entry.value && $0 != .sober128 }) else {
                throw ConfigurationError(
                    entry.place,
                    "crypto_cipher: \(entry.value) is unknown",
                    remedy: "write none, aes128, aes192 or aes256"
                )
            }
            settings.cipher = cipher
        }
        if let entry = totem.value("crypto_hash"), generation == .corosync2 {
            guard let hash = SecurityHash.allCases.first(where: { $0.name.description == entry.value }) else {
                throw ConfigurationError(entry.place, "crypto_hash: \(entry.value) is unknown", remedy: "write none, md5, sha1 or sha256")
            }
            settings.hash = hash
        }
        settings.usesNSS = totem.value("crypto_type")?.value == "nss" && totem.value("crypto_accept")?.value == "new"
        settings.keyFile = totem.value("keyfile")?.value
        return settings
    }
}
