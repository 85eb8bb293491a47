import Crypto
import WireFormat

/// A key, made ready for every scheme that it can be used with.
final class KeyMaterial: Sendable {
    /// The key itself.
    let key: SecurityKey
    /// SOBER-128 with the key, from which every packet's own keys come.
    let sober: Sober128

    private let aes128: SymmetricKey
    private let aes192: SymmetricKey
    private let aes256: SymmetricKey
    /// Of corosync 1's NSS mode.
    private let nss: MessageAuthentication?
    /// Of corosync 2.3 and later, by hash.
    private let corosync2: [MessageAuthentication?]
    /// Of knet, by hash; empty where the key is too short for it.
    private let knet: [MessageAuthentication?]
    /// Of corosync 2.0 to 2.2, by hash (`SecurityEnvelope.hasKeylessCode`).
    private let keyless: [MessageAuthentication?]

    /// openais and corosync 1 and 2 take in so many bytes of a key file (reference/totem-wire.md 2.1, 2.3).
    static let daemonKeySize = 128

    /// KNET_MIN_KEY_LEN, libknet.h:777@kn.
    static let knetKeyMinimum = 128

    /// KNET_MAX_KEY_LEN, libknet.h:778@kn.
    static let knetKeyMaximum = 4096

    init(_ key: SecurityKey) {
        self.key = key
        let taken = key.bytes.prefix(Self.daemonKeySize)
        // A length that is no multiple of 4 cannot be loaded; whoever has such a key fills it up with zeros.
        let words = Array(taken) + [UInt8](repeating: 0, count: (4 - taken.count % 4) % 4)
        sober = words.withUnsafeBytes { Sober128(key: $0) }
        // The daemons keep keys in zeroed buffers, so that a short key is a long one that ends in zeros.
        let cipherKey = (Array(taken.prefix(32)) + [UInt8](repeating: 0, count: 32)).prefix(32)
        aes128 = SymmetricKey(data: cipherKey.prefix(16))
        aes192 = SymmetricKey(data: cipherKey.prefix(24))
        aes256 = SymmetricKey(data: cipherKey)
        nss = MessageAuthentication(.sha1, key: cipherKey)
        corosync2 = Self.byHash(key: taken)
        keyless = Self.byHash(key: [])
        let isForKnet = Self.knetKeyMinimum...Self.knetKeyMaximum ~= key.bytes.count
        knet = isForKnet ? Self.byHash(key: key.bytes) : []
    }

    private static func byHash(key: some Collection<UInt8>) -> [MessageAuthentication?] {
        SecurityHash.allCases.map { MessageAuthentication($0, key: key) }
    }

    /// What makes the authentication codes of `scheme`; nil where there are none, where this key is too short, and for SOBER-128, whose
    /// packets bring their own key.
    func authentication(of scheme: SecurityScheme) -> MessageAuthentication? {
        let index = Int(scheme.hash.rawValue)
        switch scheme.envelope {
        case .openais: return nil
        case .corosync1: return scheme.cipher == .sober128 ? nil : nss
        case .corosync20, .corosync22: return keyless[index]
        case .corosync23: return corosync2[index]
        case .knet: return index < knet.count ? knet[index] : nil
        }
    }

    /// The key of `cipher`; nil for those that are no AES.
    func blockCipher(_ cipher: SecurityCipher) -> BlockCipher? {
        switch cipher {
        case .aes128: BlockCipher(key: aes128)
        case .aes192: BlockCipher(key: aes192)
        case .aes256: BlockCipher(key: aes256)
        case .none, .sober128, .tripleDES: nil
        }
    }
}
