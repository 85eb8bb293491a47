import WireFormat

/// What a datagram turned out to be.
public enum OpenedEnvelope {
    /// Nothing is around it: it is read as it is.
    case plain
    /// The envelope is open.
    case opened(EnvelopeContent)
    /// It looks encrypted, and no key fits.
    case unknownKey(EnvelopeSuspicion)
    /// A key that fitted this conversation before does not fit this packet, nor does another one: it was changed on the way, or it is a
    /// forgery.
    case damaged(SecurityScheme, keyName: String)
    /// It is authentic, but nothing here can decrypt it: `3des`. The name is nil where the authentication needs no key.
    case unsupported(SecurityScheme, keyName: String?)
}

/// An opened envelope.
public struct EnvelopeContent {
    /// Where its parts stand in the datagram, and how it is protected.
    public let layout: EnvelopeLayout
    /// The name of the key that fits; nil when anybody can read it.
    public let keyName: String?
    /// Whether the message authentication code was checked. It cannot be where there is none, or where a part of the datagram is
    /// missing. That of corosync 2.0 to 2.2 proves nothing, since it is made without a key.
    public let isAuthentic: Bool
    /// What was inside. Valid until the opener is used again; without encryption these are bytes of the datagram itself.
    public let plaintext: UnsafeRawBufferPointer

    /// How it is protected.
    public var scheme: SecurityScheme { layout.scheme }

    /// The same packet with a digest at its end that nobody can check: it is taken off what was inside. Nil when the packet is protected
    /// otherwise, or too short.
    public func withUnverifiedDigest(_ hash: SecurityHash) -> EnvelopeContent? {
        guard !scheme.needsKey, let layout = EnvelopeLayout(SecurityScheme(scheme.envelope, cipher: .none, hash: hash), count: layout.count)
        else { return nil }
        let plaintext = UnsafeRawBufferPointer(rebasing: plaintext[..<layout.body.count])
        return EnvelopeContent(layout: layout, keyName: nil, isAuthentic: false, plaintext: plaintext)
    }
}

/// What an unreadable datagram could be, by its first bytes and its length.
public struct EnvelopeSuspicion: Sendable, Hashable {
    /// Envelopes that a datagram like this may have.
    public let envelopes: [SecurityEnvelope]
    /// Whether the keys were tried. After some packets of one conversation that fit no key, further ones are not tried with all of them.
    public let wasTried: Bool
}

extension EnvelopeSuspicion: CustomStringConvertible {
    /// E.g. `openais, corosync-1 or knet`.
    public var description: String {
        let names = envelopes.map { $0.name.description }
        guard let last = names.last, names.count > 1 else { return names.first ?? "unknown" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}
