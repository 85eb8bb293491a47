import ArgumentParser
import BridgeRuntime

/// `ringbridge run`: the bridge.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the bridge.",
        discussion: """
            Stands in for every node on the side whose protocol it does not speak. Logs to its standard error. SIGTERM withdraws all \
            proxies in order and gives the addresses back. See docs/operating.md.
            """
    )

    @Option(help: ArgumentHelp("bridge.yaml; see docs/configuration.md.", valueName: "file"))
    var config: String

    @Flag(help: ArgumentHelp("Stop in order when the standard input ends.", visibility: .hidden))
    var untilInputEnds = false

    func run() throws {
        var options = BridgeProcess.Options()
        options.stopsWithInput = untilInputEnds
        throw ExitCode(try BridgeProcess.run(try BridgeSettings(contentsOf: config), options: options))
    }
}
