import Captures
import TotemSecurity
import TotemWire
import WireFormat

/// Recognises packets of Totem, of every generation and in every envelope, and says what they mean and carry.
struct TotemDissector {
    /// What became of a datagram.
    enum Outcome {
        /// It is Totem's, and the result says what it means.
        case recognised
        /// It is not Totem's.
        case foreign
        /// It looks encrypted, and no key fits. Others may know better.
        case encrypted(EnvelopeSuspicion)
    }

    /// Between whom a datagram goes, and what is known of its sender.
    private struct Arrival {
        var source: Endpoint
        var destination: Endpoint
        var conversation: TotemConversations.Conversation
    }

    var rings = RingHistories()
    var assembler = MessageAssembler()
    let digest = PayloadDigest()
    /// The pieces of the packet at hand; kept for its memory.
    var pieces = ProcessGroupPacket()
    /// Fragments and copies of knet's messages.
    var knet = KnetDefragmenter()
    let inflater = MessageInflater(limit: knetMessageLimit)
    /// Whether the packet at hand is a copy that its receiver drops.
    var isCopy = false
    private var conversations = TotemConversations()
    private var opener: SecurityOpener

    /// A dissector that tries `keys` on what is encrypted.
    init(keys: [SecurityKey]) {
        opener = SecurityOpener(keys: keys)
    }

    /// Looks at the payload of a datagram.
    mutating func dissect(_ payload: UnsafeRawBufferPointer, into result: Dissection) -> Outcome {
        guard payload.count >= 4, let source = result.content.sourceEndpoint, let destination = result.content.destinationEndpoint else {
            return .foreign
        }
        let arrival = Arrival(source: source, destination: destination, conversation: conversations[source, destination])
        switch TotemForm(payload, expecting: arrival.conversation.generation) {
        case .corosync3:
            recognise(.corosync3, "magic number C070", arrival, into: result)
            beginBytes(payload, into: result)
            dissect(Corosync3.self, payload, into: result)
        case .of2005:
            recognise(.totem2005, "endian detector at byte 2, layout of 2005", arrival, into: result)
            beginBytes(payload, into: result)
            dissect(OpenAIS2005.self, payload, into: result)
        case .addressed(let kind, let byteOrder):
            dissectPlain(payload, kind, byteOrder, arrival, into: result)
        case .ringTest(let kind, let byteOrder):
            recognise(.corosync1, "endian detector at byte 2", arrival, by: .ringTest, into: result)
            beginBytes(payload, into: result)
            dissect(kind, payload, byteOrder, into: result)
        case .knet:
            // A digest may follow, or the packet may be the ciphertext of another one.
            if case .recognised = dissectEnvelope(payload, arrival, into: result) { return .recognised }
            recognise(.corosync3, "knet header, version 1", arrival, into: result)
            beginBytes(payload, into: result)
            dissectKnet(payload, from: source, to: destination, into: result)
        case nil:
            return dissectEnvelope(payload, arrival, into: result)
        }
        return .recognised
    }

    /// Says what became of a datagram that nobody can read.
    mutating func describe(_ suspicion: EnvelopeSuspicion, into result: Dissection) {
        result.message = Self.encryptedMessage
        result.detail.append(result.content.length)
        result.detail.append(" bytes, no key fits: ")
        result.detail.append(suspicion.description)
        for envelope in suspicion.envelopes {
            for dialect in envelope.dialects where !result.alternatives.contains(dialect) { result.alternatives.append(dialect) }
        }
        if result.alternatives.count == 1 { result.dialect = result.alternatives.removeLast() }
    }

    static let encryptedMessage: StaticString = "encrypted"

    // MARK: in the open

    /// A packet that openais 0.80 and corosync 1 write alike.
    private mutating func dissectPlain(
        _ payload: UnsafeRawBufferPointer,
        _ kind: TotemMessageKind,
        _ byteOrder: ByteOrder,
        _ arrival: Arrival,
        into result: Dissection
    ) {
        var evidence = arrival.conversation.evidence
        // Of a header that is cut nothing is concluded.
        let identity = payload.count >= EndianDetectorHeader.size ? (kind, byteOrder) : nil
        if identity != nil {
            evidence = GenerationEvidence(payload, kind, byteOrder, from: arrival.source, to: arrival.destination) ?? evidence
        }
        // Of two that nothing tells apart, the latest.
        let generation = evidence?.generation ?? .corosync1
        recognise(generation, "endian detector at byte 2, address family", arrival, by: evidence, into: result)
        beginBytes(payload, into: result)
        if generation == .corosync1 {
            result.alternatives.append(.openais080)
            dissect(Corosync1.self, payload, identified: identity, into: result)
        } else {
            result.alternatives.append(.corosync1)
            dissect(OpenAIS080.self, payload, identified: identity, into: result)
        }
    }

    private mutating func recognise(
        _ generation: TotemGeneration,
        _ form: StaticString,
        _ arrival: Arrival,
        by evidence: GenerationEvidence? = nil,
        into result: Dissection
    ) {
        result.dialect = Dialect(generation)
        result.recognition = Recognition(form: form, choice: evidence?.text)
        guard arrival.conversation.generation != generation || arrival.conversation.evidence != evidence else { return }
        var conversation = arrival.conversation
        conversation.generation = generation
        conversation.evidence = evidence
        conversations[arrival.source, arrival.destination] = conversation
    }

    func beginBytes(_ bytes: UnsafeRawBufferPointer, _ origin: ByteRun.Origin? = nil, into result: Dissection) {
        if result.wantsFields { result.tree.beginBytes(bytes, origin) }
    }

    // MARK: in an envelope

    private mutating func dissectEnvelope(
        _ payload: UnsafeRawBufferPointer,
        _ arrival: Arrival,
        into result: Dissection
    ) -> Outcome {
        switch opener.open(payload, from: arrival.source, to: arrival.destination, wholeCount: result.content.length) {
        case .plain:
            return .foreign
        case .unknownKey(let suspicion):
            return .encrypted(suspicion)
        case .opened(let content):
            var arrival = arrival
            let apart = takeDigestApart(content, &arrival, into: result)
            return dissect(apart, payload, arrival, into: result) ? .recognised : .foreign
        case .damaged(let scheme, let keyName):
            describe(scheme, keyName, payload, into: result)
            result.problems.add {
                $0.append("bad digest: the key ")
                $0.append(keyName)
                $0.append(" fitted before, and does not fit this packet")
            }
        case .unsupported(let scheme, let keyName):
            describe(scheme, keyName, payload, into: result)
            result.notes.add {
                if let keyName {
                    $0.append("authentic by the key ")
                    $0.append(keyName)
                    $0.append("; ")
                }
                $0.append("3des is not decrypted")
            }
        }
        return .recognised
    }

    /// A packet of corosync 2 that is in the open may have a digest behind it all the same.
    private func takeDigestApart(_ content: EnvelopeContent, _ arrival: inout Arrival, into result: Dissection) -> EnvelopeContent {
        guard content.scheme == .corosync2Plain, arrival.conversation.unverifiedHash != SecurityHash.none, result.content.problem == nil,
            let hash = UnverifiedDigest.hash(behind: content.plaintext) ?? arrival.conversation.unverifiedHash
        else { return content }
        arrival.conversation.unverifiedHash = hash
        return hash == .none ? content : content.withUnverifiedDigest(hash) ?? content
    }

    /// A packet of which only the envelope is known.
    private func describe(_ scheme: SecurityScheme, _ keyName: String?, _ payload: UnsafeRawBufferPointer, into result: Dissection) {
        result.message = Self.encryptedMessage
        result.dialect = scheme.envelope.dialects.last
        if let layout = EnvelopeLayout(scheme, count: payload.count) {
            appendEnvelope(layout, keyName, payload, into: result)
        } else {
            result.envelope = TotemEnvelope(scheme: scheme, keyName: keyName)
            result.upperProtocols.append(EnvelopeLayout.protocolName)
            result.isOpaque = true
        }
        result.detail.append(result.content.length)
        result.detail.append(" bytes, ")
        result.detail.append(scheme.description)
    }

    private mutating func dissect(
        _ content: EnvelopeContent,
        _ payload: UnsafeRawBufferPointer,
        _ arrival: Arrival,
        into result: Dissection
    ) -> Bool {
        let bytes = content.plaintext
        let generation: TotemGeneration
        // openais has had the same envelope since 2005.
        let isOf2005 = content.scheme.envelope == .openais && arrival.conversation.generation == .totem2005
        let form = TotemForm(bytes, expecting: isOf2005 ? .totem2005 : content.scheme.envelope.generation)
        switch (content.scheme.envelope, form) {
        case (.openais, .of2005?): generation = .totem2005
        case (.openais, .addressed?): generation = .openais080
        case (.corosync1, .addressed?), (.corosync1, .ringTest?): generation = .corosync1
        case (.corosync20, .addressed?), (.corosync20, .ringTest?), (.corosync22, .addressed?), (.corosync22, .ringTest?),
            (.corosync23, .addressed?), (.corosync23, .ringTest?):
            generation = .corosync2
        case (.knet, .knet?): generation = .corosync3
        default: return false
        }
        appendEnvelope(content.layout, content.keyName, payload, into: result)
        note(content, arrival, generation, into: result)
        result.dialect = Dialect(generation)
        result.recognition = Recognition(form: content.scheme.envelope.recognition, choice: nil)
        beginBytes(bytes, content.scheme.cipher == .none ? nil : .decrypted, into: result)
        switch (generation, form) {
        case (_, .ringTest(let kind, let byteOrder)?): dissect(kind, bytes, byteOrder, into: result)
        case (.totem2005, _): dissect(OpenAIS2005.self, bytes, into: result)
        case (.openais080, _): dissect(OpenAIS080.self, bytes, into: result)
        case (.corosync1, _): dissect(Corosync1.self, bytes, into: result)
        case (.corosync2, _): dissect(Corosync2.self, bytes, into: result)
        case (.corosync3, _): dissectKnet(bytes, from: arrival.source, to: arrival.destination, into: result)
        }
        return true
    }

    private func appendEnvelope(
        _ layout: EnvelopeLayout,
        _ keyName: String?,
        _ payload: UnsafeRawBufferPointer,
        into result: Dissection
    ) {
        result.envelope = TotemEnvelope(scheme: layout.scheme, keyName: keyName)
        result.upperProtocols.append(EnvelopeLayout.protocolName)
        guard result.wantsFields else { return }
        var tree = result.tree
        tree.beginBytes(payload)
        tree.beginProtocol(EnvelopeLayout.protocolName, at: 0)
        layout.report(payload, to: &tree)
        tree.endProtocol(at: payload.count)
        result.ownNodes = tree.nodes.count
    }

    /// Says once for every sender which key opens its packets.
    private mutating func note(
        _ content: EnvelopeContent,
        _ arrival: Arrival,
        _ generation: TotemGeneration,
        into result: Dissection
    ) {
        let noted = conversations[envelopeOf: arrival.source, arrival.destination]
        guard arrival.conversation.generation != generation || noted != result.envelope else { return }
        if let keyName = content.keyName {
            result.notes.add {
                $0.append(content.scheme.description)
                $0.append(" by the key ")
                $0.append(keyName)
            }
        } else if content.scheme.hash != .none, !content.isAuthentic {
            result.notes.add {
                $0.append(content.scheme.description)
                $0.append(", which no key confirms")
            }
        }
        var conversation = arrival.conversation
        conversation.generation = generation
        conversations[arrival.source, arrival.destination] = conversation
        conversations[envelopeOf: arrival.source, arrival.destination] = result.envelope
    }
}

extension SecurityEnvelope {
    /// Generations that protect their packets so, the likelier last.
    fileprivate var dialects: [Dialect] {
        switch self {
        case .openais: [.totem2005, .openais080]
        case .corosync1: [.corosync1]
        case .corosync20, .corosync22, .corosync23: [.corosync2]
        case .knet: [.corosync3]
        }
    }

    /// The generation whose packets are in it; of two the one that has more of a header.
    fileprivate var generation: TotemGeneration {
        switch self {
        case .openais: .openais080
        case .corosync1: .corosync1
        case .corosync20, .corosync22, .corosync23: .corosync2
        case .knet: .corosync3
        }
    }

    /// How it was recognised.
    fileprivate var recognition: StaticString {
        switch self {
        case .openais: "digest of SOBER-128 and HMAC-SHA1"
        case .corosync1: "digest, and the crypto type behind it"
        case .corosync20: "header of corosync 2.0"
        case .corosync22: "header of corosync 2.2 (FF FF 00 00)"
        case .corosync23: "header of corosync 2 (FE FE 00 00)"
        case .knet: "digest of knet"
        }
    }
}
