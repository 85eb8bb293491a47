import CaptureSupport
import FixtureLibrary
import Foundation

/// The repository's own library.
enum LibraryUnderTest {
    static let catalogue = FixtureCatalogue(folder: "\(CaptureSupport.folder)/..")

    /// Names of all fixtures; an unreadable library fails the test that asks for them.
    static let names = (try? catalogue.names()) ?? []

    /// A folder with a copy of one fixture and its captures, to be changed; it is removed at the end.
    final class Copy {
        let catalogue: FixtureCatalogue

        init(of name: String) throws {
            let manager = FileManager.default
            let folder = manager.temporaryDirectory.appendingPathComponent("ringbridge-fixtures-\(UUID().uuidString)").path
            catalogue = FixtureCatalogue(folder: folder)
            let fixture = try LibraryUnderTest.catalogue.fixture(name)
            try copy(fixture.folder, to: "\(catalogue.fixturesFolder)/\(name)")
            for file in fixture.settings.captures + fixture.settings.keys + fixture.settings.reports {
                try copy(fixture.path(of: file), to: "\(catalogue.capturesFolder)/\(file)")
            }
            if let page = fixture.settings.provenance.page {
                try copy("\(LibraryUnderTest.catalogue.folder)/\(page)", to: "\(folder)/\(page)")
            }
        }

        deinit {
            try? FileManager.default.removeItem(atPath: catalogue.folder)
        }

        private func copy(_ path: String, to other: String) throws {
            let parent = URL(fileURLWithPath: other).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            if !FileManager.default.fileExists(atPath: other) { try FileManager.default.copyItem(atPath: path, toPath: other) }
        }

        /// Replaces `old` by `new` in a file of the library.
        func replace(_ old: String, with new: String, in file: String) throws {
            let path = "\(catalogue.folder)/\(file)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            guard text.contains(old) else { throw FixtureError(path, "does not hold \(old)") }
            try text.replacing(old, with: new, maxReplacements: 1).write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
