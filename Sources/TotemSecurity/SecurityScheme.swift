/// How a packet is protected: the layout of its envelope, the cipher and the hash.
public struct SecurityScheme: Sendable, Hashable {
    /// The layout of the envelope.
    public var envelope: SecurityEnvelope
    /// What the packet is encrypted with.
    public var cipher: SecurityCipher
    /// What the message authentication code is made with.
    public var hash: SecurityHash

    /// A scheme with all its parts.
    public init(_ envelope: SecurityEnvelope, cipher: SecurityCipher, hash: SecurityHash) {
        self.envelope = envelope
        self.cipher = cipher
        self.hash = hash
    }

    /// openais, with `secauth: on`; libtotem_pg of 2005 always (reference/totem-wire.md 2.1).
    public static let openais = SecurityScheme(.openais, cipher: .sober128, hash: .sha1)
    /// corosync 1 with `secauth: on` (2.2).
    public static let corosync1 = SecurityScheme(.corosync1, cipher: .sober128, hash: .sha1)
    /// corosync 1 with `crypto_accept: new` and `crypto_type: nss` (2.2).
    public static let corosync1NSS = SecurityScheme(.corosync1, cipher: .aes256, hash: .sha1)
    /// corosync 2.3 and later without encryption: a prefix and nothing else (2.3).
    public static let corosync2Plain = SecurityScheme(.corosync23, cipher: .none, hash: .none)

    /// corosync 2's header, which only 2.0 and 2.1 filled with what it is called after (reference/totem-wire.md 2.3); nil in other envelopes.
    var prefix: (cipher: UInt8, hash: UInt8, pad0: UInt8, pad1: UInt8)? {
        switch envelope {
        case .openais, .corosync1, .knet: nil
        case .corosync20: (cipher.rawValue, hash.rawValue, 0, 0)
        case .corosync22: (0xFF, 0xFF, 0, 0)
        case .corosync23: (0xFE, 0xFE, 0, 0)
        }
    }

    /// How many bytes longer an envelope is than what is in it, at most: what daemons take off the size of their packets
    /// (reference/totem-wire.md 1.3; totemcrypto.c:801-834@ne takes off two blocks and not one).
    public var largestOverhead: Int {
        let salt = cipher == .none ? 0 : EnvelopeLayout.saltSize
        let padding = cipher.blockSize == 1 ? 0 : 2 * cipher.blockSize
        return (prefix == nil ? 0 : EnvelopeLayout.prefixSize) + salt + padding + hash.digestSize
    }

    /// Whether a key is needed to read the packet or to know that it is genuine.
    public var needsKey: Bool { cipher != .none || hash != .none }
}

extension SecurityScheme: CustomStringConvertible {
    /// E.g. `knet aes256/sha256`.
    public var description: String { "\(envelope.name) \(cipher.name)/\(hash.name)" }
}

/// The layout of a security envelope, by who writes it (reference/totem-wire.md 2).
public enum SecurityEnvelope: Sendable, Hashable, CaseIterable {
    /// Digest, salt, ciphertext.
    case openais
    /// The same, and a byte that names the kind of cryptography behind it.
    case corosync1
    /// corosync 2.0 and 2.1: numbers of cipher and hash, digest, salt, ciphertext.
    case corosync20
    /// corosync 2.2: `FF FF 00 00`, salt, ciphertext, digest.
    case corosync22
    /// corosync 2.3 and later: `FE FE 00 00`, salt, ciphertext, digest.
    case corosync23
    /// Around a whole knet packet: salt, ciphertext, digest.
    case knet

    /// Whether the authentication code is made with a key of length 0, whatever the key file holds: `hash_param.len = 0` in
    /// init_nss_hash, totemcrypto.c:441-443 of 2.1.1 and 480-482 of 2.2.0; mended in 2.3 (CVE-2013-0250).
    var hasKeylessCode: Bool { self == .corosync20 || self == .corosync22 }

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .openais: "openais"
        case .corosync1: "corosync-1"
        case .corosync20: "corosync-2.0"
        case .corosync22: "corosync-2.2"
        case .corosync23: "corosync-2"
        case .knet: "knet"
        }
    }
}

/// What a packet is encrypted with. Raw values are those of corosync 2.0's header (`crypto_crypt_t`); SOBER-128 has none there.
public enum SecurityCipher: UInt8, Sendable, Hashable, CaseIterable {
    case none = 0
    case aes256 = 1
    case aes192 = 2
    case aes128 = 3
    case tripleDES = 4
    case sober128 = 255

    /// Its name in the configuration of corosync.
    public var name: StaticString {
        switch self {
        case .none: "none"
        case .aes256: "aes256"
        case .aes192: "aes192"
        case .aes128: "aes128"
        case .tripleDES: "3des"
        case .sober128: "sober128"
        }
    }

    /// Bytes that a block of it has; 1 where it encrypts byte by byte.
    var blockSize: Int {
        switch self {
        case .none, .sober128: 1
        case .tripleDES: 8
        case .aes128, .aes192, .aes256: 16
        }
    }
}

/// What the message authentication code is made with, always as HMAC (RFC 2104). Raw values are those of corosync 2.0's header
/// (`crypto_hash_t`).
public enum SecurityHash: UInt8, Sendable, Hashable, CaseIterable {
    case none = 0
    case md5 = 1
    case sha1 = 2
    case sha256 = 3
    case sha384 = 4
    case sha512 = 5

    /// Its name in the configuration of corosync.
    public var name: StaticString {
        switch self {
        case .none: "none"
        case .md5: "md5"
        case .sha1: "sha1"
        case .sha256: "sha256"
        case .sha384: "sha384"
        case .sha512: "sha512"
        }
    }

    /// Bytes of the code.
    public var digestSize: Int {
        switch self {
        case .none: 0
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }
}
