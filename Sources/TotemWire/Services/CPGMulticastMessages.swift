import WireFormat

/// `cpg.mcast`: a message from a process to its group (cpg.c:466 of 3.1.7).
public struct CPGMulticast: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cpg" }
    public static var messageName: StaticString { "mcast" }

    /// Bytes in front of the process's own.
    public static let prefixCount = 184

    /// The header.
    public var header = ServiceHeader()
    /// The group.
    public var groupName = CPGName()
    /// Length of the process's message in bytes.
    public var msglen: UInt32 = 0
    /// Bytes after `msglen`.
    public var pad1: UInt32 = 0
    /// Process id of the sender.
    public var pid: UInt32 = 0
    /// Bytes after `pid`.
    public var pad2: UInt32 = 0
    /// The sender as it names itself.
    public var source = ServiceMessageSource()
    /// The process's message, and whatever lies behind it.
    public var message = ByteRange()

    public init() {}

    /// The prefix of a message of `count` bytes to `groupName` from process `pid` of `node`.
    public init(groupName: CPGName, pid: UInt32, node: UInt32, count: Int) {
        header = ServiceHeader(.cpg, function: CPGFunction.mcast.rawValue, size: Self.prefixCount + count)
        self.groupName = groupName
        msglen = UInt32(truncatingIfNeeded: count)
        self.pid = pid
        source.nodeid = node
    }

    /// The process's message without anything behind it.
    @inlinable
    public var content: ByteRange { ByteRange(start: message.start, count: min(message.count, Int(msglen))) }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.structure("group_name", &groupName)
        let start = visitor.offset
        try visitor.field("msglen", &msglen)
        try visitor.field("pad1", &pad1, .padding)
        try visitor.field("pid", &pid)
        try visitor.field("pad2", &pad2, .padding)
        try visitor.structure("source", &source)
        try visitor.payload("message", &message)
        if V.purpose == .read, Int(msglen) > message.count {
            throw WireError(.outOfBounds(value: Int(msglen), limit: message.count), field: "msglen", offset: start)
        }
    }
}

/// `cpg.partial-mcast`: a piece of a message that is larger than a client's request may be (cpg.c:475 of 3.1.7).
public struct CPGPartialMulticast: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cpg" }
    public static var messageName: StaticString { "partial-mcast" }

    /// Which piece of the message it is (`type` on the wire; ipc_cpg.h LIBCPG_PARTIAL_*).
    public enum Part: UInt32, Sendable, Hashable {
        case first = 1
        case continued = 2
        case last = 3
    }

    /// Bytes in front of the piece.
    public static let prefixCount = 200

    /// The header.
    public var header = ServiceHeader()
    /// The group.
    public var groupName = CPGName()
    /// Length of the whole message in bytes.
    public var msglen: UInt32 = 0
    /// Bytes after `msglen`.
    public var pad1: UInt32 = 0
    /// Length of this piece in bytes.
    public var fraglen: UInt32 = 0
    /// Bytes after `fraglen`.
    public var pad2: UInt32 = 0
    /// Process id of the sender.
    public var pid: UInt32 = 0
    /// Bytes after `pid`.
    public var pad3: UInt32 = 0
    /// Which piece it is: 1 the first, 2 one in between, 3 the last.
    public var type: UInt32 = 0
    /// Bytes after `type`.
    public var pad4: UInt32 = 0
    /// The sender as it names itself.
    public var source = ServiceMessageSource()
    /// The piece, and whatever lies behind it.
    public var message = ByteRange()

    public init() {}

    /// The prefix of the piece `part` of `count` bytes, of a message of `total` bytes to `groupName` from process `pid` of `node`.
    public init(groupName: CPGName, pid: UInt32, node: UInt32, part: Part, count: Int, total: Int) {
        header = ServiceHeader(.cpg, function: CPGFunction.partialMcast.rawValue, size: Self.prefixCount + count)
        self.groupName = groupName
        msglen = UInt32(truncatingIfNeeded: total)
        fraglen = UInt32(truncatingIfNeeded: count)
        self.pid = pid
        type = part.rawValue
        source.nodeid = node
    }

    /// The piece without anything behind it.
    public var content: ByteRange { ByteRange(start: message.start, count: min(message.count, Int(fraglen))) }

    @usableFromInline
    static let types = FieldFormat.labelled { value in
        switch value {
        case 1: "first"
        case 2: "continued"
        case 3: "last"
        default: nil
        }
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.structure("group_name", &groupName)
        try visitor.field("msglen", &msglen)
        try visitor.field("pad1", &pad1, .padding)
        let start = visitor.offset
        try visitor.field("fraglen", &fraglen)
        try visitor.field("pad2", &pad2, .padding)
        try visitor.field("pid", &pid)
        try visitor.field("pad3", &pad3, .padding)
        try visitor.field("type", &type, Self.types)
        try visitor.field("pad4", &pad4, .padding)
        try visitor.structure("source", &source)
        try visitor.payload("message", &message)
        if V.purpose == .read, Int(fraglen) > message.count {
            throw WireError(.outOfBounds(value: Int(fraglen), limit: message.count), field: "fraglen", offset: start)
        }
    }
}
