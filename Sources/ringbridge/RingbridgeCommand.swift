import ArgumentParser
import Glibc

/// The command `ringbridge`.
@main
struct RingbridgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ringbridge",
        abstract: "Change the wire protocol of a cluster one node at a time.",
        subcommands: [
            DemoCommand.self, RunCommand.self, NodeSubcommand.self, StatusCommand.self, DecodeCommand.self, FixturesCommand.self,
            FieldsCommand.self, DialectsCommand.self,
        ]
    )

    /// Exit codes: 0 done, 1 a check failed, 2 the input or the arguments are unusable. Errors are one line on the standard error.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            if exitCode(for: error).isSuccess { exit(withError: error) }
            if let code = error as? ExitCode { Glibc.exit(code.rawValue) }
            let line = Array("ringbridge: \(message(for: error))\n".utf8)
            _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            Glibc.exit(2)
        }
    }
}
