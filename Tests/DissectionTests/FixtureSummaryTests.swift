import CaptureSupport
import Captures
import Dissection
import Foundation
import Testing

/// The folder `fixtures/`: what captures must mean, kept as the lines that the decoder prints.
@Suite struct FixtureSummaryTests {
    private static let folder = "\(CaptureSupport.folder)/../fixtures"

    /// `<dialect>/<name>` of every fixture.
    static let names: [String] = {
        let manager = FileManager.default
        let dialects = (try? manager.contentsOfDirectory(atPath: folder)) ?? []
        return dialects.flatMap { dialect in
            ((try? manager.contentsOfDirectory(atPath: "\(folder)/\(dialect)")) ?? []).map { "\(dialect)/\($0)" }
        }.sorted()
    }()

    @Test func thereAreFixturesOfEachDialect() {
        #expect(Set(Self.names.compactMap { $0.split(separator: "/").first }) == ["cman-5", "corosync-3"])
    }

    @Test(arguments: names)
    func theDecoderPrintsTheSummary(_ name: String) throws {
        let settings = try String(contentsOfFile: "\(Self.folder)/\(name)/fixture.yaml", encoding: .utf8)
        let capture = try #require(value(of: "capture", in: settings))
        let expected = try String(contentsOfFile: "\(Self.folder)/\(name)/summary.txt", encoding: .utf8).split(separator: "\n")

        let reader = try PacketReader(path: "\(CaptureSupport.folder)/\(capture)")
        var dissector = PacketDissector()
        let dissection = Dissection()
        var text = TextBuffer()
        var frames = 0
        while let packet = try reader.next() {
            dissector.dissect(packet, into: dissection)
            TextRenderer().append(dissection, to: &text)
            frames += 1
        }
        let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == frames)
        let line = zip(lines, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(lines.count, expected.count)
        #expect(
            lines == expected,
            "\(name), line \(line + 1): \(lines.dropFirst(line).first ?? "the end"), not \(expected.dropFirst(line).first ?? "the end")"
        )
        let dialect = try #require(value(of: "dialect", in: settings))
        #expect(lines.contains { $0.contains("  \(dialect)  ") })
    }

    private func value(of key: String, in settings: String) -> String? {
        settings.split(separator: "\n").first { $0.hasPrefix("\(key): ") }.map { String($0.dropFirst(key.count + 2)) }
    }
}
