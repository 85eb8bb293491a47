import WireFormat

/// The name of a closed process group as it lies in CPG messages, 136 bytes (`mar_cpg_name_t`, ipc_cpg.h:112 of 3.1.7).
///
/// Two names are the same when they agree in length and in that many bytes; what lies behind is not looked at.
public struct CPGName: WireStructure {
    /// Most bytes a name can have.
    public static let capacity = 128

    /// Used bytes of `value`.
    public var length: UInt32 = 0
    /// Bytes after `length`.
    public var pad: UInt32 = 0
    /// The name, and whatever lies behind it.
    public var value = InlineArray<128, UInt8>(repeating: 0)

    public init() {}

    /// The name made of `bytes`; nil when there are more than 128.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= Self.capacity else { return nil }
        length = UInt32(bytes.count)
        for (index, byte) in bytes.enumerated() { value[index] = byte }
    }

    /// Calls `body` with the used bytes; they are valid during the call only.
    @inlinable
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: value) { body(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(min(length, UInt32(Self.capacity)))))) }
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        let start = visitor.offset
        try visitor.field("length", &length)
        guard length <= Self.capacity else {
            throw WireError(.outOfBounds(value: Int(length), limit: Self.capacity), field: "length", offset: start)
        }
        try visitor.field("pad", &pad, .padding)
        try visitor.field("value", &value, .text)
    }
}

extension CPGName: Hashable {
    @inlinable
    public static func == (left: CPGName, right: CPGName) -> Bool {
        left.length == right.length && left.withBytes { name in right.withBytes { name.elementsEqual($0) } }
    }

    @inlinable
    public func hash(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: $0) }
    }
}

extension CPGName: Comparable {
    /// The order in which the daemons list groups: that of their bytes.
    public static func < (left: CPGName, right: CPGName) -> Bool {
        left.withBytes { bytes in right.withBytes { bytes.lexicographicallyPrecedes($0) } }
    }
}

extension CPGName: CustomStringConvertible {
    /// The name as text. Bytes that are no UTF-8 are shown as corosync logs them (`\xNN`, cpg.c:513 of 3.1.7).
    public var description: String {
        withBytes { bytes in
            if let text = String(validating: bytes, as: UTF8.self) { return text }
            return bytes.map { byte in
                switch byte {
                case UInt8(ascii: "\\"): "\\\\"
                case 0x20..<0x7F: String(UnicodeScalar(byte))
                default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }.joined()
        }
    }
}
