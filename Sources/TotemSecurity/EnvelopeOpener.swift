import WireFormat

/// Takes packets out of envelopes, as a member of a cluster does: with the one key of the cluster and nothing else.
/// `SecurityOpener` finds out what fits, which is for those who look at packets; here what does not fit is not looked at any further.
public struct EnvelopeOpener {
    /// Which schemes are opened, the likeliest first.
    public let schemes: [SecurityScheme]
    private let material: KeyMaterial
    private let output = PlaintextBuffer()

    /// An opener of what a member with `sealer`'s scheme accepts, by the same key.
    ///
    /// openais and corosync 1 open each other's packets, which differ by corosync 1's byte at the end (totemnet.c:671-678@wt;
    /// totemudp.c:817-855@fl); the NSS packets of corosync 1 only open for who sends them too (`crypto_accept: new`). All others accept
    /// what they send.
    public init(for sealer: EnvelopeSealer) {
        schemes =
            switch sealer.scheme {
            case .openais: [.openais, .corosync1]
            case .corosync1: [.corosync1, .openais]
            case .corosync1NSS: [.corosync1NSS, .corosync1, .openais]
            default: [sealer.scheme]
            }
        material = sealer.material
    }

    /// What is in `datagram`, valid until the opener is used again; nil when the key does not confirm it.
    public func open(_ datagram: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard datagram.count <= PlaintextBuffer.capacity else { return nil }
        for scheme in schemes {
            guard let layout = EnvelopeLayout(scheme, count: datagram.count) else { continue }
            if let type = layout.trailer.range.first {
                guard datagram[type] == scheme.cryptographyType else { continue }
            }
            if let plaintext = open(datagram, layout) { return plaintext }
        }
        return nil
    }

    private func open(_ datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout) -> UnsafeRawBufferPointer? {
        guard layout.scheme.cipher == .none else {
            return material.open(datagram, layout, to: output.bytes).map { UnsafeRawBufferPointer(rebasing: output.bytes[..<$0]) }
        }
        let isRight = layout.scheme.hash == .none ? material.hasPrefix(datagram, layout) : material.authenticates(datagram, layout)
        return isRight ? UnsafeRawBufferPointer(rebasing: datagram[layout.body.range]) : nil
    }
}
