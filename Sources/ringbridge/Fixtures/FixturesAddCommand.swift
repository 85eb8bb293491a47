import ArgumentParser
import FixtureLibrary
import Glibc

/// `ringbridge fixtures add`.
struct FixturesAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a capture to the library.",
        discussion: """
            Decodes the capture, shows what it found, and writes a draft: fixture.yaml, summary.txt, expected.yaml. What the options do not \
            tell is asked for when the standard input is a terminal. Without a report of the daemons the expected values come from the \
            decoder itself and are marked as a draft until somebody has confirmed them. See docs/fixtures.md.
            """
    )

    @OptionGroup var options: LibraryOptions

    @Argument(help: ArgumentHelp("Capture files of one recording, one for each network.", valueName: "capture"))
    var captures: [String]

    @Option(help: "Name of the fixture, below the dialect's folder.")
    var name: String?

    @Option(help: "What the capture shows, in one line.")
    var shows: String?

    @Option(help: "Who recorded it.")
    var by: String?

    @Option(help: "When it was recorded.")
    var when: String?

    @Option(help: "What ran, with versions.")
    var versions: String?

    @Option(help: ArgumentHelp("A page below the library's folder that tells more.", valueName: "file"))
    var page: String?

    @Flag(help: "The bytes were put together by hand from a description, and are no evidence.")
    var constructed = false

    @Option(help: ArgumentHelp("A report of the daemons (.status.txt, .truth.txt).", valueName: "file"))
    var report: [String] = []

    @Option(help: ArgumentHelp("A key file.", valueName: "file"))
    var key: [String] = []

    @Option(help: ArgumentHelp("The name of a cluster whose default key opens it.", valueName: "name"))
    var cluster: [String] = []

    @Option(help: ArgumentHelp("What reports call a node: co1=10.77.2.1, or with its id 1:oanode1=10.77.4.1.", valueName: "name=address"))
    var node: [String] = []

    func run() throws {
        let catalogue = options.catalogue
        var proposal = try FixtureProposal(captures: captures, keys: key, clusters: cluster, catalogue: catalogue)
        print(proposal.findings, terminator: "")
        proposal.settings.reports = try report.map { try catalogue.relative($0) }
        proposal.settings.provenance.kind = constructed ? .constructed : .recorded
        proposal.settings.provenance.page = page
        for entry in node { try proposal.rename(entry) }
        let chosen = try answer(name, "name", "Name of the fixture", default: proposal.suggestedName)
        proposal.settings.shows = try answer(shows, "shows", "What does it show, in one line", default: proposal.suggestedLine)
        proposal.settings.provenance.by = try answer(by, "by", "Who recorded it")
        proposal.settings.provenance.when = try answer(when, "when", "When was it recorded", default: proposal.suggestedTime)
        proposal.settings.provenance.versions = try answer(versions, "versions", "What ran, with versions")
        let written = try proposal.write(as: chosen)
        print(written, terminator: "")
    }

    /// The option's value, or what the user answers.
    private func answer(_ given: String?, _ option: String, _ question: String, default suggestion: String? = nil) throws -> String {
        if let given { return given }
        guard isatty(STDIN_FILENO) == 1 else {
            if let suggestion { return suggestion }
            throw ValidationError("--\(option) is missing; without a terminal it cannot be asked for")
        }
        while true {
            print("\(question)\(suggestion.map { " [\($0)]" } ?? ""): ", terminator: "")
            fflush(nil)
            guard let line = readLine() else { throw ValidationError("the input ended before --\(option) was told") }
            if !line.isEmpty { return line }
            if let suggestion { return suggestion }
        }
    }
}
