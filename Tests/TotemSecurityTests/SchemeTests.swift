import Testing
import WireFormat

@testable import TotemSecurity

/// Every scheme there is, with packets made here: the captures do not have all of them.
@Suite struct Schemes {
    static let key = SecurityKey(name: "right", bytes: (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) })
    static let wrongKey = SecurityKey(name: "wrong", bytes: (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 8) })
    static let salt: [UInt8] = (0..<16).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 201) }

    static let all: [SecurityScheme] = SecurityEnvelope.allCases.flatMap { envelope in
        SecurityCipher.allCases.flatMap { cipher in SecurityHash.allCases.map { SecurityScheme(envelope, cipher: cipher, hash: $0) } }
    }
    static let possible = all.filter { $0.isPossible && $0.cipher != .tripleDES }
    /// Those that a wrong key or a changed byte is noticed in.
    static let authenticated = possible.filter { $0.hash != .none }

    /// A packet that may stand in the envelope of `scheme`: a token, or a knet packet.
    static func plaintext(of scheme: SecurityScheme, count: Int = 70) -> [UInt8] {
        let header: [UInt8] = scheme.envelope == .knet ? [1, 0, 0, 2, 0, 0, 0, 9] : [0, 0, 0x22, 0xFF, 2, 0, 0, 0]
        return (header + (0..<256).map { UInt8($0) }).prefix(count).map { $0 }
    }

    private func sealed(_ scheme: SecurityScheme, count: Int = 70, key: SecurityKey = key) throws -> [UInt8] {
        try EnvelopeSealer(scheme, key: key).seal(Self.plaintext(of: scheme, count: count), salt: Self.salt)
    }

    /// 2.0, 2.1 and 2.2 sign with an empty key: without a cipher anybody can read and forge them.
    private func isKeyless(_ scheme: SecurityScheme) -> Bool {
        scheme.cipher == .none && (scheme.envelope == .corosync20 || scheme.envelope == .corosync22)
    }

    @Test func thereAreSoMany() {
        // openais 1, corosync 1 2, each of three of corosync 2: none/none, none with 5 hashes, 3 ciphers with 5 hashes; knet 4 with 5.
        #expect(Self.possible.count == 1 + 2 + 3 * (1 + 5 + 3 * 5) + 4 * 5)
    }

    @Test(arguments: possible)
    func sealedAndOpened(_ scheme: SecurityScheme) throws {
        let sealer = try EnvelopeSealer(scheme, key: Self.key)
        let fresh = SecurityOpener(keys: [Self.wrongKey, Self.key])
        for count in [8, 15, 16, 17, 31, 32, 70, 71] {
            let packet = try sealer.seal(Self.plaintext(of: scheme, count: count), salt: Self.salt)
            var opener = fresh
            guard case .opened(let found, let name, let isAuthentic, _, let plaintext) = opener.outcome(packet) else {
                Issue.record("\(count) bytes: \(opener.outcome(packet))")
                continue
            }
            #expect(plaintext == Self.plaintext(of: scheme, count: count))
            #expect(found == scheme)
            #expect(isAuthentic == (scheme.hash != .none))
            #expect(name == (scheme.hash == .none || isKeyless(scheme) ? nil : "right"))
        }
    }

    @Test(arguments: authenticated)
    func aWrongKeyDoesNotFit(_ scheme: SecurityScheme) throws {
        let packet = try sealed(scheme)
        var opener = SecurityOpener(keys: [Self.wrongKey])
        let outcome = opener.outcome(packet)
        switch (scheme.envelope, scheme.cipher) {
        case (.corosync20, .none), (.corosync22, .none):
            #expect(outcome.isOpened)
        case (.corosync23, .none):
            // It can be read, digest and all, but nobody vouches for it.
            guard case .opened(let found, let name, false, _, _) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(found == .corosync2Plain && name == nil)
        case (.knet, .none):
            #expect(outcome == .plain)
        default:
            guard case .unknownKey(let envelopes, wasTried: true) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(envelopes.contains(scheme.envelope))
        }
    }

    /// In a conversation that is known, a packet with one bit changed anywhere is damaged, and never read.
    @Test(arguments: authenticated)
    func aChangedBitIsNoticed(_ scheme: SecurityScheme) throws {
        let packet = try sealed(scheme)
        let layout = try #require(EnvelopeLayout(scheme, count: packet.count))
        var opener = SecurityOpener(keys: [Self.key])
        #expect(opener.outcome(packet).isOpened)
        for index in packet.indices {
            var changed = packet
            changed[index] ^= 1 << UInt8(index % 8)
            let outcome = opener.outcome(changed)
            // The byte behind a packet of corosync 1 only says how to read it: daemons fall back to reading it as the other kind
            // (reference/totem-wire.md 2.2).
            if layout.trailer.range.contains(index) { continue }
            #expect(!outcome.isOpened, "byte \(index): \(outcome)")
        }
        #expect(opener.outcome(packet).isOpened)
    }

    @Test(arguments: possible)
    func nothingShorterIsOpened(_ scheme: SecurityScheme) throws {
        let packet = try sealed(scheme)
        let fresh = SecurityOpener(keys: [Self.key])
        // corosync 1's packet without the last byte is one of openais.
        for count in 0..<packet.count - (scheme == .corosync1 ? 1 : 0) {
            var opener = fresh
            guard case .opened(let found, _, let isAuthentic, _, _) = opener.outcome(Array(packet.prefix(count))) else { continue }
            // Without a digest a shorter packet is a packet; with one, corosync 2's header is still a header, for what it is worth.
            #expect(!isAuthentic && found.hash == .none, "\(count) bytes")
        }
    }

    /// A recording that cuts packets shows their beginnings all the same, once the conversation is known.
    @Test(arguments: authenticated)
    func cutPacketsAreReadAsFarAsTheyGo(_ scheme: SecurityScheme) throws {
        let packet = try sealed(scheme, count: 200)
        let layout = try #require(EnvelopeLayout(scheme, count: packet.count))
        var opener = SecurityOpener(keys: [Self.key])
        _ = opener.outcome(packet)
        for count in stride(from: 0, to: packet.count, by: 7) {
            let outcome = opener.outcome(Array(packet.prefix(count)), wholeCount: packet.count)
            let block = scheme.cipher.blockSize
            let readable = (min(count, layout.body.end) - layout.body.start) / block * block
            guard readable >= 16 else { continue }
            guard case .opened(scheme, "right", false, _, let plaintext) = outcome else {
                Issue.record("\(count) bytes: \(outcome)")
                continue
            }
            #expect(plaintext.count >= min(readable, 200) && plaintext.count <= readable)
            #expect(Array(plaintext.prefix(200)) == Array(Self.plaintext(of: scheme, count: 200).prefix(plaintext.count)))
        }
    }

    @Test func tripleDESIsRefusedByName() throws {
        let scheme = SecurityScheme(.corosync23, cipher: .tripleDES, hash: .sha1)
        #expect(throws: EnvelopeSealer.Failure.unsupported(scheme)) { try EnvelopeSealer(scheme, key: Self.key) }
        // 72 bytes of what could be 3des, with a right authentication code around them.
        var packet: [UInt8] = [0xFE, 0xFE, 0, 0] + Self.salt + (0..<72).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ 5) }
        let code = try #require(MessageAuthentication(.sha1, key: Self.key.bytes.prefix(128)))
        packet += packet.withUnsafeBytes { code.withCode(of: $0) { Array($0) } }
        var opener = SecurityOpener(keys: [Self.wrongKey, Self.key])
        #expect(opener.outcome(packet) == .unsupported(scheme, keyName: "right"))
    }

    @Test(arguments: possible)
    func aMemberOpensWhatItsKeyConfirms(_ scheme: SecurityScheme) throws {
        let sealer = try EnvelopeSealer(scheme, key: Self.key)
        let opener = EnvelopeOpener(for: sealer)
        defer { withExtendedLifetime(opener) {} }
        let packet = try sealer.seal(Self.plaintext(of: scheme), salt: Self.salt)
        #expect(packet.withUnsafeBytes { opener.open($0).map(Array.init) } == Self.plaintext(of: scheme))
        for index in packet.indices where scheme.hash != .none || index < 4 {
            var changed = packet
            changed[index] ^= 0x10
            #expect(changed.withUnsafeBytes { opener.open($0) == nil }, "byte \(index)")
            // Without its last byte a packet of corosync 1 is one of openais.
            guard scheme != .corosync1 || index < packet.count - 1 else { continue }
            #expect(packet.prefix(index).withUnsafeBytes { opener.open($0) == nil }, "\(index) bytes")
        }
        guard scheme.needsKey, !isKeyless(scheme) else { return }
        for key in [Self.wrongKey, .empty] where scheme.envelope != .knet || !key.bytes.isEmpty {
            let forged = try EnvelopeSealer(scheme, key: key).seal(Self.plaintext(of: scheme), salt: Self.salt)
            if scheme.envelope == .corosync20 || scheme.envelope == .corosync22 { continue }
            #expect(forged.withUnsafeBytes { opener.open($0) == nil }, "\(key)")
        }
    }

    /// openais strips corosync 1's last byte, and corosync 1 does without it (reference/totem-wire.md 2.1, 2.2).
    @Test func openaisAndCorosync1OpenEachOthersPackets() throws {
        let openais = try EnvelopeSealer(.openais, key: Self.key)
        let corosync = try EnvelopeSealer(.corosync1, key: Self.key)
        let nss = try EnvelopeSealer(.corosync1NSS, key: Self.key)
        func opens(_ sender: EnvelopeSealer, _ receiver: EnvelopeSealer) throws -> Bool {
            let packet = try sender.seal(Self.plaintext(of: .openais), salt: Self.salt)
            let opener = EnvelopeOpener(for: receiver)
            // What it opens lies in memory of its own.
            return withExtendedLifetime(opener) {
                packet.withUnsafeBytes { opener.open($0).map(Array.init) } == Self.plaintext(of: .openais)
            }
        }
        #expect(try opens(openais, corosync) && opens(corosync, openais) && opens(corosync, nss) && opens(openais, nss))
        #expect(try !opens(nss, corosync) && !opens(nss, openais))
    }

    @Test(arguments: [SecurityScheme.openais, .corosync1, .corosync1NSS, SecurityScheme(.corosync23, cipher: .aes256, hash: .sha1)])
    func keyFilesHaveALength(_ scheme: SecurityScheme) throws {
        let short = SecurityKey(name: "short", bytes: [UInt8](repeating: 1, count: 127), isFromFile: true)
        #expect(throws: EnvelopeSealer.Failure.unusableKey(name: "short", count: 127)) { try EnvelopeSealer(scheme, key: short) }
        #expect(throws: Never.self) { try EnvelopeSealer(.corosync2Plain, key: short) }
        #expect(throws: Never.self) { try EnvelopeSealer(scheme, key: SecurityKey(clusterName: "alpha")) }
    }

    @Test func aSaltHas16Bytes() {
        #expect(EnvelopeSalt(Self.salt)?.withUnsafeBytes { Array($0) } == Self.salt)
        #expect(EnvelopeSalt(Self.salt.prefix(15)) == nil && EnvelopeSalt(Self.salt + [0]) == nil && EnvelopeSalt([]) == nil)
    }

    @Test func knetWantsLongKeys() {
        let short = SecurityKey(name: "short", bytes: [UInt8](repeating: 1, count: 127))
        let scheme = SecurityScheme(.knet, cipher: .aes256, hash: .sha256)
        #expect(throws: EnvelopeSealer.Failure.unusableKey(name: "short", count: 127)) { try EnvelopeSealer(scheme, key: short) }
    }
}
