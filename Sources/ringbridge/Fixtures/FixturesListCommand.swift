import ArgumentParser
import FixtureLibrary

/// `ringbridge fixtures list`.
struct FixturesListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List all fixtures.")

    @OptionGroup var options: LibraryOptions

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        let fixtures = try options.catalogue.fixtures()
        if json {
            for fixture in fixtures { print(FixtureText.json(fixture)) }
            return
        }
        let width = fixtures.map(\.name.count).max() ?? 0
        for fixture in fixtures {
            let padding = String(repeating: " ", count: width - fixture.name.count)
            let kind = fixture.settings.provenance.kind == .constructed ? "(constructed) " : ""
            print("\(fixture.name)\(padding)  \(kind)\(fixture.settings.shows)")
        }
    }
}
