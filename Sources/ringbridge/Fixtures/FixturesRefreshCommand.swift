import ArgumentParser
import FixtureLibrary

/// `ringbridge fixtures refresh`.
struct FixturesRefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Write the files of fixtures anew: after a wanted change of the decoder's text, or of a report.",
        discussion: """
            expected.yaml is written from the daemons' reports that fixture.yaml names, summary.txt and replay.yaml from the decoder and \
            the engines, the list of requirements from what the capture shows. Read the difference before you commit it.
            """
    )

    @OptionGroup var options: LibraryOptions

    @Argument(help: ArgumentHelp("Fixtures, by name or by a part of it.", valueName: "name"))
    var names: [String]

    @Flag(help: "Also replay the engines and write replay.yaml.")
    var replay = false

    func run() throws {
        let draft = FixtureDraft(options.catalogue)
        for fixture in try options.catalogue.fixtures(matching: names) {
            try draft.refresh(fixture, replays: replay)
            print("written: \(fixture.folder)")
        }
    }
}
