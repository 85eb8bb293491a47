import WireFormat

/// A record of the kernel DLM's line protocol: what one segment, or several, bring between two headers (reference/cman-wire.md 12.2).
/// It is decoded and nothing else: nobody speaks this protocol here.
public struct DLMRecord: Sendable {
    /// Prefix of the names of its fields.
    public static let protocolName: StaticString = "dlm"

    /// What follows the header.
    public enum Body: Sendable {
        case request(DLMRequest)
        case reply(DLMReply)
        case recovery(DLMRecovery)
        case query(DLMQuery)
        case queryReply(DLMQueryReply)
        case message(DLMMessage)
        case recoveryMessage(DLMRecoveryMessage)
        /// A command that no version has.
        case unknown
    }

    /// The generation whose layouts it has.
    public let generation: DLMGeneration
    /// Which message it is; nil for a command that no version has.
    public let kind: DLMMessageKind?
    /// The header.
    public var header = DLMHeader()
    /// The message.
    public var body: Body
    /// What follows its last field, by position in the record.
    public var trailing = ByteRange()

    /// A record of `kind` whose fields are all zero.
    public init(_ kind: DLMMessageKind, of generation: DLMGeneration) {
        self.generation = generation
        self.kind = kind
        header.command = kind.command
        header.version = generation.version ?? 0
        body = Self.body(kind)
    }

    /// A record of the shape that `bytes` have, with no field read yet. `bytes` are as long as the record's header says.
    public init(shapeOf bytes: UnsafeRawBufferPointer, of generation: DLMGeneration) {
        self.generation = generation
        kind = Self.kind(of: bytes, generation)
        body = kind.map(Self.body) ?? .unknown
    }

    private static func kind(of bytes: UnsafeRawBufferPointer, _ generation: DLMGeneration) -> DLMMessageKind? {
        guard bytes.count >= generation.headerSize else { return nil }
        switch generation {
        case .unversioned: return DLMMessageKind(rawValue: UInt16(bytes[0]))
        case .first: return DLMMessageKind(rawValue: UInt16(bytes[4]))
        case .second:
            guard bytes.count >= generation.headerSize + 4 else { return nil }
            let type = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: generation.headerSize, as: UInt32.self))
            return DLMMessageKind(command: bytes[14], type: type)
        }
    }

    private static func body(_ kind: DLMMessageKind) -> Body {
        switch kind {
        case .lookup, .lockRequest, .unlockRequest, .convertRequest, .lockGrant, .sendBlockingAST, .sendCompletionAST, .removeResourceData:
            return .request(DLMRequest())
        case .lockReply: return .reply(DLMReply())
        case .recoverMessage, .recoverReply:
            var recovery = DLMRecovery()
            recovery.isReply = kind == .recoverReply
            return .recovery(recovery)
        case .query: return .query(DLMQuery())
        case .queryReply: return .queryReply(DLMQueryReply())
        case .messageRequest, .messageConvert, .messageUnlock, .messageCancel, .messageRequestReply, .messageConvertReply,
            .messageUnlockReply, .messageCancelReply, .messageGrant, .messageBlockingAST, .messageLookup, .messageRemove,
            .messageLookupReply:
            return .message(DLMMessage())
        case .recoveryStatus, .recoveryNames, .recoveryLookup, .recoveryLock, .recoveryStatusReply, .recoveryNamesReply,
            .recoveryLookupReply, .recoveryLockReply:
            return .recoveryMessage(DLMRecoveryMessage())
        }
    }

    /// Shows every field to `visitor`, in wire order.
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try header.visit(&visitor, of: generation)
        switch body {
        case .request(var message):
            try message.visit(&visitor)
            body = .request(message)
        case .reply(var message):
            try message.visit(&visitor)
            body = .reply(message)
        case .recovery(var message):
            try message.visit(&visitor)
            body = .recovery(message)
        case .query(var message):
            try message.visit(&visitor)
            body = .query(message)
        case .queryReply(var message):
            try message.visit(&visitor)
            body = .queryReply(message)
        case .message(var message):
            try message.visit(&visitor)
            body = .message(message)
        case .recoveryMessage(var message):
            try message.visit(&visitor)
            body = .recoveryMessage(message)
        case .unknown: break
        }
        if V.purpose == .read, visitor.remaining > 0 { try visitor.payload("trailing", &trailing) }
    }

    /// The resource that it names; empty when it names none.
    public var resourceName: [UInt8] {
        switch body {
        case .request(let request) where kind == .lookup || kind == .lockRequest || kind == .removeResourceData: request.name
        case .message(let message) where kind == .messageRequest || kind == .messageLookup || kind == .messageRemove: message.extra
        case .recovery(let recovery)
        where kind == .recoverMessage && (recovery.command == .getMaster || recovery.command == .removeResourceData):
            recovery.data
        case .recoveryMessage(let recovery) where kind == .recoveryLookup: recovery.data
        default: []
        }
    }
}
