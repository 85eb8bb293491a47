import ArgumentParser
import FixtureLibrary

/// `ringbridge fixtures`: the library of captures with all that they must mean.
struct FixturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fixtures",
        abstract: "Captures with all that they must mean: list, show, verify, add.",
        discussion: """
            A library is two folders side by side: captures/ with recorded packets, fixtures/ with what they mean. See docs/fixtures.md.
            """,
        subcommands: [
            FixturesListCommand.self, FixturesShowCommand.self, FixturesVerifyCommand.self, FixturesAddCommand.self,
            FixturesRefreshCommand.self,
        ]
    )
}

/// Where the library is.
struct LibraryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The folder that holds captures/ and fixtures/.", valueName: "folder"))
    var library = "."

    var catalogue: FixtureCatalogue { FixtureCatalogue(folder: library) }
}
