import WireFormat

/// A set of generations.
public struct CmanGenerations: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The set with `generation` alone.
    public init(_ generation: CmanGeneration) {
        self.init(rawValue: 1 << generation.rawValue)
    }

    /// The generations whose header takes 16 bytes.
    public static let short: CmanGenerations = [CmanGenerations(.cman2a), CmanGenerations(.cman2b)]
    /// The generations whose header takes 20 bytes.
    public static let long: CmanGenerations = [CmanGenerations(.cman3), CmanGenerations(.cman4), CmanGenerations(.cman5)]

    /// The last of them.
    public var latest: CmanGeneration? { CmanGeneration.allCases.last { contains(CmanGenerations($0)) } }
}

/// What the bytes of one datagram tell of its generation (reference/cman-wire.md 12.1).
public struct CmanEvidence: Sendable {
    /// The generations that have such a datagram.
    public var generations: CmanGenerations
    /// What they are told by; nil when the datagram tells nothing but the header.
    public var reason: StaticString?
    /// Whether it is the claim of a node that asks to join, which can be refused for it.
    public var isClaim = false

    private init(_ generations: CmanGenerations, _ reason: StaticString? = nil, isClaim: Bool = false) {
        self.generations = generations
        self.reason = reason
        self.isClaim = isClaim
    }

    /// What `datagram` tells when its header is the short one or the long one.
    public init(of datagram: UnsafeRawBufferPointer, hasShortHeader: Bool) {
        self.init(hasShortHeader ? .short : .long)
        let headerSize = hasShortHeader ? CmanHeader.shortSize : CmanHeader.size
        guard datagram.count > headerSize else { return }
        if hasShortHeader, CmanFlags(rawValue: UInt32(datagram[1]) << CmanFlags.shortHeaderShift).isDisjoint(with: Self.flagsOf2b) == false
        {
            self = CmanEvidence(CmanGenerations(.cman2b), "a flag that cman-2a does not have")
            return
        }
        let body = datagram.count - headerSize
        switch CmanMessageKind(port: datagram[0], command: datagram[headerSize]) {
        case .ack where hasShortHeader:
            if body == Self.ackLength2a { self = CmanEvidence(CmanGenerations(.cman2a), "an ACK of 24 bytes") }
            if body == Self.ackLength { self = CmanEvidence(CmanGenerations(.cman2b), "an ACK of 20 bytes") }
        case .newCluster where hasShortHeader:
            if body > 1 { self = CmanEvidence(CmanGenerations(.cman2b), "a NEWCLUSTER with a value") }
        case .startAck where !hasShortHeader:
            if body == Self.startAckLengthTo3 { self = CmanEvidence(CmanGenerations(.cman3), "a STARTACK of 36 bytes") }
            if body == Self.startAckLength { self = CmanEvidence(.long.subtracting(CmanGenerations(.cman3)), "a STARTACK of 28 bytes") }
        case .nodeDown where !hasShortHeader:
            self = CmanEvidence(CmanGenerations(.cman5), "a NODEDOWN")
        case .joinReq where !hasShortHeader:
            let offset = headerSize + Self.majorOffset
            guard datagram.count >= offset + MemoryLayout<UInt32>.size else { return }
            let major = UInt32(littleEndian: datagram.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            guard let generation = CmanGeneration.allCases.first(where: { $0 >= .cman3 && $0.majorVersion == major }) else { return }
            self = CmanEvidence(CmanGenerations(generation), "the version in a JOINREQ", isClaim: true)
        default: break
        }
    }

    /// REPLYEXP came with 2b, BCASTSELF in its last days.
    private static let flagsOf2b: CmanFlags = [.replyExpected, .broadcastSelf]
    // Lengths of what follows the header, the command included.
    private static let ackLength2a = 8
    private static let ackLength = 4
    private static let startAckLengthTo3 = 16
    private static let startAckLength = 8
    /// Where JOINREQ has its version, from the command on.
    private static let majorOffset = 12
}
