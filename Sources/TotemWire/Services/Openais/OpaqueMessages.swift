import WireFormat

/// A function of a service whose messages are not taken apart behind the header: locks, message queues and the availability framework of
/// openais, which lie in their C structures' own alignment.
public struct OpaqueFunction: Sendable, Hashable {
    /// The service.
    public let service: ClusterService
    /// Its number within the service.
    public let number: UInt16
    /// The generation that gives it this number.
    public let generation: TotemGeneration

    /// The function `number` of `service` in `generation`; nil when it is not known.
    init?(_ service: ClusterService, number: UInt16, of generation: TotemGeneration) {
        guard Self.names(of: service, in: generation).indices.contains(Int(number)) else { return nil }
        self.service = service
        self.number = number
        self.generation = generation
    }

    /// The name of its message.
    var name: StaticString { Self.names(of: service, in: generation)[Int(number)] }

    /// All functions of `generation`.
    static func all(of generation: TotemGeneration) -> [OpaqueFunction] {
        ClusterService.allCases.flatMap { service in
            names(of: service, in: generation).indices.compactMap { OpaqueFunction(service, number: UInt16($0), of: generation) }
        }
    }

    private static func names(of service: ClusterService, in generation: TotemGeneration) -> [StaticString] {
        switch (service, generation) {
        case (.amf, .openais080): amf
        case (.lck, .openais080): lck
        case (.lck, .corosync1): lckOfOpenais1
        case (.msg, .openais080): msg
        case (.msg, .corosync1): msgOfOpenais1
        default: []
        }
    }

    /// By number (amf.h:417@wt).
    private static let amf: [StaticString] = [
        "amf.component-register", "amf.component-error-report", "amf.clc-cleanup-completed", "amf.healthcheck-tmo", "amf.response",
    ]

    /// By number (lck.c:64@wt).
    private static let lck: [StaticString] = [
        "lck.resourceopen", "lck.resourceclose", "lck.resourcelock", "lck.resourceunlock", "lck.resourcelockorphan", "lck.lockpurge",
    ]

    /// By number (services/lck.c:73 of openais 1.1).
    private static let lckOfOpenais1: [StaticString] = [
        "lck.resourceopen", "lck.resourceopenasync", "lck.resourceclose", "lck.resourcelock", "lck.resourcelockasync", "lck.resourceunlock",
        "lck.resourceunlockasync", "lck.lockpurge", "lck.limitget", "lck.resourcelock-timeout", "lck.sync-resource",
        "lck.sync-resource-lock", "lck.sync-resource-refcount",
    ]

    /// By number (msg.c:63@wt).
    private static let msg: [StaticString] = [
        "msg.queueopen", "msg.queueclose", "msg.queuestatusget", "msg.queueunlink", "msg.queuegroupcreate", "msg.queuegroupinsert",
        "msg.queuegroupremove", "msg.queuegroupdelete", "msg.queuegrouptrack", "msg.queuegrouptrackstop", "msg.messagesend",
        "msg.messageget", "msg.messagecancel", "msg.messagesendreceive", "msg.messagereply",
    ]

    /// By number (services/msg.c:73 of openais 1.1).
    private static let msgOfOpenais1: [StaticString] = [
        "msg.queueopen", "msg.queueopenasync", "msg.queueclose", "msg.queuestatusget", "msg.queueretentiontimeset", "msg.queueunlink",
        "msg.queuegroupcreate", "msg.queuegroupinsert", "msg.queuegroupremove", "msg.queuegroupdelete", "msg.queuegrouptrack",
        "msg.queuegrouptrackstop", "msg.queuegroupnotificationfree", "msg.messagesend", "msg.messagesendasync", "msg.messageget",
        "msg.messagedatafree", "msg.messagecancel", "msg.messagesendreceive", "msg.messagereply", "msg.messagereplyasync",
        "msg.queuecapacitythresholdsset", "msg.queuecapacitythresholdsget", "msg.metadatasizeget", "msg.limitget", "msg.sync-queue",
        "msg.sync-queue-message", "msg.sync-queue-refcount", "msg.sync-group", "msg.sync-group-member", "msg.sync-reply",
        "msg.queue-timeout", "msg.messageget-timeout", "msg.sendreceive-timeout",
    ]
}

/// A message of an `OpaqueFunction`: the header, and bytes.
public struct OpaqueServiceMessage: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "service" }
    public static var messageName: StaticString { "opaque" }

    /// The header.
    public var header = ServiceHeader(of: .openais080)
    /// Everything behind it.
    public var data = ByteRange()

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.payload("data", &data)
    }
}
