/// Names of protocols, outermost first, stored in line, so that a packet's are kept without memory of their own. No packet has more than
/// an envelope, knet, Totem, process groups and one above them.
public struct ProtocolNames: RandomAccessCollection, Sendable {
    private static let limit = 8
    private var names = InlineArray<8, StaticString>(repeating: "")
    /// How many there are.
    public private(set) var endIndex = 0

    public var startIndex: Int { 0 }

    public subscript(index: Int) -> StaticString { names[index] }

    mutating func append(_ name: StaticString) {
        assert(endIndex < Self.limit)
        guard endIndex < Self.limit else { return }
        names[endIndex] = name
        endIndex += 1
    }

    mutating func removeAll() {
        endIndex = 0
    }
}

/// Some dialects in an order, none of them twice, stored in line.
public struct DialectSequence: RandomAccessCollection, Sendable, Equatable {
    /// Four bits each, the first one lowest; there are ten dialects.
    private var packed: UInt64 = 0
    /// How many there are.
    public private(set) var endIndex = 0

    public var startIndex: Int { 0 }

    public subscript(index: Int) -> Dialect {
        precondition(index >= 0 && index < endIndex)
        // Nothing but dialects is put in.
        return Dialect(rawValue: UInt8(truncatingIfNeeded: packed >> UInt64(4 * index) & 15)) ?? .cman2a
    }

    /// Adds one behind the others.
    mutating func append(_ dialect: Dialect) {
        guard endIndex < Dialect.allCases.count else { return }
        packed |= UInt64(dialect.rawValue) << UInt64(4 * endIndex)
        endIndex += 1
    }

    mutating func removeLast() -> Dialect {
        let last = self[endIndex - 1]
        endIndex -= 1
        packed &= (1 << UInt64(4 * endIndex)) - 1
        return last
    }
}
