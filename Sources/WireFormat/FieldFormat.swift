/// How a field's value is shown. It has no influence on the bytes.
@frozen
public enum FieldFormat: Sendable {
    /// A decimal number, or for byte strings hexadecimal digits.
    case decimal
    /// A hexadecimal number.
    case hexadecimal
    /// A number with a name for each known value.
    case labelled(@Sendable (UInt64) -> StaticString?)
    /// A word of flag bits, each with a name.
    case flags([FlagLabel])
    /// Bytes that hold text up to the first NUL, or to their end.
    case text
    /// An IP address: four or sixteen bytes in network order, or the number of an IPv4 address.
    case ipAddress
    /// Bytes of a link layer's address.
    case hardwareAddress
    /// Bytes that the sender does not set; shown only when everything is shown.
    case padding
}

/// The name of one bit, or of a group of bits, in a word of flags.
public struct FlagLabel: Sendable, Hashable {
    /// The bits; the flag is set when all of them are.
    public var mask: UInt64
    /// The protocol's own name for it.
    public var name: String

    /// Names `mask`.
    public init(_ mask: UInt64, _ name: String) {
        self.mask = mask
        self.name = name
    }
}
