import FixtureLibrary
import Foundation
import Testing

/// Checks that cannot fail prove nothing: each finds a single wrong value, and names it.
@Suite struct CheckFailureTests {
    private static func failures(of copy: LibraryUnderTest.Copy, _ name: String) throws -> [CheckResult] {
        var verifier = FixtureVerifier()
        verifier.replays = false
        return verifier.verify(try copy.catalogue.fixture(name)).failures
    }

    /// A value of `expected.yaml` that is changed, and the check that has to notice.
    struct Change: Sendable {
        var fixture: String
        var old: String
        var new: String
        var check: String

        init(_ fixture: String, _ old: String, _ new: String, _ check: String) {
            self.fixture = fixture
            self.old = old
            self.new = new
            self.check = check
        }
    }

    private static let join = "cman-5/02-join3-k"
    private static let kill = "corosync-3/3.1.7-udp-kill"
    private static let ring = "{node: 2, ring: \"1.17\", members: [1, 2]}"

    static let changes = [
        Change(join, "node: 2, generation: 4, members: [1, 2, 3]", "node: 2, generation: 4, members: [1, 2]", "views"),
        Change(join, "generation: 4, members", "generation: 5, members", "views"),
        Change(join, "quorate: true", "quorate: false", "views"),
        Change(join, "startack: 2", "startack: 3", "counts"),
        Change(join, "packets: 80", "packets: 81", "counts"),
        Change("cman-5/03-leave-k", "how: removed", "how: left", "departures"),
        Change("cman-5/07-userdata", "1/101 7 00000273 100", "1/101 7 00000274 100", "deliveries"),
        Change("cman-5/07-userdata", "1/101 7 00000273 100", "1/101 8 00000273 100", "deliveries"),
        Change(kill, "how: killed", "how: left", "departures"),
        Change(kill, ring, "{node: 2, ring: \"1.18\", members: [1, 2]}", "formations"),
        Change(kill, ring, "{node: 2, ring: \"1.17\", members: [1, 2, 3]}", "formations"),
        Change(kill, "      - 1/10481 50 ad2ead4d alpha\n", "", "deliveries"),
        Change(kill, "process: 10493", "process: 10494", "deliveries"),
    ]

    @Test(arguments: changes)
    func aWrongExpectation(_ change: Change) throws {
        let copy = try LibraryUnderTest.Copy(of: change.fixture)
        try copy.replace(change.old, with: change.new, in: "fixtures/\(change.fixture)/expected.yaml")
        let failures = try Self.failures(of: copy, change.fixture)
        #expect(failures.map(\.check) == [change.check], "\(failures.map(\.outcome.text))")
    }

    @Test func aWrongLineOfTheSummary() throws {
        let name = "cman-5/02-join3-k"
        let copy = try LibraryUnderTest.Copy(of: name)
        try copy.replace("generation 4 quorum 2", with: "generation 4 quorum 3", in: "fixtures/\(name)/summary.txt")
        let failures = try Self.failures(of: copy, name)
        #expect(failures.map(\.check) == ["summary"])
        #expect(failures.first?.outcome.text.contains("quorum 3") == true)
    }

    @Test func aMissingCapture() throws {
        let name = "cman-5/02-join3-k"
        let copy = try LibraryUnderTest.Copy(of: name)
        try FileManager.default.removeItem(atPath: "\(copy.catalogue.capturesFolder)/cman/02-join3-k.pcap.gz")
        let failures = try Self.failures(of: copy, name)
        #expect(failures.map(\.check) == ["files"])
        #expect(failures.first?.outcome.text.contains("02-join3-k.pcap.gz") == true)
    }

    @Test func aRequirementThatTheCaptureDoesNotShow() throws {
        let fixture = try LibraryUnderTest.catalogue.fixture("cman-5/02-join3-k")
        let page = "| CMAN-1-1 | MUST | x | `nominate` |\n| CMAN-1-2 | MUST | y | `starttrans` `endtrans:quorum=2` `%cman-5` `@views` |\n"
        var verifier = FixtureVerifier(requirements: try RequirementCatalogue(page: page, file: "page"))
        verifier.replays = false
        #expect(verifier.verify(fixture).requirements == ["CMAN-1-2"])
    }

    @Test func aMisspeltKey() throws {
        let copy = try LibraryUnderTest.Copy(of: "cman-5/02-join3-k")
        try copy.replace("dialect: cman-5", with: "dialekt: cman-5", in: "fixtures/cman-5/02-join3-k/fixture.yaml")
        #expect(throws: FixtureError.self) { try copy.catalogue.fixtures() }
    }
}
