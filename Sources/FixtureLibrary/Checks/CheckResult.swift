/// How a check ended.
public enum CheckOutcome: Sendable, Hashable {
    /// It holds; what was compared.
    case passed(String)
    /// It does not; the first difference.
    case failed(String)
    /// It does not apply, and why.
    case skipped(String)

    /// What is told about it.
    public var text: String {
        switch self {
        case .passed(let text), .failed(let text), .skipped(let text): text
        }
    }
}

/// A check of a fixture, by name: `dialect`, `problems`, `bytes`, `roundtrip`, `summary`, `counts`, `views`, `formations`, `departures`, `deliveries`,
/// `requirements`, `replay`.
public struct CheckResult: Sendable, Hashable {
    /// Its name.
    public var check: String
    /// How it ended.
    public var outcome: CheckOutcome

    /// A check that ended.
    public init(_ check: String, _ outcome: CheckOutcome) {
        self.check = check
        self.outcome = outcome
    }
}

/// All checks of one fixture.
public struct FixtureResult: Sendable, Hashable {
    /// The fixture's name.
    public var fixture: String
    /// The checks, in the order in which they were made.
    public var checks: [CheckResult]
    /// How long they took, in seconds.
    public var seconds: Double
    /// Ids of requirements that the capture exercises.
    public var requirements: [String]
    /// Whether its packets were recorded: constructed ones are no evidence.
    public var isEvidence = true

    /// What came of one fixture.
    public init(fixture: String, checks: [CheckResult], seconds: Double = 0, requirements: [String] = []) {
        self.fixture = fixture
        self.checks = checks
        self.seconds = seconds
        self.requirements = requirements
    }

    /// The checks that failed.
    public var failures: [CheckResult] {
        checks.filter { if case .failed = $0.outcome { true } else { false } }
    }

    /// The checks that do not apply.
    public var skips: [CheckResult] {
        checks.filter { if case .skipped = $0.outcome { true } else { false } }
    }

    /// PASS, FAIL, or SKIP when nothing could be checked.
    public var word: String {
        if !failures.isEmpty { return "FAIL" }
        return skips.count == checks.count ? "SKIP" : "PASS"
    }

    /// One line: `PASS cman-5/02-join3-k  80 packets ...; replay skipped: ...`.
    public var line: String {
        let passed = checks.compactMap { if case .passed = $0.outcome { $0.check } else { nil } }
        var parts = failures.map { "\($0.check): \($0.outcome.text)" }
        if failures.isEmpty, !passed.isEmpty { parts.append(passed.joined(separator: " ")) }
        parts += skips.map { "\($0.check) skipped: \($0.outcome.text)" }
        return "\(word) \(fixture)  \(parts.joined(separator: "; "))"
    }
}
