import WireFormat

/// Functions of the CPG service (cpg.c:80-86 of 3.1.7).
public enum CPGFunction: UInt16, Sendable, Hashable, CaseIterable {
    case procjoin = 0
    case procleave = 1
    case joinlist = 2
    case mcast = 3
    /// The downlist of openais, which nobody reads any more.
    case downlistOld = 4
    case downlist = 5
    case partialMcast = 6
}

/// What `cpg.procjoin` and `cpg.procleave` have in common, 168 bytes (cpg.c:459 of 3.1.7).
public struct CPGProcessChange: WireStructure, Hashable {
    /// Number of bytes on the wire.
    public static let byteCount = 168

    /// The header.
    public var header = ServiceHeader()
    /// The group.
    public var groupName = CPGName()
    /// Process id of the process that joins or leaves.
    public var pid: UInt32 = 0
    /// Bytes after `pid`.
    public var pad1: UInt32 = 0
    /// Why: 1 join, 2 leave, 3 node down, 4 node up, 5 process down.
    public var reason: UInt32 = 0
    /// Bytes after `reason`.
    public var pad2: UInt32 = 0

    public init() {}

    @usableFromInline
    static let reasons = FieldFormat.labelled { value in
        switch value {
        case 1: "join"
        case 2: "leave"
        case 3: "nodedown"
        case 4: "nodeup"
        case 5: "procdown"
        default: nil
        }
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.structure("group_name", &groupName)
        try visitor.field("pid", &pid)
        try visitor.field("pad1", &pad1, .padding)
        try visitor.field("reason", &reason, Self.reasons)
        try visitor.field("pad2", &pad2, .padding)
    }
}

/// `cpg.procjoin`: a process joins a group.
public struct CPGProcessJoin: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cpg" }
    public static var messageName: StaticString { "procjoin" }

    /// Group, process and reason.
    public var change = CPGProcessChange()

    public init() {}

    public var header: ServiceHeader {
        get { change.header }
        set { change.header = newValue }
    }

    /// Process `pid` of the sender joins `groupName`.
    public init(groupName: CPGName, pid: UInt32) {
        change.header = ServiceHeader(.cpg, function: CPGFunction.procjoin.rawValue, size: CPGProcessChange.byteCount)
        change.groupName = groupName
        change.pid = pid
        change.reason = 1
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try change.visit(&visitor)
    }
}

/// `cpg.procleave`: a process leaves a group.
public struct CPGProcessLeave: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cpg" }
    public static var messageName: StaticString { "procleave" }

    /// Group, process and reason.
    public var change = CPGProcessChange()

    public init() {}

    public var header: ServiceHeader {
        get { change.header }
        set { change.header = newValue }
    }

    /// Process `pid` of the sender leaves `groupName` for `reason`.
    public init(groupName: CPGName, pid: UInt32, reason: UInt32) {
        change.header = ServiceHeader(.cpg, function: CPGFunction.procleave.rawValue, size: CPGProcessChange.byteCount)
        change.groupName = groupName
        change.pid = pid
        change.reason = reason
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try change.visit(&visitor)
    }
}

/// `cpg.joinlist`: every process of the sender that is in a group (cpg.c:192, 1490 of 3.1.7).
public struct CPGJoinList: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cpg" }
    public static var messageName: StaticString { "joinlist" }

    /// A process in a group, 144 bytes.
    public struct Entry: WireStructure, Hashable {
        /// Number of bytes on the wire.
        public static let byteCount = 144

        /// Process id.
        public var pid: UInt32 = 0
        /// Bytes after `pid`.
        public var pad: UInt32 = 0
        /// The group it is in.
        public var groupName = CPGName()

        public init() {}

        /// Process `pid` in `groupName`.
        public init(pid: UInt32, groupName: CPGName) {
            self.pid = pid
            self.groupName = groupName
        }

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.field("pid", &pid)
            try visitor.field("pad", &pad, .padding)
            try visitor.structure("group_name", &groupName)
        }
    }

    /// Bytes in front of the entries.
    public static let prefixCount = 24

    /// The header; its size tells the number of entries.
    public var header = ServiceHeader()
    /// Third word of the response header, which this one message has instead of the request header.
    public var error: UInt32 = 0
    /// Bytes after `error`.
    public var pad: UInt32 = 0
    /// The processes.
    public var entries: [Entry] = []

    public init() {}

    /// The list of `entries`.
    public init(entries: [Entry]) {
        header = ServiceHeader(
            .cpg,
            function: CPGFunction.joinlist.rawValue,
            size: Self.prefixCount + entries.count * Entry.byteCount
        )
        self.entries = entries
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        let start = visitor.offset
        try visitor.structure("header", &header)
        try visitor.field("error", &error)
        try visitor.field("pad", &pad, .padding)
        let bytes = Int(header.size) - Self.prefixCount
        if V.purpose == .read, bytes < 0 || bytes % Entry.byteCount != 0 {
            throw WireError(.invalidValue(UInt64(header.size)), field: "size", offset: start + header.sizeOffset)
        }
        try visitor.list("entries", &entries, count: max(0, bytes) / Entry.byteCount)
    }
}

/// `cpg.downlist`: the nodes that have gone, as the sender sees it. corosync 1 applies one of the lists that it receives, later ones go
/// by their own view (reference/totem-services.md 7.2; services/cpg.c:466@fl, cpg.c:492, 1292 of 3.1.7).
public struct CPGDownList: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cpg" }
    public static var messageName: StaticString { "downlist" }

    /// Entries of the list on the wire, used or not.
    public static let capacity = 384

    /// The header.
    public var header = ServiceHeader(.cpg, function: CPGFunction.downlist.rawValue, size: 1568)
    /// Members of the sender's last synchronised ring.
    public var oldMembers: UInt32 = 0
    /// Bytes after `oldMembers`.
    public var pad1: UInt32 = 0
    /// Used entries of `nodeids`.
    public var leftNodes: UInt32 = 0
    /// Bytes after `leftNodes`.
    public var pad2: UInt32 = 0
    /// All 384 entries. The daemons keep the list in one place, so that behind the used entries lie those of earlier lists.
    public var nodeids: [UInt32] = []

    public init() {}

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("old_members", &oldMembers)
        try visitor.field("pad1", &pad1, .padding)
        let start = visitor.offset
        try visitor.field("left_nodes", &leftNodes)
        guard leftNodes <= Self.capacity else {
            throw WireError(.outOfBounds(value: Int(leftNodes), limit: Self.capacity), field: "left_nodes", offset: start)
        }
        try visitor.field("pad2", &pad2, .padding)
        try visitor.list("nodeids", &nodeids, count: Self.capacity, .decimal)
    }
}

/// `cpg.downlist-old`: the downlist of openais 0.80, where the member with the lowest node id fills it; ignored by corosync
/// (reference/totem-services.md 7.2; cpg.c:370@wt, cpg.c:486 of 3.1.7).
public struct CPGDownListOld: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cpg" }
    public static var messageName: StaticString { "downlist-old" }

    /// The header.
    public var header = ServiceHeader(.cpg, function: CPGFunction.downlistOld.rawValue, size: 1560)
    /// Used entries of `nodeids`.
    public var leftNodes: UInt32 = 0
    /// Bytes after `leftNodes`.
    public var pad: UInt32 = 0
    /// All 384 entries.
    public var nodeids: [UInt32] = []

    public init() {}

    /// The first `leftNodes` of `nodeids` are gone; the list has all 384 entries.
    public init(leftNodes: UInt32, nodeids: [UInt32]) {
        self.leftNodes = leftNodes
        self.nodeids = nodeids
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        let start = visitor.offset
        try visitor.field("left_nodes", &leftNodes)
        guard leftNodes <= CPGDownList.capacity else {
            throw WireError(.outOfBounds(value: Int(leftNodes), limit: CPGDownList.capacity), field: "left_nodes", offset: start)
        }
        try visitor.field("pad", &pad, .padding)
        try visitor.list("nodeids", &nodeids, count: CPGDownList.capacity, .decimal)
    }
}
