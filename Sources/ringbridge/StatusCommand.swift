import ArgumentParser
import BridgeRuntime
import Glibc

/// `ringbridge status`: ask a running bridge.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what a running bridge sees, and the next safe step of the upgrade.",
        discussion: "Exit status: 0 all is well, 1 something needs attention, 2 no bridge answers."
    )

    @Option(help: ArgumentHelp("The bridge's configuration, which names its socket.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The bridge's socket; without it and --config the only one in /run/ringbridge.", valueName: "path"))
    var socket: String?

    @Flag(help: "One JSON object.")
    var json = false

    @Flag(help: "Show it again every two seconds, until interrupted.")
    var watch = false

    func run() throws {
        let path = try socket ?? config.map { try BridgeSettings(contentsOf: $0).adminSocket } ?? StatusClient.onlySocket()
        while true {
            let document = try StatusClient.ask(path)
            if watch, !json, isatty(STDOUT_FILENO) == 1 { print("\u{1B}[H\u{1B}[2J", terminator: "") }
            print(json ? try StatusClient.json(document) : StatusClient.text(document), terminator: "")
            fflush(nil)
            guard watch else { throw ExitCode(document.problems.isEmpty ? 0 : 1) }
            sleep(2)
        }
    }
}
