import WireFormat

/// A message of groupd, which took the service manager's place, and its port 2, in the userland of mid-2005 (reference/cman-wire.md 8.7;
/// group/daemon/gd_internal.h:287-299 and message.c:114-135 of ClusterLabs/resource-agents at 557f5e9b).
public struct GroupdMessage: WireStructure {
    /// Prefix of the names of its fields.
    public static let protocolName: StaticString = "groupd"
    /// Bytes it takes; every message is as long.
    public static let size = 88

    /// What a message is.
    public enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        case joinRequest = 1
        case joinReply = 2
        case joinStopRequest = 3
        case joinStopReply = 4
        case joinStartCommand = 5
        case leaveRequest = 6
        case leaveReply = 7
        case leaveStopRequest = 8
        case leaveStopReply = 9
        case leaveStartCommand = 10
        case leaveStartDone = 11
        case recover = 12
        case barrier = 13

        /// Its name in listings.
        public var name: StaticString {
            switch self {
            case .joinRequest: "groupd-join-req"
            case .joinReply: "groupd-join-rep"
            case .joinStopRequest: "groupd-jstop-req"
            case .joinStopReply: "groupd-jstop-rep"
            case .joinStartCommand: "groupd-jstart-cmd"
            case .leaveRequest: "groupd-leave-req"
            case .leaveReply: "groupd-leave-rep"
            case .leaveStopRequest: "groupd-lstop-req"
            case .leaveStopReply: "groupd-lstop-rep"
            case .leaveStartCommand: "groupd-lstart-cmd"
            case .leaveStartDone: "groupd-lstart-done"
            case .recover: "groupd-recover"
            case .barrier: "groupd-barrier"
            }
        }

        static func label(_ value: UInt64) -> StaticString? { Kind(rawValue: UInt8(truncatingIfNeeded: value))?.name }
    }

    /// `Kind`.
    public var type: UInt8 = 0
    /// `CmanServiceStatus` in replies.
    public var status: UInt8 = 0
    /// Level of the group, 0 to 3; groups of one level recover before those of the next.
    public var level: UInt16 = 0
    /// The node it is for; 0 for all.
    public var targetID: Int32 = 0
    /// Number of the requester's event; replies repeat it.
    public var eventID: UInt32 = 0
    /// Id of the group, the level in the upper byte.
    public var groupID: UInt32 = 0
    /// In the reply to a join request: the sender's next free group number.
    public var lastID: UInt32 = 0
    /// Members of the group.
    public var count: UInt32 = 0
    private var infoField = InlineArray<32, UInt8>(repeating: 0)
    private var nameField = InlineArray<32, UInt8>(repeating: 0)

    public init() {}

    /// Which message it is; nil for a type that does not exist.
    public var kind: Kind? { Kind(rawValue: type) }

    /// Name of the group, up to its NUL.
    public var name: [UInt8] { Self.text(nameField) }

    /// What the joining or leaving program tells the others, or the name of a barrier, up to its NUL.
    public var info: [UInt8] { Self.text(infoField) }

    private static func text(_ field: InlineArray<32, UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        for index in field.indices {
            guard field[index] != 0 else { break }
            text.append(field[index])
        }
        return text
    }

    /// Whether `payload`, a message of port 2 behind cman's header, is groupd's: its length and the ranges of its fields say so.
    public static func matches(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard payload.count == size, let message = try? GroupdMessage(reading: payload) else { return false }
        return message.kind != nil && message.status <= CmanServiceStatus.wait.rawValue && message.level < 4 && message.targetID >= 0
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, .labelled(Kind.label))
        try visitor.field("status", &status, .labelled(CmanServiceStatus.label))
        try visitor.field("level", &level, order: .little, .labelled(CmanServiceManagerMessage.levelLabel))
        try visitor.field("to_nodeid", &targetID, order: .little, .decimal)
        try visitor.field("event_id", &eventID, order: .little, .decimal)
        try visitor.field("group_id", &groupID, order: .little, .hexadecimal)
        try visitor.field("last_id", &lastID, order: .little, .decimal)
        try visitor.field("count", &count, order: .little, .decimal)
        try visitor.field("info", &infoField, .text)
        try visitor.field("name", &nameField, .text)
    }
}
