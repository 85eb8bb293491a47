import WireFormat

/// The steps of opening an envelope with one key.
extension KeyMaterial {
    /// Whether the message authentication code of `datagram` is right, and corosync 2's header, which the code does not cover in 2.0.
    /// Without a hash there is nothing that could be right.
    func authenticates(_ datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout) -> Bool {
        if let prefix = layout.scheme.prefix {
            guard (datagram[0], datagram[1], datagram[2], datagram[3]) == prefix else { return false }
        }
        let message = UnsafeRawBufferPointer(rebasing: datagram[layout.authenticated.range])
        let digest = UnsafeRawBufferPointer(rebasing: datagram[layout.digest.range])
        if layout.scheme.cipher == .sober128 {
            let salt = UnsafeRawBufferPointer(rebasing: datagram[layout.salt.range])
            return withPacketKeys(salt) { keys in
                MessageAuthentication(.sha1, key: keys.authentication)?.isCode(digest, of: message) ?? false
            }
        }
        return authentication(of: layout.scheme)?.isCode(digest, of: message) ?? false
    }

    /// Decrypts `datagram` to the start of `output`, which is at least as long, and says how many bytes that are; nil when it cannot be
    /// the ciphertext of anything.
    func decrypt(_ datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout, to output: UnsafeMutableRawBufferPointer) -> Int? {
        let body = UnsafeRawBufferPointer(rebasing: datagram[layout.body.range])
        guard let cipher = blockCipher(layout.scheme.cipher) else {
            return decryptPart(datagram, layout, bodyCount: body.count, to: output)
        }
        return cipher.decrypt(body, salt: UnsafeRawBufferPointer(rebasing: datagram[layout.salt.range]), to: output)
    }

    /// The same with the first `bodyCount` bytes of the ciphertext, whole blocks of it, and without looking for padding.
    func decryptPart(
        _ datagram: UnsafeRawBufferPointer,
        _ layout: EnvelopeLayout,
        bodyCount: Int,
        to output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let body = UnsafeRawBufferPointer(rebasing: datagram[layout.body.start..<layout.body.start + bodyCount])
        let salt = UnsafeRawBufferPointer(rebasing: datagram[layout.salt.range])
        switch layout.scheme.cipher {
        case .none, .tripleDES:
            return nil
        case .sober128:
            output.copyMemory(from: body)
            let plaintext = UnsafeMutableRawBufferPointer(rebasing: output[..<body.count])
            withPacketKeys(salt) { keys in
                Sober128(key: keys.cipher).apply(initializationVector: keys.initializationVector, to: plaintext)
            }
            return body.count
        case .aes128, .aes192, .aes256:
            return blockCipher(layout.scheme.cipher)?.decryptBlocks(body, salt: salt, to: output)
        }
    }

    /// What a packet of openais derives from the private key and its salt (reference/totem-wire.md 2.1).
    struct PacketKeys {
        let initializationVector: UnsafeRawBufferPointer
        let cipher: UnsafeRawBufferPointer
        let authentication: UnsafeRawBufferPointer
    }

    /// Hands the keys of the packet with `salt` to `body`.
    func withPacketKeys<Result>(_ salt: UnsafeRawBufferPointer, _ body: (PacketKeys) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 48, alignment: 4) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            sober.apply(initializationVector: salt, to: buffer)
            let keys = UnsafeRawBufferPointer(buffer)
            return body(
                PacketKeys(
                    initializationVector: UnsafeRawBufferPointer(rebasing: keys[0..<16]),
                    cipher: UnsafeRawBufferPointer(rebasing: keys[16..<32]),
                    authentication: UnsafeRawBufferPointer(rebasing: keys[32..<48])
                )
            )
        }
    }
}
