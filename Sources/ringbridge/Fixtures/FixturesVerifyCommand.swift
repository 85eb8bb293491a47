import ArgumentParser
import FixtureLibrary

/// `ringbridge fixtures verify`.
struct FixturesVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that captures mean what their fixtures say.",
        discussion: """
            One line a fixture: PASS, FAIL with the first difference, or SKIP with the reason. Exit code 1 when a check failed, 2 when the \
            library cannot be read.
            """
    )

    @OptionGroup var options: LibraryOptions

    @Argument(help: ArgumentHelp("Fixtures, by name or by a part of it; * stands for anything. All without a name.", valueName: "name"))
    var names: [String] = []

    @Option(help: ArgumentHelp("Only fixtures with this in their name; as an argument, for scripts.", valueName: "pattern"))
    var only: [String] = []

    @Option(help: ArgumentHelp("Write the results as JUnit XML.", valueName: "file"))
    var junit: String?

    @Option(help: "How many fixtures are checked at a time.")
    var jobs = 2

    @Flag(inversion: .prefixedNo, help: "Replay our engines in the roles of the recorded daemons.")
    var replay = true

    @Flag(help: "Name the requirements that no fixture exercises.")
    var coverage = false

    func validate() throws {
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs needs a number from 1 to 64") }
    }

    func run() throws {
        let catalogue = options.catalogue
        let requirements = try catalogue.requirements()
        let run = VerificationRun(fixtures: try catalogue.fixtures(matching: names + only), requirements: requirements, replays: replay)
        let results = run.results(jobs: jobs) { print($0.line) }
        if let junit { try VerificationRun.write(JUnitReport(results).text, to: junit) }
        if let requirements {
            let report = CoverageReport(requirements, results: results)
            print(report.summary)
            if coverage { for line in report.missing { print(line) } }
        }
        let count = { (word: String) in results.filter { $0.word == word }.count }
        print("\(count("PASS")) passed, \(count("FAIL")) failed, \(count("SKIP")) skipped")
        if count("FAIL") > 0 { throw ExitCode(1) }
    }
}
