/// The order of the bytes of an integer on the wire.
///
/// Legacy cman is little-endian but for a few documented fields; every Totem dialect uses the byte order of the sending host,
/// which the receiver detects from the header (reference/totem-wire.md 3).
@frozen
public enum ByteOrder: Sendable, Hashable {
    case little
    case big

    /// The order of the machine that runs this code.
    @inlinable
    public static var host: ByteOrder {
        #if _endian(big)
            .big
        #else
            .little
        #endif
    }

    /// The other order.
    @inlinable
    public var swapped: ByteOrder { self == .little ? .big : .little }
}
