import WireFormat

/// What every totempg message begins with: the names of the groups it is for (reference/totem-wire.md 5.2).
public struct GroupHeader: WireMessage, Equatable {
    public static var protocolName: StaticString { "totempg" }
    public static var messageName: StaticString { "group" }

    /// Most groups a sane message names.
    public static var groupLimit: Int { 64 }

    /// The groups' names, one entry per group.
    public var names: [[UInt8]] = []
    @usableFromInline
    var lengths: [UInt16] = []
    /// The application's message.
    public var message = ByteRange()

    public init() {}

    /// A header for a message to one group.
    public init(group: [UInt8]) {
        names = [group]
    }

    /// A header for a message to several groups.
    public init(names: [[UInt8]]) {
        self.names = names
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        if V.purpose == .write {
            lengths.removeAll(keepingCapacity: true)
            for name in names { lengths.append(UInt16(truncatingIfNeeded: name.count)) }
        }
        var count = UInt16(truncatingIfNeeded: lengths.count)
        let start = visitor.offset
        try visitor.field("group_count", &count)
        guard count <= Self.groupLimit else {
            throw WireError(.outOfBounds(value: Int(count), limit: Self.groupLimit), field: "group_count", offset: start)
        }
        try visitor.list("group_len", &lengths, count: Int(count), .decimal)
        resizeNames(to: V.purpose == .describe ? 1 : lengths.count)
        for index in names.indices {
            try visitor.field("names", &names[index], count: index < lengths.count ? Int(lengths[index]) : 0, .text)
        }
        try visitor.payload("message", &message)
    }

    /// Keeps the memory of names that stay, so that a value that is read again and again allocates nothing.
    @inlinable
    mutating func resizeNames(to count: Int) {
        while names.count > count { names.removeLast() }
        while names.count < count { names.append([]) }
    }
}
