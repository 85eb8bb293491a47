import WireFormat

/// Opens security envelopes: finds out which scheme and which key fit, and remembers it for the conversation (reference/totem-wire.md 2).
///
/// Authenticity decides what fits, so that nothing is taken for a packet that is none. What is remembered is bounded, and so is the
/// work for a packet that fits nothing.
public struct SecurityOpener {
    private let keys: [KeyMaterial]
    private var conversations = ConversationTable()
    private let output = PlaintextBuffer()

    /// An opener with `keys`. The empty key is tried too, without being asked for (reference/totem-wire.md 2.1).
    public init(keys: [SecurityKey]) {
        var materials: [KeyMaterial] = []
        for key in keys + [.empty] where !materials.contains(where: { $0.key.bytes == key.bytes }) {
            materials.append(KeyMaterial(key))
        }
        self.keys = materials
    }

    /// Opens `datagram`, or says why not. A `wholeCount` above the number of bytes says that the recording cut the datagram: what is
    /// there is decrypted when the scheme and the key are known already, but cannot be authenticated.
    public mutating func open(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        to destination: Endpoint,
        wholeCount: Int? = nil
    ) -> OpenedEnvelope {
        guard datagram.count <= PlaintextBuffer.capacity else { return .plain }
        let conversation = Conversation(source: source.address, destination: destination)
        let known = conversations.isEmpty ? nil : conversations.fit(of: conversation)
        if let wholeCount, wholeCount > datagram.count, wholeCount <= PlaintextBuffer.capacity {
            return openPart(datagram, wholeCount: wholeCount, known)
        }
        if let known, let content = open(datagram, known) { return .opened(content) }
        let recognition = EnvelopeRecognition(datagram)
        switch recognition {
        case .plain, .other:
            return .plain
        case .corosync2, .knet, .random:
            return search(datagram, recognition, conversation, known)
        }
    }

    /// Tries everything that `recognition` allows, the latest success first.
    private mutating func search(
        _ datagram: UnsafeRawBufferPointer,
        _ recognition: EnvelopeRecognition,
        _ conversation: Conversation,
        _ known: ConversationTable.Fit?
    ) -> OpenedEnvelope {
        let wasTried = canFit(recognition) && conversations.isWorthTrying(conversation)
        if wasTried {
            if let latest = conversations.latestFit, latest != known, let content = open(datagram, latest) {
                conversations.remember(latest, in: conversation)
                return .opened(content)
            }
            for index in keys.indices {
                if let result = search(datagram, recognition, conversation, key: index) { return result }
            }
            conversations.noteFailure(in: conversation)
        }
        if let known { return .damaged(known.scheme, keyName: keys[known.key].key.name) }
        return withoutKey(datagram, recognition, wasTried: wasTried)
    }

    /// Whether any key could fit: the empty one fits openais only, and those that sign without one.
    private func canFit(_ recognition: EnvelopeRecognition) -> Bool {
        switch recognition {
        case .corosync2(.corosync23), .knet: keys.count > 1
        case .plain, .other: false
        case .corosync2, .random: true
        }
    }

    /// Tries one key.
    private mutating func search(
        _ datagram: UnsafeRawBufferPointer,
        _ recognition: EnvelopeRecognition,
        _ conversation: Conversation,
        key index: Int
    ) -> OpenedEnvelope? {
        for candidate in recognition.candidates(datagram) where candidate.isAuthentic(datagram, keys[index]) {
            for cipher in candidate.ciphers {
                let scheme = SecurityScheme(candidate.envelope, cipher: cipher, hash: candidate.hash)
                guard let layout = EnvelopeLayout(scheme, count: datagram.count) else { continue }
                if cipher == .tripleDES {
                    // Where the code does not depend on the key, only a header that names the cipher says so.
                    guard !scheme.envelope.hasKeylessCode || candidate.ciphers.count == 1 else { continue }
                    return .unsupported(scheme, keyName: scheme.envelope.hasKeylessCode ? nil : keys[index].key.name)
                }
                guard let content = content(datagram, layout, key: index) else { continue }
                conversations.remember(ConversationTable.Fit(scheme: scheme, key: index), in: conversation)
                return .opened(content)
            }
        }
        return nil
    }

    /// What a datagram is to somebody whose keys do not fit.
    private func withoutKey(_ datagram: UnsafeRawBufferPointer, _ recognition: EnvelopeRecognition, wasTried: Bool) -> OpenedEnvelope {
        switch recognition {
        case .plain, .knet, .other:
            return .plain
        case .corosync2(let envelope):
            let scheme = SecurityScheme(envelope, cipher: .none, hash: .none)
            if let content = plainContent(datagram, scheme) { return .opened(content) }
            return .unknownKey(EnvelopeSuspicion(envelopes: [envelope], wasTried: wasTried))
        case .random:
            var envelopes: [SecurityEnvelope] = []
            for candidate in recognition.candidates(datagram) where envelopes.last != candidate.envelope {
                envelopes.append(candidate.envelope)
            }
            return envelopes.isEmpty ? .plain : .unknownKey(EnvelopeSuspicion(envelopes: envelopes, wasTried: wasTried))
        }
    }

    /// What stands behind corosync 2's header when nothing is encrypted.
    private func plainContent(_ datagram: UnsafeRawBufferPointer, _ scheme: SecurityScheme) -> EnvelopeContent? {
        guard let layout = EnvelopeLayout(scheme, count: datagram.count) else { return nil }
        let plaintext = UnsafeRawBufferPointer(rebasing: datagram[layout.body.range])
        guard EnvelopeRecognition.isPlausible(plaintext, in: scheme.envelope) else { return nil }
        return EnvelopeContent(layout: layout, keyName: nil, isAuthentic: false, plaintext: plaintext)
    }

    /// Opens a datagram by what is known to fit; nil when it does not.
    private func open(_ datagram: UnsafeRawBufferPointer, _ fit: ConversationTable.Fit) -> EnvelopeContent? {
        guard let layout = EnvelopeLayout(fit.scheme, count: datagram.count) else { return nil }
        return content(datagram, layout, key: fit.key)
    }

    /// Authenticates and decrypts.
    private func content(_ datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout, key index: Int) -> EnvelopeContent? {
        let isForAnybody = layout.scheme.cipher == .none && layout.scheme.envelope.hasKeylessCode
        let name = isForAnybody ? nil : keys[index].key.name
        if layout.scheme.cipher == .none {
            let plaintext = UnsafeRawBufferPointer(rebasing: datagram[layout.body.range])
            guard EnvelopeRecognition.isPlausible(plaintext, in: layout.scheme.envelope), keys[index].authenticates(datagram, layout) else {
                return nil
            }
            return EnvelopeContent(layout: layout, keyName: name, isAuthentic: true, plaintext: plaintext)
        }
        guard let count = keys[index].open(datagram, layout, to: output.bytes) else { return nil }
        let plaintext = UnsafeRawBufferPointer(rebasing: output.bytes[..<count])
        // The authentication code of SOBER-128 proves it all; elsewhere it does not tell which cipher it is.
        guard layout.scheme.cipher == .sober128 || EnvelopeRecognition.isPlausible(plaintext, in: layout.scheme.envelope) else {
            return nil
        }
        return EnvelopeContent(layout: layout, keyName: name, isAuthentic: true, plaintext: plaintext)
    }

    /// Decrypts the beginning of a datagram whose end was not recorded.
    private func openPart(_ datagram: UnsafeRawBufferPointer, wholeCount: Int, _ known: ConversationTable.Fit?) -> OpenedEnvelope {
        let recognition = EnvelopeRecognition(datagram)
        if let fit = known ?? conversations.latestFit, let layout = EnvelopeLayout(fit.scheme, count: wholeCount),
            let content = part(of: datagram, layout, key: fit.key)
        {
            return .opened(content)
        }
        return withoutKey(datagram, recognition, wasTried: false)
    }

    private func part(of datagram: UnsafeRawBufferPointer, _ layout: EnvelopeLayout, key index: Int) -> EnvelopeContent? {
        guard datagram.count > layout.body.start else { return nil }
        let end = min(datagram.count, layout.body.end)
        let block = layout.scheme.cipher.blockSize
        let count = (end - layout.body.start) / block * block
        guard count > 0 else { return nil }
        var plaintext = UnsafeRawBufferPointer(rebasing: datagram[layout.body.start..<layout.body.start + count])
        if layout.scheme.cipher != .none {
            guard let size = keys[index].decryptPart(datagram, layout, bodyCount: count, to: output.bytes) else { return nil }
            plaintext = UnsafeRawBufferPointer(rebasing: output.bytes[..<size])
        }
        guard EnvelopeRecognition.isPlausible(plaintext, in: layout.scheme.envelope) else { return nil }
        return EnvelopeContent(layout: layout, keyName: keys[index].key.name, isAuthentic: false, plaintext: plaintext)
    }
}
