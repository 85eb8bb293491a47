import ArgumentParser
import BridgeRuntime
import Foundation

/// `ringbridge demo`: a small cluster, upgraded on the loopback interface.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show an upgrade: a legacy cluster, a Totem ring and the bridge, as processes on this host.",
        discussion: "Needs no root and no configuration, and takes less than a minute. Exit status: 0 all of it held, 1 it did not."
    )

    @Option(
        help: ArgumentHelp(
            "Where configurations, logs and the capture go; a new folder below the temporary one by default.",
            valueName: "path"
        )
    )
    var folder: String?

    func run() throws {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let demonstration = try Demonstration(path: folder, executable: executable)
        throw ExitCode(demonstration.run() ? 0 : 1)
    }
}
