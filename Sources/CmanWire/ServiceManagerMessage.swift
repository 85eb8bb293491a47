import WireFormat

/// A message of the kernel's service manager, on port 2 (reference/cman-wire.md 8.1).
public struct CmanServiceManagerMessage: WireStructure {
    /// Bytes without data.
    public static let headerSize = 16

    /// Command of a `CmanMessageKind` of port 2.
    public var type: UInt8 = 0
    /// `CmanServiceStatus` in replies.
    public var status: UInt8 = 0
    /// Number of the requester's event; replies repeat it.
    public var eventID: UInt16 = 0
    /// Id of the service group, the level in the upper byte.
    public var globalID: UInt32 = 0
    /// In JOIN_REP: the sender's next free group number.
    public var lastID: UInt32 = 0
    /// 0 fence, 1 DLM, 2 GFS, 3 user.
    public var level: UInt16 = 0
    /// JOIN_REQ: name of the group. Other messages: their data, but for JSTOP_REQ.
    public var data: [UInt8] = []
    /// JSTOP_REQ: the new number of members.
    public var memberCount: UInt32?
    /// The length in replies that senders leave unset.
    private var unsetLength: UInt16 = 0

    public init() {}

    /// Whether `message`, from its type on, is one of the service manager's: as long as its length says, or a reply, whose length is
    /// whatever was on its sender's stack.
    public static func matches(_ message: UnsafeRawBufferPointer) -> Bool {
        guard message.count >= headerSize, let kind = CmanMessageKind(port: CmanPort.serviceManager, command: message[0]) else {
            return false
        }
        if kind.isUnsetServiceReply { return message.count == headerSize }
        return message.count == headerSize + (Int(message[headerSize - 2]) | Int(message[headerSize - 1]) << 8)
    }

    /// Which message it is.
    public var kind: CmanMessageKind? { CmanMessageKind(port: CmanPort.serviceManager, command: type) }

    static func levelLabel(_ value: UInt64) -> StaticString? {
        switch value {
        case 0: "fence"
        case 1: "DLM"
        case 2: "GFS"
        case 3: "user"
        default: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, .labelled(CmanMessageKind.serviceManagerLabel))
        try visitor.field("status", &status, .labelled(CmanServiceStatus.label))
        try visitor.field("sevent_id", &eventID, order: .little, .decimal)
        // Replies are built on the stack, and nobody sets more of them than type, status and event id (cman-kernel/src/sm_message.c:505-510,
        // 549-628, sm_membership.c:73-80, 186-193, 206-219 of ClusterLabs/resource-agents at 557f5e9b).
        let isUnset = kind?.isUnsetServiceReply ?? false
        try visitor.field("global_sgid", &globalID, order: .little, isUnset ? .padding : .hexadecimal)
        try visitor.field("global_lastid", &lastID, order: .little, isUnset ? .padding : .decimal)
        try visitor.field("level", &level, order: .little, isUnset ? .padding : .labelled(Self.levelLabel))
        if isUnset { return try visitor.field("length", &unsetLength, order: .little, .padding) }
        let countBytes = UInt16(MemoryLayout<UInt32>.size)
        var length = memberCount == nil ? UInt16(truncatingIfNeeded: data.count) : countBytes
        try visitor.field("length", &length, order: .little, .decimal)
        if visitor.includes(kind == .joinRequest) {
            try visitor.field("data_JOIN_REQ", &data, count: Int(length), .text)
        }
        let hasCount = kind == .joinStopRequest && length == countBytes
        if visitor.includes(hasCount) {
            var count = memberCount ?? 0
            try visitor.field("data_JSTOP_REQ", &count, order: .big, .decimal)
            memberCount = count
        }
        if visitor.includes(kind != .joinRequest && !hasCount && length > 0) {
            try visitor.field("data", &data, count: Int(length), .hexadecimal)
        }
    }
}
