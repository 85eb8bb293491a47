import Testing

@testable import TotemSecurity

/// The vectors of reference/totem-wire.md 2.1; the derivation was compared with the original crypto.c.
@Suite struct Sober128Tests {
    static let salt = [UInt8](0..<16)
    static let alpha = SecurityKey(clusterName: "alpha")

    private func keystream(_ key: [UInt8], _ vector: [UInt8]?, count: Int) -> [UInt8] {
        var stream = [UInt8](repeating: 0, count: count)
        key.withUnsafeBytes { key in
            let cipher = Sober128(key: key)
            stream.withUnsafeMutableBytes { buffer in
                if let vector {
                    vector.withUnsafeBytes { cipher.apply(initializationVector: $0, to: buffer) }
                } else {
                    cipher.apply(initializationVector: nil, to: buffer)
                }
            }
        }
        return stream
    }

    @Test func keyAlone() {
        let key = Array("test key 128bits".utf8)
        #expect(keystream(key, nil, count: 20) == bytes("29de4d7b71f24c12cf014437de1d14e11e83ee8b"))
    }

    @Test func keyAndVector() {
        let key = Array("test key 128bits".utf8)
        #expect(keystream(key, [0, 0, 0, 0], count: 20) == bytes("43500ccf89919f1daa377495f4b458c240378bbb"))
    }

    @Test func emptyKey() {
        let expected = "ea47069624adcc4dada5f68ab933c09599ec1e9ce02afe2cc325cf0c3b2cf61f3c0f449d49168b51754e62ec9054ef67"
        #expect(keystream([], Self.salt, count: 48) == bytes(expected))
    }

    @Test func aStreamIsTheSameWhateverItsLength() {
        let long = keystream(Self.alpha.bytes, Self.salt, count: 1000)
        for count in [0, 1, 2, 3, 4, 5, 67, 68, 69, 135, 136, 137, 999] {
            #expect(keystream(Self.alpha.bytes, Self.salt, count: count) == Array(long.prefix(count)))
        }
    }

    @Test func keysOfAPacket() {
        Self.salt.withUnsafeBytes { salt in
            KeyMaterial(Self.alpha).withPacketKeys(salt) { keys in
                #expect(Array(keys.initializationVector) == bytes("51c88fd64231631dd3d864c44b200129"))
                #expect(Array(keys.cipher) == bytes("688465267ca6e9b5c486abdd01770900"))
                #expect(Array(keys.authentication) == bytes("2d8670083ad640f1f2efecef511261ad"))
            }
        }
    }

    @Test func aSealedPacket() throws {
        let sealer = try EnvelopeSealer(.openais, key: Self.alpha)
        let sealed = try sealer.seal(Array("Totem test packet".utf8), salt: Self.salt)
        let expected = "70eb33f1f037f7284991569a55ceb3a4ff88a75a000102030405060708090a0b0c0d0e0f69cf07f6c424bd2a313673f59cadbde295"
        #expect(sealed == bytes(expected))
    }
}
