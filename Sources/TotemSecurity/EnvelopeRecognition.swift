import WireFormat

/// What the first bytes of a datagram say about its envelope (reference/totem-wire.md 0).
enum EnvelopeRecognition {
    /// The datagram begins like a Totem packet or a knet packet without any envelope.
    case plain
    /// It begins like a knet packet, which may have a digest behind it.
    case knet
    /// It begins with a header of corosync 2.
    case corosync2(SecurityEnvelope)
    /// Its first bytes are as mixed as those of a digest or of a salt.
    case random
    /// Anything else.
    case other

    /// Looks at `datagram`.
    init(_ datagram: UnsafeRawBufferPointer) {
        if datagram.count >= 4, datagram[2] == 0, datagram[3] == 0 {
            switch (datagram[0], datagram[1]) {
            case (0xFE, 0xFE):
                self = .corosync2(.corosync23)
                return
            case (0xFF, 0xFF):
                self = .corosync2(.corosync22)
                return
            case (0...4, 0...5) where Self.isCorosync20(datagram):
                self = .corosync2(.corosync20)
                return
            default: break
            }
        }
        if Self.isTotemHeader(datagram, at: 0) || Self.isCorosync3Header(datagram) {
            self = .plain
        } else if Self.isKnetHeader(datagram) {
            self = .knet
        } else {
            self = Self.isMixed(datagram) ? .random : .other
        }
    }

    /// Whether the common header of openais and of corosync 1 and 2 stands at `offset`: a type, and the mark of the byte order behind
    /// it (totem-wire.md 3). Types 6 and 7 are those of the redundant ring (1.4).
    static func isTotemHeader(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard bytes.count >= offset + 4, bytes[offset] <= 7 else { return false }
        return (bytes[offset + 2] == 0x22 && bytes[offset + 3] == 0xFF) || (bytes[offset + 2] == 0xFF && bytes[offset + 3] == 0x22)
    }

    /// Whether a header of corosync 2.0 stands at the start: two small numbers and two zeros begin packets of other protocols too, so what
    /// is behind them has to be a plain header, or look like a digest.
    private static func isCorosync20(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let cipher = SecurityCipher(rawValue: bytes[0]), let hash = SecurityHash(rawValue: bytes[1]) else { return false }
        return cipher == .none
            ? isTotemHeader(bytes, at: 4 + hash.digestSize)
            : hash != .none && isMixed(UnsafeRawBufferPointer(rebasing: bytes[4...]))
    }

    /// Whether corosync 3's common header stands at the start.
    private static func isCorosync3Header(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 3, bytes[2] == 3 else { return false }
        return (bytes[0] == 0x70 && bytes[1] == 0xC0) || (bytes[0] == 0xC0 && bytes[1] == 0x70)
    }

    /// Whether knet's header stands at the start (totem-wire.md 6.1). Without its last two bytes one salt in 13000 would do: they are 0,
    /// but the first one is the highest version that the sender speaks in newer releases (kh_max_ver onwire.h@kn).
    static func isKnetHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 7, bytes[0] == 1, bytes[1] == 0 || 0x81...0x84 ~= bytes[1] else { return false }
        return bytes[4] < 16 && bytes[5] == 0
    }

    /// Whether `plaintext` is what the envelope of `scheme` holds.
    static func isPlausible(_ plaintext: UnsafeRawBufferPointer, in envelope: SecurityEnvelope) -> Bool {
        envelope == .knet ? isKnetHeader(plaintext) : isTotemHeader(plaintext, at: 0)
    }

    /// Whether the first 32 bytes look like a digest or a salt and a ciphertext: of so many random bytes some 30 are different and 16
    /// are above 127; that fewer than 20 and 4 are so happens once in a million packets.
    private static func isMixed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = 32
        guard bytes.count >= count else { return false }
        var seen: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var high = 0
        for index in 0..<count {
            let byte = bytes[index]
            let bit: UInt64 = 1 << UInt64(byte & 63)
            switch byte >> 6 {
            case 0: seen.0 |= bit
            case 1: seen.1 |= bit
            case 2: seen.2 |= bit
            default: seen.3 |= bit
            }
            high += Int(byte >> 7)
        }
        let different = seen.0.nonzeroBitCount + seen.1.nonzeroBitCount + seen.2.nonzeroBitCount + seen.3.nonzeroBitCount
        return different >= 20 && 4...28 ~= high
    }
}

/// A layout and a hash that a datagram may be authenticated with.
struct EnvelopeCandidate {
    let envelope: SecurityEnvelope
    let hash: SecurityHash
    /// Ciphers that it may be encrypted with, to be tried in this order; the authentication code does not depend on them.
    let ciphers: [SecurityCipher]

    /// Whether `key` made the authentication code of `datagram`.
    func isAuthentic(_ datagram: UnsafeRawBufferPointer, _ key: KeyMaterial) -> Bool {
        for cipher in ciphers {
            guard let layout = EnvelopeLayout(SecurityScheme(envelope, cipher: cipher, hash: hash), count: datagram.count) else { continue }
            return key.authenticates(datagram, layout)
        }
        return false
    }

    /// Whether a datagram of `count` bytes can have this layout.
    func isPossible(count: Int) -> Bool {
        ciphers.contains { EnvelopeLayout(SecurityScheme(envelope, cipher: $0, hash: hash), count: count) != nil }
    }
}

extension EnvelopeRecognition {
    /// What the datagram may be, the likelier first.
    func candidates(_ datagram: UnsafeRawBufferPointer) -> [EnvelopeCandidate] {
        // AES needs less luck than `none` to be recognised in what it decrypts, and 3des is what is left.
        let ciphers: [SecurityCipher] = [.aes256, .aes128, .aes192, .none, .tripleDES]
        let hashes: [SecurityHash] = [.sha1, .sha256, .sha512, .sha384, .md5]
        let all: [EnvelopeCandidate]
        switch self {
        case .plain, .other:
            all = []
        case .corosync2(.corosync20):
            // This header tells the truth (totemcrypto.c:730 of 2.1.1).
            guard let cipher = SecurityCipher(rawValue: datagram[0]), let hash = SecurityHash(rawValue: datagram[1]) else { return [] }
            all = [EnvelopeCandidate(envelope: .corosync20, hash: hash, ciphers: [cipher])]
        case .corosync2(let envelope):
            all = hashes.map { EnvelopeCandidate(envelope: envelope, hash: $0, ciphers: ciphers) }
        case .knet:
            all = hashes.map { EnvelopeCandidate(envelope: .knet, hash: $0, ciphers: [.none]) }
        case .random:
            let sober = EnvelopeCandidate(envelope: .openais, hash: .sha1, ciphers: [.sober128])
            let encrypted = hashes.map { EnvelopeCandidate(envelope: .knet, hash: $0, ciphers: ciphers.filter { $0 != .none }) }
            let trailer: [EnvelopeCandidate] =
                switch datagram.last {
                case 0: [EnvelopeCandidate(envelope: .corosync1, hash: .sha1, ciphers: [.sober128])]
                case 1: [EnvelopeCandidate(envelope: .corosync1, hash: .sha1, ciphers: [.aes256])]
                default: []
                }
            all = trailer + [sober] + encrypted
        }
        return all.filter { $0.isPossible(count: datagram.count) }
    }
}
