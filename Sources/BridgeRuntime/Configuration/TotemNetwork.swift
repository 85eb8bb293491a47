import EngineKit
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

/// One of the networks of a ring (`interface` of corosync.conf).
public struct TotemNetwork: Sendable, Hashable {
    /// UDP port of everything.
    public var port: UInt16
    /// Where multicasts go: a multicast address, 255.255.255.255 with `broadcast: yes`, or nil with udpu, where each node gets a copy.
    public var group: IPAddress?
    /// Hop limit of multicasts (`ttl`).
    public var hops = 1

    /// `broadcast: yes`.
    static let broadcast = IPAddress(ipv4: 0xFFFF_FFFF)
}

/// How the members of a ring protect their packets.
public struct RingSecurity: Sendable, Hashable {
    /// The envelope.
    public var scheme: SecurityScheme
    /// The key; the empty one where the scheme needs none.
    public var key: SecurityKey

    /// What a ring of `generation` has whose configuration names none: nothing, but the header of corosync 2, and the empty key of 2005
    /// (reference/totem-wire.md 2).
    public static func none(_ generation: TotemGeneration) -> RingSecurity? {
        switch generation {
        case .totem2005: RingSecurity(scheme: .openais, key: .empty)
        case .openais080, .corosync1, .corosync3: nil
        case .corosync2: RingSecurity(scheme: .corosync2Plain, key: .empty)
        }
    }
}

/// What configurations say about security, by the words of corosync.conf, before a key is there.
struct SecuritySettings: Sendable, Hashable {
    /// `secauth`.
    var isOn: Bool?
    /// `crypto_cipher`.
    var cipher: SecurityCipher?
    /// `crypto_hash`.
    var hash: SecurityHash?
    /// `crypto_accept: new` with `crypto_type: nss` of corosync 1.
    var usesNSS = false
    /// `keyfile`.
    var keyFile: String?

    /// The scheme of a daemon of `generation` with these settings, nil for none (totemconfig.c:208@wt, 233-270@fl, 411-480@ne).
    func scheme(of generation: TotemGeneration) -> SecurityScheme? {
        switch generation {
        case .totem2005: return .openais
        case .openais080: return isOn ?? true ? .openais : nil
        case .corosync1: return isOn ?? true ? (usesNSS ? .corosync1NSS : .corosync1) : nil
        case .corosync2:
            let scheme = SecurityScheme(
                .corosync23,
                cipher: cipher ?? (isOn ?? true ? .aes256 : .none),
                hash: hash ?? (isOn ?? true ? .sha1 : .none)
            )
            return scheme
        case .corosync3: return nil
        }
    }

    /// Where a daemon of `generation` looks for its key when nothing else is said.
    static func defaultKeyFile(of generation: TotemGeneration) -> String {
        generation <= .openais080 ? "/etc/ais/authkey" : "/etc/corosync/authkey"
    }

    /// Reads the key and puts both together. `place` is where the settings stand.
    func security(
        of generation: TotemGeneration,
        place: ConfigurationPlace,
        warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) -> RingSecurity? {
        guard let scheme = scheme(of: generation), scheme.needsKey, generation != .totem2005 else { return .none(generation) }
        let path = keyFile ?? Self.defaultKeyFile(of: generation)
        let loaded: SecurityKeyFile.Loaded
        do throws(SecurityKeyFile.Failure) {
            loaded = try SecurityKeyFile.loadForUse(path: path)
        } catch {
            throw ConfigurationError(place, "the key file \(error)", remedy: "mend the key file, or name another one")
        }
        warnings += loaded.warnings.map { ConfigurationWarning(place, "the key file \($0)") }
        return try Self.checked(RingSecurity(scheme: scheme, key: loaded.key), place: place)
    }

    /// `security`, if packets can be sealed so.
    static func checked(_ security: RingSecurity, place: ConfigurationPlace) throws(ConfigurationError) -> RingSecurity {
        do throws(EnvelopeSealer.Failure) {
            _ = try EnvelopeSealer(security.scheme, key: security.key)
        } catch {
            switch error {
            case .unsupported(let scheme):
                throw ConfigurationError(
                    place,
                    "\(scheme) is not spoken",
                    remedy: "use aes256, aes192, aes128 or none, and a cipher only with a hash"
                )
            case .unusableKey(let name, let count):
                throw ConfigurationError(
                    place,
                    "the key \(name) has \(count) bytes",
                    remedy: "the daemons want 128; make one with corosync-keygen"
                )
            case .cryptography(let reason):
                throw ConfigurationError(place, "packets cannot be sealed: \(reason)", remedy: "use another cipher")
            }
        }
        return security
    }
}

extension TotemGeneration {
    /// The generation called `name` in configurations and listings, e.g. `corosync-2`.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name.description == name }) else { return nil }
        self = found
    }

    /// The largest totempg packet that a processor sends over networks with IP packets of `size` bytes. Of corosync 3 it is less than the
    /// daemons send, whose packets IP fragments.
    func networkMTU(ofPackets size: Int, family: IPAddress.Family, networks: Int, envelope: Int) -> Int {
        let unfragmented = self == .corosync3 ? size - (family == .ipv4 ? 28 : 48) : size
        return TotemConfiguration.networkMTU(
            of: self,
            packetSize: unfragmented,
            ipv6: family == .ipv6,
            networks: networks,
            envelope: envelope
        )
    }
}
