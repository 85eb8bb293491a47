/// A point in time on a clock that the caller chooses (monotonic, virtual, or a capture's). Engines never ask for the time themselves.
@frozen
public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's origin.
    public var nanoseconds: Int64

    /// The point `nanoseconds` after the clock's origin.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The clock's origin.
    @inlinable
    public static var zero: Instant { Instant(nanoseconds: 0) }

    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable
    public static func + (instant: Instant, span: Interval) -> Instant { Instant(nanoseconds: instant.nanoseconds &+ span.nanoseconds) }

    @inlinable
    public static func - (instant: Instant, span: Interval) -> Instant { Instant(nanoseconds: instant.nanoseconds &- span.nanoseconds) }

    @inlinable
    public static func - (left: Instant, right: Instant) -> Interval { Interval(nanoseconds: left.nanoseconds &- right.nanoseconds) }
}
