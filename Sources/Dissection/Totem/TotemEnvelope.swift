import TotemSecurity
import WireFormat

/// The security envelope that a packet was in.
public struct TotemEnvelope: Sendable, Hashable {
    /// How it is protected.
    public var scheme: SecurityScheme
    /// The name of the key that fits; nil when none was needed, or none fits.
    public var keyName: String?
}

/// Why a packet counts as what it is said to be.
public struct Recognition: Sendable {
    /// What its bytes showed.
    public var form: StaticString
    /// What told it from others with the same bytes; nil when there are none, or nothing told.
    public var choice: StaticString?
}
