import CmanWire
import WireFormat

/// Whether a datagram is cman's, and of which generation. The generations differ in little, so that most packets could be of several:
/// then the one is taken that the conversation told before, or else the latest.
struct CmanRecognition {
    /// The generation whose layouts the datagram is read with.
    var generation: CmanGeneration
    /// Generations that have the very same bytes and that nothing has ruled out.
    var others: CmanGenerations
    /// What the generation is told by, when this datagram tells it.
    var reason: StaticString?
    /// Whether it is the first datagram of its conversation.
    var isFirst: Bool

    /// The highest node id (reference/cman-wire.md 2.1).
    private static let nodeIDLimit: Int32 = 4096
    /// The port of cman unless another was configured.
    private static let usualPort: UInt16 = 6809

    /// Recognises `payload` and remembers what it tells; nil when it is not cman's, or no header is there.
    init?(
        _ payload: UnsafeRawBufferPointer,
        from source: Endpoint,
        to destination: Endpoint,
        _ conversations: inout CmanConversations
    ) {
        guard
            let found = Self.known(payload, to: destination, conversations)
                ?? Self.plausible(payload, from: source, to: destination)
        else { return nil }
        let evidence = CmanEvidence(of: payload, hasShortHeader: found.hasShortHeader)
        var memory = found.memory ?? CmanConversations.Memory(possible: found.hasShortHeader ? .short : .long)
        let before = memory.likely
        let candidates =
            evidence.generations.intersection(before).isEmpty ? evidence.generations : evidence.generations.intersection(before)
        memory.learn(evidence, from: payload, hasShortHeader: found.hasShortHeader)

        guard let generation = candidates.latest else { return nil }
        self.generation = generation
        isFirst = found.memory == nil
        reason = memory.likely != before ? evidence.reason : nil
        let same = Self.isBareHeader(payload, of: generation) ? evidence.generations : candidates
        others = same.subtracting(CmanGenerations(generation))

        guard memory != found.memory || source.port != destination.port else { return }
        let cluster = Self.cluster(of: payload, hasShortHeader: found.hasShortHeader)
        for port in [destination.port, source.port] {
            conversations.remember(memory, port: port, cluster: cluster, hasShortHeader: found.hasShortHeader)
        }
    }

    private struct Found {
        var hasShortHeader: Bool
        var memory: CmanConversations.Memory?
    }

    /// The conversation that `payload` belongs to.
    private static func known(
        _ payload: UnsafeRawBufferPointer,
        to destination: Endpoint,
        _ conversations: CmanConversations
    ) -> Found? {
        for hasShortHeader in [false, true] {
            let headerSize = hasShortHeader ? CmanHeader.shortSize : CmanHeader.size
            guard payload.count >= headerSize else { continue }
            let cluster = cluster(of: payload, hasShortHeader: hasShortHeader)
            if let memory = conversations.memory(port: destination.port, cluster: cluster, hasShortHeader: hasShortHeader) {
                return Found(hasShortHeader: hasShortHeader, memory: memory)
            }
        }
        return nil
    }

    /// The header's cluster number; `payload` has a whole header.
    private static func cluster(of payload: UnsafeRawBufferPointer, hasShortHeader: Bool) -> UInt16 {
        let offset = CmanHeader.clusterOffset(hasShortHeader: hasShortHeader)
        return UInt16(payload[offset]) | UInt16(payload[offset + 1]) << 8
    }

    /// Which header a packet of no known conversation can have. Where both fit, flags that nobody sets speak against the long one.
    private static func plausible(_ payload: UnsafeRawBufferPointer, from source: Endpoint, to destination: Endpoint) -> Found? {
        let isUsual = source.port == usualPort && destination.port == usualPort
        let long = isPlausible(payload, of: longGeneration(payload), onUsualPorts: isUsual)
        if long == .fits { return Found(hasShortHeader: false) }
        // A message of the short header has fewer bytes to be judged by.
        if isUsual, isPlausible(payload, of: shortGeneration(payload), onUsualPorts: isUsual) == .fits {
            return Found(hasShortHeader: true)
        }
        return long == .fitsWithOddFlags ? Found(hasShortHeader: false) : nil
    }

    private static func longGeneration(_ payload: UnsafeRawBufferPointer) -> CmanGeneration {
        CmanEvidence(of: payload, hasShortHeader: false).generations.latest ?? .cman5
    }

    private static func shortGeneration(_ payload: UnsafeRawBufferPointer) -> CmanGeneration {
        CmanEvidence(of: payload, hasShortHeader: true).generations.latest ?? .cman2b
    }

    private enum Plausibility {
        case no
        case fitsWithOddFlags
        case fits
    }

    /// Whether a packet of no known conversation can only be cman's, or can well be.
    private static func isPlausible(_ payload: UnsafeRawBufferPointer, of generation: CmanGeneration, onUsualPorts: Bool) -> Plausibility {
        guard payload.count >= generation.headerSize, let packet = try? CmanPacket(reading: payload, of: generation) else { return .no }
        let header = packet.header
        guard (0...nodeIDLimit).contains(header.sourceID), (0...nodeIDLimit).contains(header.targetID) else { return .no }
        let hasKnownFlags = CmanFlags.known.isSuperset(of: header.flags.meant)
        switch packet.body {
        case .unknown: return .no
        // Behind the header a program's message can hold anything, so the usual port must add to the evidence.
        case .data: return header.sourceID > 0 && header.sequence > 0 && hasKnownFlags && onUsualPorts ? .fits : .no
        case .ack where header.sequence != 0: return .no
        // The cluster's name is there, and its number is made of it.
        case .joinReq(let request) where cmanClusterNumber(request.clusterName) != header.cluster: return .no
        default:
            guard packet.payload.count == 0 else { return .no }
            return hasKnownFlags ? .fits : .fitsWithOddFlags
        }
    }

    /// Messages without any field behind the command, and programs' messages: the header is all there is of cman in them.
    private static func isBareHeader(_ payload: UnsafeRawBufferPointer, of generation: CmanGeneration) -> Bool {
        switch CmanPacket(shapeOf: payload, of: generation).body {
        case .kill, .joinRej, .transition, .confAck, .data: true
        default: false
        }
    }
}

extension CmanConversations.Memory {
    fileprivate init(possible: CmanGenerations) {
        self.init(possible: possible, claim: nil)
    }

    /// Takes over what `evidence` tells, and what the answers to joiners tell of their claims.
    mutating func learn(_ evidence: CmanEvidence, from payload: UnsafeRawBufferPointer, hasShortHeader: Bool) {
        if evidence.isClaim {
            // One generation left is more than a claim.
            if possible.latest.map({ CmanGenerations($0) }) != possible, possible.isSuperset(of: evidence.generations) {
                claim = evidence.generations
            }
        } else {
            let rest = possible.intersection(evidence.generations)
            possible = rest.isEmpty ? evidence.generations : rest
            if let told = claim, !possible.isSuperset(of: told) { claim = nil }
        }
        guard !hasShortHeader, payload.count > CmanHeader.size + 1, payload[0] == CmanPort.membership else { return }
        switch payload[CmanHeader.size] {
        case CmanMessageKind.joinAck.command where payload[CmanHeader.size + 1] == CmanJoinAnswer.nak.rawValue: claim = nil
        // Who refuses nobody has the same version.
        case CmanMessageKind.joinConf.command: possible = claim ?? possible
        default: break
        }
    }
}
