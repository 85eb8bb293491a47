/// A length of time. A plain number of nanoseconds, because engines compute with it on every packet.
@frozen
public struct Interval: Hashable, Comparable, Sendable {
    /// Its length; negative when it points backwards.
    public var nanoseconds: Int64

    /// A length of `nanoseconds`.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A length in seconds.
    @inlinable
    public static func seconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000_000) }

    /// A length in milliseconds.
    @inlinable
    public static func milliseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000) }

    /// A length in microseconds.
    @inlinable
    public static func microseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1000) }

    /// No time at all.
    @inlinable
    public static var zero: Interval { Interval(nanoseconds: 0) }

    @inlinable
    public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable
    public static func + (left: Interval, right: Interval) -> Interval { Interval(nanoseconds: left.nanoseconds + right.nanoseconds) }

    @inlinable
    public static func - (left: Interval, right: Interval) -> Interval { Interval(nanoseconds: left.nanoseconds - right.nanoseconds) }

    @inlinable
    public static func * (left: Interval, right: Int64) -> Interval { Interval(nanoseconds: left.nanoseconds * right) }

    @inlinable
    public static func / (left: Interval, right: Int64) -> Interval { Interval(nanoseconds: left.nanoseconds / right) }

    /// Whole milliseconds, rounded towards zero.
    @inlinable
    public var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

extension Interval: CustomStringConvertible {
    /// Seconds with as many digits as it takes, e.g. `1.5 s`.
    public var description: String {
        nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000) s" : "\(Double(nanoseconds) / 1e9) s"
    }
}
