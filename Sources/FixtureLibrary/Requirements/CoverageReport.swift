/// Which requirements the fixtures of a run exercise. Only recorded packets count.
public struct CoverageReport: Sendable {
    private let catalogue: RequirementCatalogue
    private let exercised: Set<String>
    private let constructedOnly: Set<String>

    /// The coverage by `results`.
    public init(_ catalogue: RequirementCatalogue, results: [FixtureResult]) {
        self.catalogue = catalogue
        let passed = results.filter { $0.failures.isEmpty }
        exercised = Set(passed.filter(\.isEvidence).flatMap(\.requirements))
        constructedOnly = Set(passed.flatMap(\.requirements)).subtracting(exercised)
    }

    /// `requirements exercised: 120 of 161 (MUST 100 of 130, SHOULD 20 of 31)`.
    public var summary: String {
        func count(_ level: Requirement.Level?) -> String {
            let all = catalogue.requirements.filter { level == nil || $0.level == level }
            return "\(all.filter { exercised.contains($0.id) }.count) of \(all.count)"
        }
        let rest = constructedOnly.isEmpty ? "" : "; \(constructedOnly.count) more are shown by constructed packets only"
        return "requirements exercised: \(count(nil)) (MUST \(count(.must)), SHOULD \(count(.should)))\(rest)"
    }

    /// A line for each requirement that no fixture exercises.
    public var missing: [String] {
        catalogue.requirements.filter { !exercised.contains($0.id) }.map { requirement in
            let how = constructedOnly.contains(requirement.id) ? "only by constructed packets" : "not exercised"
            return "\(how): \(requirement.id) \(requirement.level.rawValue) \(requirement.text)"
        }
    }
}
