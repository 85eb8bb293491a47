import Foundation

/// A capture with all that it must mean.
public struct Fixture: Sendable {
    /// `<dialect>/<name>`.
    public let name: String
    /// Its folder.
    public let folder: String
    /// What it is about.
    public let settings: FixtureSettings
    /// The folder that its paths begin at unless they are files of its own folder.
    let capturesFolder: String

    /// The path of a capture, key or report that `fixture.yaml` names.
    public func path(of file: String) -> String {
        let own = "\(folder)/\(file)"
        return FileManager.default.fileExists(atPath: own) ? own : "\(capturesFolder)/\(file)"
    }

    /// What it must mean.
    public func expectations() throws -> Expectations {
        let path = "\(folder)/expected.yaml"
        return try Expectations(yaml: LibraryFile.text(path), file: path)
    }

    /// What the decoder must print, a line a packet; nil where no such text is kept.
    public func summary() throws -> String? {
        let path = "\(folder)/summary.txt"
        return FileManager.default.fileExists(atPath: path) ? try LibraryFile.text(path) : nil
    }
}

/// A library of fixtures: the folders `fixtures/` and `captures/` side by side.
public struct FixtureCatalogue: Sendable {
    /// The folder that holds both.
    public let folder: String

    /// The library in `folder`.
    public init(folder: String) {
        self.folder = folder
    }

    /// `<folder>/fixtures`.
    public var fixturesFolder: String { "\(folder)/fixtures" }
    /// `<folder>/captures`.
    public var capturesFolder: String { "\(folder)/captures" }

    /// All fixtures, by name. An unreadable one is an error that names its file.
    public func fixtures() throws -> [Fixture] {
        try names().map { try fixture($0) }
    }

    /// The names of all fixtures, in order.
    public func names() throws -> [String] {
        let manager = FileManager.default
        guard manager.fileExists(atPath: fixturesFolder) else {
            throw FixtureError(fixturesFolder, "there is no library; name its folder with --library")
        }
        var names: [String] = []
        for dialect in try manager.contentsOfDirectory(atPath: fixturesFolder) {
            let inside = (try? manager.contentsOfDirectory(atPath: "\(fixturesFolder)/\(dialect)")) ?? []
            names += inside.filter { manager.fileExists(atPath: "\(fixturesFolder)/\(dialect)/\($0)/fixture.yaml") }.map {
                "\(dialect)/\($0)"
            }
        }
        return names.sorted()
    }

    /// The fixture `name`.
    public func fixture(_ name: String) throws -> Fixture {
        let folder = "\(fixturesFolder)/\(name)"
        let path = "\(folder)/fixture.yaml"
        let settings = try FixtureSettings(yaml: LibraryFile.text(path), file: path)
        return Fixture(name: name, folder: folder, settings: settings, capturesFolder: capturesFolder)
    }

    /// What protocols demand: `<folder>/docs/requirements.md`; nil where the library has no such page.
    public func requirements() throws -> RequirementCatalogue? {
        let path = "\(folder)/docs/requirements.md"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try RequirementCatalogue(page: LibraryFile.text(path), file: path)
    }

    /// The path of `file` from `captures/`, where every file of a fixture has to be.
    public func relative(_ file: String) throws(FixtureError) -> String {
        let root = URL(fileURLWithPath: capturesFolder).resolvingSymlinksInPath().path + "/"
        let path = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
        guard FileManager.default.fileExists(atPath: path) else { throw FixtureError(file, "there is no such file") }
        guard path.hasPrefix(root) else { throw FixtureError(file, "is not below \(capturesFolder); copy it there first") }
        return String(path.dropFirst(root.count))
    }

    /// The fixtures whose names match one of `patterns`: parts of the name, where `*` stands for anything.
    public func fixtures(matching patterns: [String]) throws -> [Fixture] {
        let all = try names()
        guard !patterns.isEmpty else { return try all.map { try fixture($0) } }
        var chosen: [String] = []
        for pattern in patterns {
            let matches = all.filter { Self.matches($0, pattern) }
            guard !matches.isEmpty else { throw FixtureError(fixturesFolder, "no fixture is called \(pattern)") }
            chosen += matches
        }
        return try Set(chosen).sorted().map { try fixture($0) }
    }

    /// Whether `name` holds the parts of `pattern` between its asterisks, in order.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        var rest = Substring(name)
        for part in pattern.split(separator: "*") {
            guard let range = rest.range(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }
}
