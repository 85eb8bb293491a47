/// The messages of the DLM's line protocol. The raw value is the command, for the next generation with the header's command in the upper
/// byte and the type in the lower one (reference/cman-wire.md 12.2; dlm-kernel/src2/dlm_internal.h:336-352, 387-395 of
/// ClusterLabs/resource-agents at 557f5e9b).
public enum DLMMessageKind: UInt16, CaseIterable, Hashable, Sendable {
    case lookup = 1
    case lockRequest = 2
    case unlockRequest = 3
    case convertRequest = 4
    case lockReply = 5
    case lockGrant = 6
    case sendBlockingAST = 7
    case sendCompletionAST = 8
    case removeResourceData = 9
    case recoverMessage = 20
    case recoverReply = 21
    case query = 30
    case queryReply = 31

    // The next generation: locking.
    case messageRequest = 0x0101
    case messageConvert = 0x0102
    case messageUnlock = 0x0103
    case messageCancel = 0x0104
    case messageRequestReply = 0x0105
    case messageConvertReply = 0x0106
    case messageUnlockReply = 0x0107
    case messageCancelReply = 0x0108
    case messageGrant = 0x0109
    case messageBlockingAST = 0x010A
    case messageLookup = 0x010B
    case messageRemove = 0x010C
    case messageLookupReply = 0x010D

    // The next generation: recovery.
    case recoveryStatus = 0x0201
    case recoveryNames = 0x0202
    case recoveryLookup = 0x0203
    case recoveryLock = 0x0204
    case recoveryStatusReply = 0x0205
    case recoveryNamesReply = 0x0206
    case recoveryLookupReply = 0x0207
    case recoveryLockReply = 0x0208

    /// The generations that have it.
    public var generations: [DLMGeneration] { rawValue < 0x0100 ? [.unversioned, .first] : [.second] }

    /// Its command in the header.
    public var command: UInt8 { rawValue < 0x0100 ? UInt8(rawValue) : UInt8(rawValue >> 8) }

    /// In the next generation, its type behind the header.
    public var type: UInt32 { UInt32(rawValue & 0xFF) }

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .lookup: "dlm.lookup"
        case .lockRequest: "dlm.lock-request"
        case .unlockRequest: "dlm.unlock-request"
        case .convertRequest: "dlm.convert-request"
        case .lockReply: "dlm.lock-reply"
        case .lockGrant: "dlm.lock-grant"
        case .sendBlockingAST: "dlm.send-bast"
        case .sendCompletionAST: "dlm.send-cast"
        case .removeResourceData: "dlm.rem-resdata"
        case .recoverMessage: "dlm.recover-message"
        case .recoverReply: "dlm.recover-reply"
        case .query: "dlm.query"
        case .queryReply: "dlm.query-reply"
        case .messageRequest: "dlm.msg-request"
        case .messageConvert: "dlm.msg-convert"
        case .messageUnlock: "dlm.msg-unlock"
        case .messageCancel: "dlm.msg-cancel"
        case .messageRequestReply: "dlm.msg-request-reply"
        case .messageConvertReply: "dlm.msg-convert-reply"
        case .messageUnlockReply: "dlm.msg-unlock-reply"
        case .messageCancelReply: "dlm.msg-cancel-reply"
        case .messageGrant: "dlm.msg-grant"
        case .messageBlockingAST: "dlm.msg-bast"
        case .messageLookup: "dlm.msg-lookup"
        case .messageRemove: "dlm.msg-remove"
        case .messageLookupReply: "dlm.msg-lookup-reply"
        case .recoveryStatus: "dlm.rcom-status"
        case .recoveryNames: "dlm.rcom-names"
        case .recoveryLookup: "dlm.rcom-lookup"
        case .recoveryLock: "dlm.rcom-lock"
        case .recoveryStatusReply: "dlm.rcom-status-reply"
        case .recoveryNamesReply: "dlm.rcom-names-reply"
        case .recoveryLookupReply: "dlm.rcom-lookup-reply"
        case .recoveryLockReply: "dlm.rcom-lock-reply"
        }
    }

    static func commandLabel(_ value: UInt64) -> StaticString? { value < 0x0100 ? DLMMessageKind(rawValue: UInt16(value))?.name : nil }

    static func messageTypeLabel(_ value: UInt64) -> StaticString? {
        value < 0x0100 ? DLMMessageKind(rawValue: 0x0100 | UInt16(value))?.name : nil
    }

    static func recoveryTypeLabel(_ value: UInt64) -> StaticString? {
        value < 0x0100 ? DLMMessageKind(rawValue: 0x0200 | UInt16(value))?.name : nil
    }
}
