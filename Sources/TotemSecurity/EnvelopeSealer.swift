import WireFormat

/// Puts packets into envelopes: one scheme, one key.
public struct EnvelopeSealer: Sendable {
    /// Why there is no sealer for a scheme and a key.
    public enum Failure: Error, Hashable, Sendable {
        /// No such combination of envelope, cipher and hash exists, or nothing here can compute it (`3des`).
        case unsupported(SecurityScheme)
        /// knet takes keys of 128 to 4096 bytes.
        case unusableKey(name: String, count: Int)
    }

    /// How packets are protected.
    public let scheme: SecurityScheme
    private let material: KeyMaterial

    /// A sealer with `key`, which is not used where `scheme` needs none.
    public init(_ scheme: SecurityScheme, key: SecurityKey) throws(Failure) {
        guard scheme.isPossible, scheme.cipher != .tripleDES else { throw .unsupported(scheme) }
        let material = KeyMaterial(key)
        if scheme.envelope == .knet, scheme.hash != .none, material.authentication(of: scheme) == nil {
            throw .unusableKey(name: key.name, count: key.bytes.count)
        }
        self.scheme = scheme
        self.material = material
    }

    /// How many bytes an envelope around `plaintextCount` bytes has.
    public func sealedSize(_ plaintextCount: Int) -> Int { EnvelopeLayout(scheme, plaintextCount: plaintextCount).count }

    /// Appends the envelope around `plaintext` to `output`. The salt has 16 bytes, a fresh random one for every packet; it is not used
    /// without a cipher.
    public func seal(_ plaintext: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        precondition(scheme.cipher == .none || salt.count == EnvelopeLayout.saltSize)
        let layout = EnvelopeLayout(scheme, plaintextCount: plaintext.count)
        let start = output.count
        output.reserveCapacity(start + layout.count)
        if let prefix = scheme.prefix {
            output.append(prefix.cipher)
            output.append(prefix.hash)
            output.append(prefix.pad0)
            output.append(prefix.pad1)
        }
        if scheme.envelope.startsWithDigest { output.append(contentsOf: repeatElement(0, count: layout.digest.count)) }
        if scheme.cipher != .none { output.append(contentsOf: salt) }
        if scheme.cipher == .sober128 {
            // The digest is in front.
            output.append(contentsOf: plaintext)
            seal(salt, layout, in: &output, from: start)
        } else {
            encrypt(plaintext, salt: salt, to: &output)
            if !scheme.envelope.startsWithDigest { output.append(contentsOf: repeatElement(0, count: layout.digest.count)) }
            sign(layout, in: &output, from: start)
        }
        if scheme.envelope == .corosync1 { output.append(scheme.cipher == .sober128 ? 0 : 1) }
    }

    private func encrypt(_ plaintext: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        if let cipher = material.blockCipher(scheme.cipher) {
            cipher.encrypt(plaintext, salt: salt, to: &output)
        } else {
            output.append(contentsOf: plaintext)
        }
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
