import FixtureLibrary
import Foundation
import FoundationXML
import Testing

/// The library's files.
@Suite struct FormatTests {
    @Test(arguments: LibraryUnderTest.names)
    func filesAreAsTheLibraryWritesThem(_ name: String) throws {
        let fixture = try LibraryUnderTest.catalogue.fixture(name)
        let settings = try String(contentsOfFile: "\(fixture.folder)/fixture.yaml", encoding: .utf8)
        #expect(fixture.settings.yaml == settings)
        let expected = try String(contentsOfFile: "\(fixture.folder)/expected.yaml", encoding: .utf8)
        #expect(try fixture.expectations().yaml == expected)
        if let replay = try ReplayCheck(fixture).settings() {
            #expect(try String(contentsOfFile: "\(fixture.folder)/replay.yaml", encoding: .utf8) == replay.yaml)
        }
    }

    @Test func goldensStaySmall() throws {
        let folder = LibraryUnderTest.catalogue.fixturesFolder
        let files = FileManager.default.enumerator(atPath: folder)
        var size = 0
        while let file = files?.nextObject() as? String {
            size += (try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)"))[.size] as? Int ?? 0
        }
        #expect(size < 3 << 20)
    }

    @Test func oddTextsSurvive() throws {
        var settings = FixtureSettings()
        settings.captures = ["a b.pcap", "-x: #y.pcap"]
        settings.dialect = "cman-5"
        settings.shows = "\"quoted\" \\ tab\there, colon: hash # and ünïcode\u{1}"
        settings.provenance.by = "true"
        settings.provenance.when = "1.5"
        settings.nodes = [FixtureNode(id: 4_294_967_295, name: "no: node", addresses: ["fd77:2::1"])]
        settings.skips = ["views": "because: of, that"]
        settings.requirements = (0..<60).map { "CMAN-\($0)-1" }
        #expect(try FixtureSettings(yaml: settings.yaml, file: "x") == settings)

        var expected = Expectations()
        expected.source = "a, b: c"
        expected.messages = ["on": 3]
        expected.views = [MembershipView(at: -0.25, node: 1, members: [], ring: "1.10", isQuorate: false)]
        var reception = Reception(receiver: "1.a", node: 1, service: .cpg, hash: .fnv1a)
        reception.places = ["a, b", "~"]
        reception.messages = [DeliveredMessage(sender: 1, process: 2, place: "x: y  z", length: 0, hash: 0xA)]
        expected.receptions = [reception]
        #expect(try Expectations(yaml: expected.yaml, file: "x") == expected)
    }

    @Test func hashesAreTheClients() {
        #expect(ContentHash.fnv1a("foobar".utf8) == 0xBF9C_F968)
        // `hello-2 (sum 627)` and `1 sum 00000030 '0'` of the recordings.
        #expect(ContentHash.byteSum("hello-2".utf8) == 627)
        #expect(ContentHash.times31("0".utf8) == 0x30)
    }

    @Test func junitIsWellFormed() throws {
        let results = [
            FixtureResult(
                fixture: "a<b>&\"c\"",
                checks: [
                    CheckResult("one", .passed("x")), CheckResult("two", .failed("1 < 2 & «3»\u{1}\n\"")),
                    CheckResult("three", .skipped("']]>")),
                ],
                seconds: 0.25
            )
        ]
        let parser = XMLParser(data: Data(JUnitReport(results).text.utf8))
        let counter = ElementCounter()
        parser.delegate = counter
        #expect(parser.parse())
        #expect(counter.counts == ["testsuites": 1, "testsuite": 1, "testcase": 3, "failure": 1, "skipped": 1])
        #expect(counter.message == "1 < 2 & «3»\u{FFFD}\n\"")
    }

    private final class ElementCounter: NSObject, XMLParserDelegate {
        var counts: [String: Int] = [:]
        var message: String?

        func parser(
            _ parser: XMLParser,
            didStartElement name: String,
            namespaceURI: String?,
            qualifiedName: String?,
            attributes: [String: String]
        ) {
            counts[name, default: 0] += 1
            if name == "failure" { message = attributes["message"] }
        }
    }
}
