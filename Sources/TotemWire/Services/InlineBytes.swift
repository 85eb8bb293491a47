/// A few bytes stored in line that can be compared, for padding that is kept.
public struct InlineBytes<let count: Int>: Sendable {
    /// The bytes.
    public var bytes = InlineArray<count, UInt8>(repeating: 0)

    /// All zero.
    public init() {}
}

extension InlineBytes: Hashable {
    public static func == (left: InlineBytes, right: InlineBytes) -> Bool {
        left.bytes.indices.allSatisfy { left.bytes[$0] == right.bytes[$0] }
    }

    public func hash(into hasher: inout Hasher) {
        for index in bytes.indices { hasher.combine(bytes[index]) }
    }
}
