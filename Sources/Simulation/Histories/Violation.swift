import EngineKit

/// A promise that a run broke.
public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// Which invariant, in a few words that stay the same from run to run.
    public var invariant: String
    /// Who, when and how.
    public var detail: String

    /// `invariant` was broken as `detail` tells.
    public init(_ invariant: String, _ detail: String) {
        self.invariant = invariant
        self.detail = detail
    }

    public var description: String { "\(invariant): \(detail)" }
}

/// What a run of a scenario gave.
public struct RunResult: Sendable {
    /// Broken promises; empty when all is well.
    public var violations: [Violation]
    /// Hash over everything that happened.
    public var digest: Digest
    /// Datagrams that reached a host.
    public var deliveries: Int
    /// What the engines reported, for reading.
    public var trace: [String]

    /// A result with all its values.
    public init(violations: [Violation], digest: Digest, deliveries: Int, trace: [String]) {
        self.violations = violations
        self.digest = digest
        self.deliveries = deliveries
        self.trace = trace
    }
}
