import WireFormat

/// Functions of the CMAP service (cmap.c:142 of 3.1.7).
public enum CMAPFunction: UInt16, Sendable, Hashable, CaseIterable {
    case mcast = 0
}

/// `cmap.mcast`: values of configuration keys, in practice the version of the configuration (cmap.c:289-305 of 3.1.7).
public struct CMAPMulticast: ServiceStructure, Hashable {
    public static var protocolName: StaticString { "cmap" }
    public static var messageName: StaticString { "mcast" }

    /// Why it is sent.
    public enum Reason: UInt8, Sendable, Hashable {
        /// The services are being synchronised.
        case sync = 0
        /// The configuration's version has changed.
        case newConfigurationVersion = 1
    }

    /// A key and its value.
    public struct Item: WireStructure, Hashable {
        /// Bytes in front of the value.
        public static let prefixCount = 280

        /// Name of the key.
        public var key = MarshalledName()
        /// Type of the value: 0 the key does not exist, 8 a number of 64 bits (icmap.h).
        public var valueType: UInt8 = 0
        /// Bytes after `valueType`.
        public var pad = InlineBytes<7>()
        /// Length of the value in bytes.
        public var valueLength: UInt64 = 0
        /// The value of a type that is an integer.
        public var number: UInt64 = 0
        /// The value of any other type.
        public var bytes: [UInt8] = []
        /// Bytes that fill the item up to a multiple of eight.
        public var filler: [UInt8] = []

        public init() {}

        @usableFromInline
        static let types = FieldFormat.labelled { value in
            switch value {
            case 0: "none"
            case 1: "i8"
            case 2: "u8"
            case 3: "i16"
            case 4: "u16"
            case 5: "i32"
            case 6: "u32"
            case 7: "i64"
            case 8: "u64"
            case 9: "float"
            case 10: "double"
            case 11: "string"
            case 12: "binary"
            default: nil
            }
        }

        @inlinable
        public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
            try visitor.structure("key", &key)
            try visitor.field("value_type", &valueType, Self.types)
            try visitor.field("pad", &pad.bytes, .padding)
            try visitor.field("value_len", &valueLength)
            let count = Int(clamping: valueLength)
            switch (valueType, count) {
            case _ where V.purpose == .describe:
                try integer(Int64.self, &visitor)
                try integer(UInt64.self, &visitor)
                try visitor.field("value", &bytes, count: 0, .text)
                try visitor.field("value", &bytes, count: 0, .decimal)
            case (1, 1): try integer(Int8.self, &visitor)
            case (2, 1): try integer(UInt8.self, &visitor)
            case (3, 2): try integer(Int16.self, &visitor)
            case (4, 2): try integer(UInt16.self, &visitor)
            case (5, 4): try integer(Int32.self, &visitor)
            case (6, 4): try integer(UInt32.self, &visitor)
            case (7, 8): try integer(Int64.self, &visitor)
            case (8, 8): try integer(UInt64.self, &visitor)
            default: try visitor.field("value", &bytes, count: count, valueType == 11 ? .text : .decimal)
            }
            try visitor.field("filler", &filler, count: (8 - count % 8) % 8, .padding)
        }

        @inlinable
        mutating func integer<T: WireInteger, V: WireVisitor>(_ type: T.Type, _ visitor: inout V) throws(WireError) {
            var value = T(truncatingIfNeeded: number)
            try visitor.field("value", &value)
            number = UInt64(truncatingIfNeeded: value)
        }
    }

    /// The key of the configuration's version.
    public static let configurationVersionKey = "totem.config_version"

    /// The header.
    public var header = ServiceHeader()
    /// Why it is sent: 0 synchronisation, 1 a new version.
    public var reason: UInt8 = 0
    /// Bytes after `reason`.
    public var pad1 = InlineBytes<7>()
    /// Number of items.
    public var noItems: UInt8 = 0
    /// Bytes after `noItems`.
    public var pad2 = InlineBytes<7>()
    /// Unused.
    public var reserved1: UInt8 = 0
    /// Bytes after `reserved1`.
    public var pad3 = InlineBytes<7>()
    /// Unused.
    public var reserved2: UInt8 = 0
    /// Bytes after `reserved2`.
    public var pad4 = InlineBytes<7>()
    /// The keys and their values.
    public var items: [Item] = []

    public init() {}

    /// The version of the sender's configuration; nil says that it has none.
    public init(_ reason: Reason, configurationVersion: UInt64?) {
        var item = Item()
        item.key = MarshalledName(Self.configurationVersionKey.utf8)
        if let configurationVersion {
            item.valueType = 8
            item.valueLength = 8
            item.number = configurationVersion
        }
        header = ServiceHeader(.cmap, function: CMAPFunction.mcast.rawValue, size: 48 + Item.prefixCount + Int(item.valueLength))
        self.reason = reason.rawValue
        noItems = 1
        items = [item]
    }

    /// The version of the configuration that the message tells; 0 when it says that there is none, nil when it says nothing about it
    /// (cmap.c:1035-1059 of 3.1.7).
    public var configurationVersion: UInt64? {
        guard let item = items.first(where: { $0.key.content.elementsEqual(Self.configurationVersionKey.utf8) }) else { return nil }
        return item.valueType == 8 && item.valueLength == 8 ? item.number : 0
    }

    @usableFromInline
    static let reasons = FieldFormat.labelled { $0 == 0 ? "sync" : $0 == 1 ? "new config version" : nil }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.structure("header", &header)
        try visitor.field("reason", &reason, Self.reasons)
        try visitor.field("pad1", &pad1.bytes, .padding)
        try visitor.field("no_items", &noItems)
        try visitor.field("pad2", &pad2.bytes, .padding)
        try visitor.field("reserved1", &reserved1)
        try visitor.field("pad3", &pad3.bytes, .padding)
        try visitor.field("reserved2", &reserved2)
        try visitor.field("pad4", &pad4.bytes, .padding)
        try visitor.list("items", &items, count: Int(noItems))
    }
}
