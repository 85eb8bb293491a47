import FixtureLibrary
import Testing

/// docs/requirements.md, and what fixtures say of it.
@Suite struct RequirementTests {
    @Test func thePageIsSubstantial() throws {
        let catalogue = try #require(try LibraryUnderTest.catalogue.requirements())
        #expect(catalogue.requirements.count > 200)
        #expect(Set(catalogue.requirements.map { $0.id.prefix { $0 != "-" } }) == ["CMAN", "TOTEM", "SRP", "SVC", "AIS"])
        #expect(catalogue["CMAN-4.11-1"]?.level == .must)
        #expect(catalogue["CMAN-4.3-2"]?.evidence == [.field(message: "leave", name: "reason", value: "3"), .check("departures")])
        #expect(catalogue["CMAN-5.1-3"]?.evidence == [])
    }

    @Test(arguments: LibraryUnderTest.names)
    func fixturesNameWhatThereIs(_ name: String) throws {
        let catalogue = try #require(try LibraryUnderTest.catalogue.requirements())
        let named = try LibraryUnderTest.catalogue.fixture(name).settings.requirements
        for id in named { #expect(catalogue[id] != nil, "\(name) names \(id)") }
        #expect(Set(named).count == named.count)
    }

    @Test(arguments: [
        "| CMAN-1-1 | MUST | x |", "| CMAN-1-1 | MAY | x | - |", "| CMAN-1-1-1 | MUST | x | - |", "| CMAN-1-1 | MUST | x | ack |",
        "| CMAN-1-1 | MUST | x | - |\n| CMAN-1-1 | MUST | y | - |",
    ])
    func aBadRow(_ page: String) {
        #expect(throws: FixtureError.self) { try RequirementCatalogue(page: page, file: "page") }
    }

    /// Coverage counts what passed, once.
    @Test func coverage() throws {
        let page = "| A-1-1 | MUST | x | `a` |\n| A-1-2 | SHOULD | y | `b` |\n| A-1-3 | MUST | z | - |\n"
        let catalogue = try RequirementCatalogue(page: page, file: "page")
        let passed = FixtureResult(fixture: "one", checks: [CheckResult("bytes", .passed(""))], requirements: ["A-1-1"])
        let failed = FixtureResult(fixture: "two", checks: [CheckResult("bytes", .failed(""))], requirements: ["A-1-2"])
        var constructed = FixtureResult(fixture: "three", checks: [CheckResult("bytes", .passed(""))], requirements: ["A-1-1", "A-1-3"])
        constructed.isEvidence = false
        let report = CoverageReport(catalogue, results: [passed, passed, failed, constructed])
        let summary = "requirements exercised: 1 of 3 (MUST 1 of 2, SHOULD 0 of 1); 1 more are shown by constructed packets only"
        #expect(report.summary == summary)
        #expect(report.missing.count == 2)
    }
}
