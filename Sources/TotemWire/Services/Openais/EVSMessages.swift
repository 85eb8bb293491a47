import WireFormat

/// `evs.mcast`: a program's message to groups of extended virtual synchrony (ipc_evs.h:136@wt, ipc_evs.h:120@fl). The numbers in front
/// of the groups have four bytes in openais 0.80 and eight in corosync 1.
public struct EVSMulticast: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "evs" }
    public static var messageName: StaticString { "mcast" }

    /// A group's name, 32 bytes.
    public struct Group: WireStructure, Hashable {
        /// The name.
        public var key = InlineBytes<32>()

        public init() {}

        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("key", &key.bytes, .text)
        }
    }

    /// The header.
    public var header = ServiceHeader(of: .openais080)
    /// Number of groups.
    public var groupEntries: UInt64 = 0
    /// Length of the program's message in bytes.
    public var msgLength: UInt64 = 0
    /// The groups.
    public var groups: [Group] = []
    /// The program's message.
    public var message = ByteRange()

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        if header.generation == .openais080 {
            var entries = UInt32(truncatingIfNeeded: groupEntries)
            try visitor.field("group_entries", &entries)
            var length = UInt32(truncatingIfNeeded: msgLength)
            try visitor.field("msg_len", &length)
            (groupEntries, msgLength) = (UInt64(entries), UInt64(length))
        } else {
            try visitor.field("group_entries", &groupEntries)
            try visitor.field("msg_len", &msgLength)
        }
        try visitor.list("groups", &groups, count: Int(clamping: groupEntries))
        try visitor.payload("message", &message)
    }
}
