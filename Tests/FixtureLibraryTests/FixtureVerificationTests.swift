import FixtureLibrary
import Foundation
import Testing

/// Every fixture of the library, with all checks but the replay, which tests of its own make.
@Suite struct FixtureVerificationTests {
    private static let verifier: FixtureVerifier = {
        var verifier = FixtureVerifier(requirements: (try? LibraryUnderTest.catalogue.requirements()) ?? nil)
        verifier.replays = false
        return verifier
    }()

    @Test func thereAreFixtures() throws {
        #expect(try !LibraryUnderTest.catalogue.names().isEmpty)
        #expect(try LibraryUnderTest.catalogue.requirements() != nil)
    }

    @Test(arguments: LibraryUnderTest.names)
    func holds(_ name: String) throws {
        let result = Self.verifier.verify(try LibraryUnderTest.catalogue.fixture(name))
        #expect(result.failures.isEmpty, "\(result.line)")
        #expect(result.word == "PASS", "\(result.line)")
    }

    /// What is expected is what the daemons reported, and nothing that somebody has written into the file.
    @Test(arguments: LibraryUnderTest.names)
    func expectsWhatTheDaemonsReported(_ name: String) throws {
        let fixture = try LibraryUnderTest.catalogue.fixture(name)
        let expected = try fixture.expectations()
        #expect(!expected.isDraft)
        guard !fixture.settings.reports.isEmpty else {
            #expect(fixture.settings.provenance.kind == .constructed, "\(name) names no report")
            return
        }
        let reading = try FixtureDraft.read(fixture)
        let reported = try FixtureDraft(LibraryUnderTest.catalogue).expectations(fixture.settings, reading.timeline, folder: fixture.folder)
        // Times are kept in milliseconds.
        #expect(reported?.yaml == expected.yaml, "\(name)")
    }

    /// The replay of one small capture of each engine, as `verify` makes it.
    @Test(arguments: ["cman-5/03-leave-k", "corosync-3/3.1.7-udpu-form"])
    func replays(_ name: String) throws {
        let outcome = try ReplayCheck(try LibraryUnderTest.catalogue.fixture(name)).outcome()
        guard case .passed = outcome else {
            Issue.record("\(name): \(outcome.text)")
            return
        }
    }

    @Test func everyCaptureHasAFixture() throws {
        var captures: Set<String> = []
        for name in LibraryUnderTest.names { captures.formUnion(try LibraryUnderTest.catalogue.fixture(name).settings.captures) }
        let folder = LibraryUnderTest.catalogue.capturesFolder
        for family in ["cman", "constructed", "corosync", "openais"] {
            for file in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(family)")
            where file.hasSuffix(".pcap.gz") {
                #expect(captures.contains("\(family)/\(file)"), "\(family)/\(file) has no fixture")
            }
        }
    }
}
