import WireFormat

/// The steps of opening an envelope with one key.
extension KeyMaterial {
    /// Whether the message authentication code of `datagram` is right, and corosync 2's header, which the code does not cover in 2.0.
    /// Without a hash there is nothing that could be right.
    func authenticates(_ datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout) -> Bool {
        guard hasPrefix(datagram, layout) else { return false }
        let message = UnsafeRawBufferPointer(rebasing: datagram[layout.authenticated.range])
        let digest = UnsafeRawBufferPointer(rebasing: datagram[layout.digest.range])
        if layout.scheme.cipher == .sober128 {
            return withPacketKeys(UnsafeRawBufferPointer(rebasing: datagram[layout.salt.range])) { $0.isCode(digest, of: message) }
        }
        return authentication(of: layout.scheme)?.isCode(digest, of: message) ?? false
    }

    /// Whether corosync 2's header is right; true where there is none.
    func hasPrefix(_ datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout) -> Bool {
        guard let prefix = layout.scheme.prefix else { return true }
        return (datagram[0], datagram[1], datagram[2], datagram[3]) == prefix
    }

    /// Authenticates `datagram` and decrypts it to the start of `output`, which is at least as long. Says how many bytes that are; nil when
    /// it is not authentic, or cannot be the ciphertext of anything.
    func open(_ datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout, to output: UnsafeMutableRawBufferPointer) -> Int? {
        let body = UnsafeRawBufferPointer(rebasing: datagram[layout.body.range])
        let salt = UnsafeRawBufferPointer(rebasing: datagram[layout.salt.range])
        if layout.scheme.cipher == .sober128 {
            return withPacketKeys(salt) { keys in
                let message = UnsafeRawBufferPointer(rebasing: datagram[layout.authenticated.range])
                guard keys.isCode(UnsafeRawBufferPointer(rebasing: datagram[layout.digest.range]), of: message) else { return nil }
                output.copyMemory(from: body)
                keys.apply(to: UnsafeMutableRawBufferPointer(rebasing: output[..<body.count]))
                return body.count
            }
        }
        guard authenticates(datagram, layout) else { return nil }
        return blockCipher(layout.scheme.cipher)?.decrypt(body, salt: salt, to: output)
    }

    /// Decrypts the first `bodyCount` bytes of the ciphertext, whole blocks of it, without authenticating them.
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
            withPacketKeys(salt) { $0.apply(to: UnsafeMutableRawBufferPointer(rebasing: output[..<body.count])) }
            return body.count
        case .aes128, .aes192, .aes256:
            return blockCipher(layout.scheme.cipher)?.decryptBlocks(body, salt: salt, to: output)
        }
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

/// What a packet of openais derives from the private key and its salt (reference/totem-wire.md 2.1).
struct PacketKeys {
    let initializationVector: UnsafeRawBufferPointer
    let cipher: UnsafeRawBufferPointer
    let authentication: UnsafeRawBufferPointer

    /// Encrypts or decrypts `buffer`, which are the same.
    func apply(to buffer: UnsafeMutableRawBufferPointer) {
        Sober128(key: cipher).apply(initializationVector: initializationVector, to: buffer)
    }

    /// Whether `digest` is the code of `message`.
    func isCode(_ digest: UnsafeRawBufferPointer, of message: UnsafeRawBufferPointer) -> Bool {
        MessageAuthentication.withCode(key: authentication, of: message) { MessageAuthentication.areEqual($0, digest) }
    }
}
