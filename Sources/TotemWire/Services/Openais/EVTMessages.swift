import WireFormat

/// Functions of the event service (evt.c:98@wt; the same in openais 1).
public enum EVTFunction: UInt16, Sendable, Hashable, CaseIterable {
    case eventData = 0
    case channelCommand = 1
    case recoveryEventData = 2
}

/// `evt.chancmd`: something is done to an event channel, or a step of the service's recovery (reference/ais-behaviour.md 6; evt.c:328@wt).
///
/// What follows the operation depends on it and is as large as the largest, 272 bytes; corosync 1 sends the operation alone.
public struct EVTChannelCommand: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "evt" }
    public static var messageName: StaticString { "chancmd" }

    /// What is done (`chc_op` on the wire; evt.c:276@wt).
    public enum Operation: UInt32, Sendable, Hashable, CaseIterable {
        case openChannel = 0
        case closeChannel = 1
        case unlinkChannel = 2
        case clearRetention = 3
        case setID = 4
        case configurationDone = 5
        case openCount = 6
        case openCountDone = 7
    }

    /// A channel and a number of it: the serial number of an open request, or the number of an unlinked channel.
    public struct NumberedChannel: WireStructure, Hashable {
        /// The channel.
        public var name = MarshalledName()
        /// The number.
        public var number: UInt64 = 0

        public init() {}

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.structure("name", &name)
            try visitor.field("number", &number)
        }
    }

    /// How often the sender has a channel open.
    public struct OpenCount: WireStructure, Hashable {
        /// The channel.
        public var name = MarshalledName()
        /// How often it is open.
        public var count: UInt32 = 0
        /// Bytes after `count`.
        public var pad: UInt32 = 0

        public init() {}

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.structure("chc_chan_name", &name)
            try visitor.field("chc_open_count", &count)
            try visitor.field("pad", &pad, .padding)
        }
    }

    /// The highest event id that was seen of a node.
    public struct LastID: WireStructure, Hashable {
        /// The node.
        public var nodeID: UInt32 = 0
        /// Bytes after `nodeID`.
        public var pad: UInt32 = 0
        /// The event id.
        public var lastID: UInt64 = 0

        public init() {}

        /// The last event `lastID` of node `nodeID`.
        public init(nodeID: UInt32, lastID: UInt64) {
            self.nodeID = nodeID
            self.lastID = lastID
        }

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("chc_nodeid", &nodeID)
            try visitor.field("pad", &pad, .padding)
            try visitor.field("chc_last_id", &lastID, .hexadecimal)
        }
    }

    /// The header.
    public var header = ServiceHeader(of: .openais080)
    /// What is done; see `Operation`.
    public var operation: UInt32 = 0
    /// Bytes after `operation`.
    public var pad: UInt32 = 0
    /// The channel that is opened, closed or unlinked.
    public var channel = NumberedChannel()
    /// The event whose retention ends.
    public var eventID: UInt64 = 0
    /// An event id to go on from.
    public var lastID = LastID()
    /// A channel that is open.
    public var openCount = OpenCount()
    /// Bytes behind what the operation has.
    public var unused = ByteRange()

    public init() {}

    /// `operation` as a daemon of `generation` sends it; `unused` is what has to be appended.
    /// The operations with a channel are not made here.
    public init(_ operation: Operation, lastID: LastID = LastID(), of generation: TotemGeneration) {
        let room = generation == .openais080 ? Self.roomOfOpenais : 0
        header = ServiceHeader(.evt, function: EVTFunction.channelCommand.rawValue, size: Self.prefixCount + room, of: generation)
        self.operation = operation.rawValue
        self.lastID = lastID
        unused = ByteRange(start: 0, count: max(0, room - (operation == .setID ? 16 : 0)))
    }

    /// Bytes in front of what belongs to the operation.
    static let prefixCount = 24
    /// Bytes for what belongs to the operation, whatever the operation is, in openais 0.80 (evt.c:328@wt).
    static let roomOfOpenais = 272

    static let operations = FieldFormat.labelled { value in
        switch value {
        case 0: "OPEN_CHAN"
        case 1: "CLOSE_CHAN"
        case 2: "UNLINK_CHAN"
        case 3: "CLEAR_RET"
        case 4: "SET_ID"
        case 5: "CONF_DONE"
        case 6: "OPEN_COUNT"
        case 7: "OPEN_COUNT_DONE"
        default: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("chc_op", &operation, Self.operations)
        try visitor.field("pad", &pad, .padding)
        let known = Operation(rawValue: operation)
        if visitor.includes(known == .openChannel) { try visitor.structure("chc_chan", &channel) }
        if visitor.includes(known == .closeChannel || known == .unlinkChannel) { try visitor.structure("chcu", &channel) }
        if visitor.includes(known == .clearRetention) { try visitor.field("chc_event_id", &eventID, .hexadecimal) }
        if visitor.includes(known == .setID) { try visitor.structure("chc_set_id", &lastID) }
        if visitor.includes(known == .openCount) { try visitor.structure("chc_set_opens", &openCount) }
        try visitor.payload("unused", &unused)
    }
}

/// `evt.eventdata`, and `evt.recovery-eventdata` where a retained event is told to those who missed it: an event that was published
/// (ipc_evt.h:271@wt).
public struct EVTEventData: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "evt" }
    public static var messageName: StaticString { "eventdata" }

    /// The header; the message has a response header, of which this is the first part.
    public var header = ServiceHeader(of: .openais080)
    /// Third word of the response header.
    public var error: UInt32 = 0
    /// Bytes after `error`.
    public var pad1: UInt32 = 0
    /// Node that published the event.
    public var nodeID: UInt32 = 0
    /// Bytes after `nodeID`.
    public var pad2: UInt32 = 0
    /// When it was received.
    public var receiveTime: UInt64 = 0
    /// A handle of the sender.
    public var serverChannelHandle: UInt32 = 0
    /// Bytes after `serverChannelHandle`.
    public var pad3: UInt32 = 0
    /// A handle of the sender's client.
    public var libraryChannelHandle: UInt64 = 0
    /// The channel.
    public var channelName = MarshalledName()
    /// Not 0 for a channel that was unlinked.
    public var channelUnlinkID: UInt64 = 0
    /// Id of the event.
    public var eventID: UInt64 = 0
    /// Id of the message.
    public var messageID: UInt64 = 0
    /// Id of the subscription it matches.
    public var subscriptionID: UInt64 = 0
    /// Node of the publisher.
    public var publisherNodeID: UInt32 = 0
    /// Bytes after `publisherNodeID`.
    public var pad4: UInt32 = 0
    /// Name of the publisher.
    public var publisherName = MarshalledName()
    /// For how long it is retained, in nanoseconds.
    public var retentionTime: UInt64 = 0
    /// When it was published, in nanoseconds since 1970.
    public var publishTime: UInt64 = 0
    /// 0 is the highest.
    public var priority: UInt8 = 0
    /// Bytes after `priority`.
    public var pad5 = InlineBytes<7>()
    /// Where in the body the program's bytes are.
    public var userDataOffset: UInt32 = 0
    /// Bytes after `userDataOffset`.
    public var pad6: UInt32 = 0
    /// How many they are.
    public var userDataSize: UInt32 = 0
    /// Bytes after `userDataSize`.
    public var pad7: UInt32 = 0
    /// Number of patterns in the body.
    public var patternsNumber: UInt32 = 0
    /// Bytes after `patternsNumber`.
    public var pad8: UInt32 = 0
    /// Patterns and the program's bytes.
    public var body = ByteRange()

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("error", &error)
        try visitor.field("pad1", &pad1, .padding)
        try visitor.field("led_nodeid", &nodeID)
        try visitor.field("pad2", &pad2, .padding)
        try visitor.field("led_receive_time", &receiveTime)
        try visitor.field("led_svr_channel_handle", &serverChannelHandle, .hexadecimal)
        try visitor.field("pad3", &pad3, .padding)
        try visitor.field("led_lib_channel_handle", &libraryChannelHandle, .hexadecimal)
        try visitor.structure("led_chan_name", &channelName)
        try visitor.field("led_chan_unlink_id", &channelUnlinkID)
        try visitor.field("led_event_id", &eventID, .hexadecimal)
        try visitor.field("led_msg_id", &messageID)
        try visitor.field("led_sub_id", &subscriptionID)
        try visitor.field("led_publisher_node_id", &publisherNodeID)
        try visitor.field("pad4", &pad4, .padding)
        try visitor.structure("led_publisher_name", &publisherName)
        try visitor.field("led_retention_time", &retentionTime)
        try visitor.field("led_publish_time", &publishTime)
        try visitor.field("led_priority", &priority)
        try visitor.field("pad5", &pad5.bytes, .padding)
        try visitor.field("led_user_data_offset", &userDataOffset)
        try visitor.field("pad6", &pad6, .padding)
        try visitor.field("led_user_data_size", &userDataSize)
        try visitor.field("pad7", &pad7, .padding)
        try visitor.field("led_patterns_number", &patternsNumber)
        try visitor.field("pad8", &pad8, .padding)
        try visitor.payload("led_body", &body)
    }
}
