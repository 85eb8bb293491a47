import EngineKit

/// A promise that a run broke.
public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// Which invariant, in a few words that stay the same from run to run.
    public var invariant: String
    /// Who, when and how.
    public var detail: String
    /// The behaviour of originals that explains it, where one does.
    public var exception: HistoricalException?

    /// `invariant` was broken as `detail` tells.
    public init(_ invariant: String, _ detail: String, exception: HistoricalException? = nil) {
        self.invariant = invariant
        self.detail = detail
        self.exception = exception
    }

    public var description: String { "\(invariant): \(detail)" }
}

/// What a run of a scenario gave.
public struct RunResult: Sendable {
    /// Broken promises; empty when all is well.
    public var violations: [Violation]
    /// What originals broke in a way that they are known to, sorted.
    public var exceptions: [HistoricalException]
    /// Hash over everything that happened.
    public var digest: Digest
    /// Datagrams that reached a host.
    public var deliveries: Int
    /// What the engines reported, for reading.
    public var trace: [String]

    /// A result with all its values.
    public init(
        violations: [Violation],
        exceptions: [HistoricalException] = [],
        digest: Digest,
        deliveries: Int,
        trace: [String]
    ) {
        self.violations = violations
        self.exceptions = exceptions
        self.digest = digest
        self.deliveries = deliveries
        self.trace = trace
    }
}
