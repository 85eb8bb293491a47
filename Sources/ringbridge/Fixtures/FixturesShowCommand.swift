import ArgumentParser
import FixtureLibrary

/// `ringbridge fixtures show`.
struct FixturesShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Say what a fixture is, and what its capture must mean."
    )

    @OptionGroup var options: LibraryOptions

    @Argument(help: "The fixture, or a part of its name that no other has.")
    var name: String

    func run() throws {
        let found = try options.catalogue.fixtures(matching: [name])
        let exact = found.filter { $0.name == name }
        guard let fixture = exact.first ?? found.first, exact.count == 1 || found.count == 1 else {
            throw ValidationError("\(name) can be \(found.map(\.name).joined(separator: ", "))")
        }
        print(try FixtureText.description(fixture), terminator: "")
    }
}
