/// Why bytes could not be read as a message, or a message could not be written as bytes, and where.
public struct WireError: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Reason: Hashable, Sendable {
        /// The field needs more bytes than are left.
        case truncated(needed: Int, available: Int)
        /// A count or length on the wire is larger than the protocol or the packet allows.
        case outOfBounds(value: Int, limit: Int)
        /// The field holds a value that no message of this protocol has at this place.
        case invalidValue(UInt64)
        /// A text field has no terminating NUL.
        case unterminated
        /// The output buffer is full.
        case noSpace(needed: Int, available: Int)
    }

    /// What is wrong.
    public var reason: Reason
    /// Byte offset from the start of the buffer at which the field starts.
    public var offset: Int
    /// The field as the layout names it.
    public var field: String

    /// Makes an error; layouts call it for values that a visitor cannot judge.
    public init(_ reason: Reason, field: StaticString, offset: Int) {
        self.reason = reason
        self.offset = offset
        self.field = field.description
    }
}

extension WireError: CustomStringConvertible {
    public var description: String {
        switch reason {
        case .truncated(let needed, let available):
            "truncated: \(field) at byte \(offset) needs \(needed) bytes, \(available) are left"
        case .outOfBounds(let value, let limit):
            "out of bounds: \(field) at byte \(offset) is \(value), the limit is \(limit)"
        case .invalidValue(let value):
            "invalid: \(field) at byte \(offset) is \(value)"
        case .unterminated:
            "unterminated text: \(field) at byte \(offset)"
        case .noSpace(let needed, let available):
            "no space: \(field) at byte \(offset) needs \(needed) bytes, \(available) are free"
        }
    }
}
