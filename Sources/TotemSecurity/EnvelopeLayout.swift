import WireFormat

/// Where the parts of a security envelope stand in a datagram (reference/totem-wire.md 2; field names of reference/totem-fields.csv).
public struct EnvelopeLayout: Sendable, Hashable {
    /// Bytes of a salt, of every scheme that has one.
    public static let saltSize = 16
    /// Bytes of corosync 2's header.
    static let prefixSize = 4

    /// The scheme.
    public let scheme: SecurityScheme
    /// corosync 2's header: numbers of cipher and hash, and two zeros. Empty in other envelopes.
    public let prefix: ByteRange
    /// The salt: initialization vector of the cipher. Empty without a cipher.
    public let salt: ByteRange
    /// What is protected: the ciphertext, or without a cipher the packet itself.
    public let body: ByteRange
    /// The message authentication code. Empty without a hash.
    public let digest: ByteRange
    /// corosync 1's byte behind everything, which says which kind of cryptography it is. Empty in other envelopes.
    public let trailer: ByteRange
    /// What the message authentication code is made of.
    public let authenticated: ByteRange

    /// The layout of a datagram of `count` bytes; nil when it is too short to hold anything, or when no ciphertext of this length
    /// exists.
    public init?(_ scheme: SecurityScheme, count: Int) {
        let sizes = Self.sizes(of: scheme)
        let bodySize = count - sizes.prefix - sizes.salt - sizes.digest - sizes.trailer
        guard bodySize > 0, bodySize % scheme.cipher.blockSize == 0 else { return nil }
        self.init(scheme, sizes, bodySize: bodySize)
    }

    /// The layout around `plaintextCount` bytes.
    init(_ scheme: SecurityScheme, plaintextCount: Int) {
        let block = scheme.cipher.blockSize
        // PKCS#7 always adds something (reference/totem-wire.md 2.3).
        let bodySize = block == 1 ? plaintextCount : (plaintextCount / block + 1) * block
        self.init(scheme, Self.sizes(of: scheme), bodySize: bodySize)
    }

    private struct Sizes {
        var prefix: Int
        var salt: Int
        var digest: Int
        var trailer: Int
    }

    private static func sizes(of scheme: SecurityScheme) -> Sizes {
        let envelope = scheme.envelope
        return Sizes(
            prefix: scheme.prefix == nil ? 0 : prefixSize,
            salt: scheme.cipher == .none ? 0 : saltSize,
            digest: scheme.hash.digestSize,
            trailer: envelope == .corosync1 ? 1 : 0
        )
    }

    private init(_ scheme: SecurityScheme, _ sizes: Sizes, bodySize: Int) {
        self.scheme = scheme
        prefix = ByteRange(start: 0, count: sizes.prefix)
        if scheme.envelope.startsWithDigest {
            digest = ByteRange(start: prefix.end, count: sizes.digest)
            salt = ByteRange(start: digest.end, count: sizes.salt)
            body = ByteRange(start: salt.end, count: bodySize)
            trailer = ByteRange(start: body.end, count: sizes.trailer)
            authenticated = ByteRange(start: salt.start, count: sizes.salt + bodySize)
        } else {
            salt = ByteRange(start: prefix.end, count: sizes.salt)
            body = ByteRange(start: salt.end, count: bodySize)
            digest = ByteRange(start: body.end, count: sizes.digest)
            trailer = ByteRange(start: digest.end, count: sizes.trailer)
            authenticated = ByteRange(start: 0, count: digest.start)
        }
    }

    /// Bytes of the whole datagram.
    public var count: Int { prefix.count + salt.count + body.count + digest.count + trailer.count }
}

extension SecurityEnvelope {
    /// Whether the digest comes before what it authenticates.
    var startsWithDigest: Bool {
        switch self {
        case .openais, .corosync1, .corosync20: true
        case .corosync22, .corosync23, .knet: false
        }
    }
}

extension EnvelopeLayout {
    /// The prefix of the fields' names.
    public static var protocolName: StaticString { "security" }

    /// Reports the parts of the envelope of `datagram`, which has this layout, in wire order; what the recording cut off is left out.
    public func report<Sink: FieldSink>(_ datagram: UnsafeRawBufferPointer, to sink: inout Sink) {
        visitParts { name, range, format in
            guard range.start < datagram.count else { return }
            let present = ByteRange(start: range.start, count: min(range.count, datagram.count - range.start))
            let isNumber = prefix.range.contains(range.start) || range == trailer
            sink.field(name, isNumber ? .unsigned(UInt64(datagram[range.start])) : .bytes(present), at: present, format)
        }
    }

    /// Tells the parts without any bytes.
    public static func describe<Sink: LayoutSink>(_ scheme: SecurityScheme, to sink: inout Sink) {
        let layout = EnvelopeLayout(scheme, plaintextCount: 1)
        layout.visitParts { name, range, format in
            let isNumber = layout.prefix.range.contains(range.start) || range == layout.trailer
            sink.field(name, type: isNumber ? "u8" : range == layout.body ? "bytes" : "bytes[\(range.count)]", format)
        }
    }

    /// The parts in wire order, named as their sources name them.
    private func visitParts(_ visit: (StaticString, ByteRange, FieldFormat) -> Void) {
        if prefix.count > 0 {
            visit("cipher_type", ByteRange(start: prefix.start, count: 1), .hexadecimal)
            visit("hash_type", ByteRange(start: prefix.start + 1, count: 1), .hexadecimal)
            visit("pad0", ByteRange(start: prefix.start + 2, count: 1), .padding)
            visit("pad1", ByteRange(start: prefix.start + 3, count: 1), .padding)
        }
        let isSober = scheme.envelope == .openais || scheme.envelope == .corosync1
        let digestName: StaticString = isSober ? "hash_digest" : "hmac"
        if scheme.envelope.startsWithDigest, digest.count > 0 { visit(digestName, digest, .decimal) }
        if salt.count > 0 { visit("salt", salt, .decimal) }
        visit(isSober ? "ciphertext" : "data", body, .decimal)
        if !scheme.envelope.startsWithDigest, digest.count > 0 { visit(digestName, digest, .decimal) }
        if trailer.count > 0 { visit("crypto_type", trailer, .labelled { $0 == 0 ? "sober" : $0 == 1 ? "nss" : nil }) }
    }
}
