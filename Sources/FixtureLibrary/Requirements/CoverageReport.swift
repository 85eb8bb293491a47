/// Which requirements the fixtures of a run exercise.
public struct CoverageReport: Sendable {
    private let catalogue: RequirementCatalogue
    private let exercised: Set<String>

    /// The coverage by `results`.
    public init(_ catalogue: RequirementCatalogue, results: [FixtureResult]) {
        self.catalogue = catalogue
        exercised = Set(results.filter { $0.failures.isEmpty }.flatMap(\.requirements))
    }

    /// `requirements exercised: 120 of 161 (MUST 100 of 130, SHOULD 20 of 31)`.
    public var summary: String {
        func count(_ level: Requirement.Level?) -> String {
            let all = catalogue.requirements.filter { level == nil || $0.level == level }
            return "\(all.filter { exercised.contains($0.id) }.count) of \(all.count)"
        }
        return "requirements exercised: \(count(nil)) (MUST \(count(.must)), SHOULD \(count(.should)))"
    }

    /// A line for each requirement that no fixture exercises.
    public var missing: [String] {
        catalogue.requirements.filter { !exercised.contains($0.id) }.map { "not exercised: \($0.id) \($0.level.rawValue) \($0.text)" }
    }
}
