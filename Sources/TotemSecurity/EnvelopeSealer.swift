import WireFormat

/// Puts packets into envelopes: one scheme, one key.
public struct EnvelopeSealer: Sendable {
    /// Why there is no sealer for a scheme and a key.
    public enum Failure: Error, Hashable, Sendable {
        /// No such combination of envelope, cipher and hash exists, or nothing here can compute it (`3des`).
        case unsupported(SecurityScheme)
        /// The daemons that use the scheme do not start with a key of this length: a key file of openais and corosync 1 and 2 has 128 bytes
        /// (totemconfig.c:561@wt, 859@fl, 1511@ne), a key of knet 128 to 4096.
        case unusableKey(name: String, count: Int)
        /// The library refused to encrypt, and why.
        case cryptography(String)
    }

    /// How packets are protected.
    public let scheme: SecurityScheme
    let material: KeyMaterial

    /// A sealer with `key`, which is not used where `scheme` needs none. Keys that come from no file, as cman's, may be short: daemons
    /// ask for a length where they read a file.
    public init(_ scheme: SecurityScheme, key: SecurityKey) throws(Failure) {
        guard scheme.isPossible, scheme.cipher != .tripleDES else { throw .unsupported(scheme) }
        let material = KeyMaterial(key)
        if scheme.needsKey, key.isFromFile, key.bytes.count < KeyMaterial.daemonKeySize {
            throw .unusableKey(name: key.name, count: key.bytes.count)
        }
        if scheme.envelope == .knet, scheme.hash != .none, material.authentication(of: scheme) == nil {
            throw .unusableKey(name: key.name, count: key.bytes.count)
        }
        self.scheme = scheme
        self.material = material
    }

    /// How many bytes an envelope around `plaintextCount` bytes has.
    public func sealedSize(_ plaintextCount: Int) -> Int { EnvelopeLayout(scheme, plaintextCount: plaintextCount).count }

    /// Appends the envelope around `plaintext` to `output`. The salt is a fresh random one for every packet, and not used without a cipher.
    /// When it throws, `output` is as it was.
    public func seal(_ plaintext: UnsafeRawBufferPointer, salt: EnvelopeSalt, into output: inout [UInt8]) throws(Failure) {
        let layout = EnvelopeLayout(scheme, plaintextCount: plaintext.count)
        let start = output.count
        if let prefix = scheme.prefix {
            output.append(prefix.cipher)
            output.append(prefix.hash)
            output.append(prefix.pad0)
            output.append(prefix.pad1)
        }
        if scheme.envelope.startsWithDigest { output.append(contentsOf: repeatElement(0, count: layout.digest.count)) }
        if scheme.cipher != .none { salt.withUnsafeBytes { output.append(contentsOf: $0) } }
        if scheme.cipher == .sober128 {
            // The digest is in front.
            output.append(contentsOf: plaintext)
            salt.withUnsafeBytes { seal($0, layout, in: &output, from: start) }
        } else {
            if let cipher = material.blockCipher(scheme.cipher) {
                do throws(Failure) {
                    try cipher.encrypt(plaintext, salt: salt, to: &output)
                } catch {
                    output.removeLast(output.count - start)
                    throw error
                }
            } else {
                output.append(contentsOf: plaintext)
            }
            if !scheme.envelope.startsWithDigest { output.append(contentsOf: repeatElement(0, count: layout.digest.count)) }
            sign(layout, in: &output, from: start)
        }
        if let type = scheme.cryptographyType { output.append(type) }
    }

    /// Puts the digest into its place in the envelope that begins at `start`.
    private func sign(_ layout: EnvelopeLayout, in output: inout [UInt8], from start: Int) {
        guard let authentication = material.authentication(of: scheme) else { return }
        output.withUnsafeMutableBytes { buffer in
            let envelope = UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
            authentication.withCode(of: UnsafeRawBufferPointer(rebasing: envelope[layout.authenticated.range])) {
                UnsafeMutableRawBufferPointer(rebasing: envelope[layout.digest.range]).copyMemory(from: $0)
            }
        }
    }

    /// Encrypts the packet in the envelope that begins at `start`, and signs it, with what openais derives from the salt.
    private func seal(_ salt: UnsafeRawBufferPointer, _ layout: EnvelopeLayout, in output: inout [UInt8], from start: Int) {
        output.withUnsafeMutableBytes { buffer in
            let envelope = UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
            material.withPacketKeys(salt) { keys in
                keys.apply(to: UnsafeMutableRawBufferPointer(rebasing: envelope[layout.body.range]))
                let message = UnsafeRawBufferPointer(rebasing: envelope[layout.authenticated.range])
                MessageAuthentication.withCode(key: keys.authentication, of: message) {
                    UnsafeMutableRawBufferPointer(rebasing: envelope[layout.digest.range]).copyMemory(from: $0)
                }
            }
        }
    }
}

extension SecurityScheme {
    /// The byte behind everything in packets of corosync 1: which kind of cryptography it is. nil in other envelopes.
    var cryptographyType: UInt8? {
        envelope == .corosync1 ? (cipher == .sober128 ? 0 : 1) : nil
    }

    /// Whether a daemon has such a combination: openais and corosync 1 have three fixed ones, corosync 2 and knet refuse a cipher
    /// without a hash (totemcrypto.c:1077@ne).
    public var isPossible: Bool {
        switch envelope {
        case .openais: self == .openais
        case .corosync1: self == .corosync1 || self == .corosync1NSS
        case .corosync20, .corosync22, .corosync23: cipher != .sober128 && (cipher == .none || hash != .none)
        case .knet: cipher != .sober128 && hash != .none
        }
    }
}
