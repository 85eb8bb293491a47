import WireFormat

/// A text of at most 255 bytes and a NUL as services send it, 264 bytes (`mar_name_t`, mar_gen.h:98@fl).
public struct MarshalledName: WireStructure, Hashable {
    /// Bytes for the text on the wire.
    public static let capacity = 256

    /// Used bytes of `value`.
    public var length: UInt16 = 0
    /// Bytes after `length`.
    public var pad = InlineBytes<6>()
    /// The text, and whatever lies behind it, 256 bytes.
    public var value: [UInt8] = []

    public init() {}

    /// The first 255 of `bytes`.
    public init(_ bytes: some Collection<UInt8>) {
        let used = bytes.prefix(Self.capacity - 1)
        length = UInt16(used.count)
        value = used + Array(repeating: 0, count: Self.capacity - used.count)
    }

    /// The text without what lies behind it.
    public var content: ArraySlice<UInt8> { value.prefix(Int(length)) }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        let start = visitor.offset
        try visitor.field("length", &length)
        guard length <= Self.capacity else {
            throw WireError(.outOfBounds(value: Int(length), limit: Self.capacity), field: "length", offset: start)
        }
        try visitor.field("pad", &pad.bytes, .padding)
        try visitor.field("value", &value, count: Self.capacity, .text)
    }
}
