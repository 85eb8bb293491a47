import ArgumentParser
import BridgeRuntime

/// `ringbridge node`: one member by itself, with a line interface.
struct NodeSubcommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run one legacy or corosync member with a line interface.",
        discussion: """
            Reads commands from its input, one a line: send PORT|GROUP NODE|all TEXT, burst COUNT PORT|GROUP NODE|all PREFIX, \
            listen PORT, join GROUP, close PORT|GROUP, probe NODE PORT, members, quorum, status, kill NODE, leave [removed], start, \
            reenable, \
            quit. Writes one line per event. At the end of its input, and at SIGTERM, it leaves its cluster in order. See \
            docs/configuration.md.
            """
    )

    @Option(help: ArgumentHelp("A YAML file for one member, or an existing cluster.conf or corosync.conf.", valueName: "file"))
    var config: String

    @Option(help: ArgumentHelp("Which node of an existing cluster.conf or corosync.conf this is.", valueName: "node"))
    var name: String?

    @Option(help: ArgumentHelp("Whose an existing corosync.conf is: totem-2005, openais-0.80, corosync-1, -2 or -3.", valueName: "dialect"))
    var dialect = "corosync-3"

    @Flag(help: "Write events as JSON lines.")
    var json = false

    @Flag(help: "Go on when the input ends.")
    var stay = false

    func run() throws {
        var options = NodeProcess.Options()
        options.asJSON = json
        options.stays = stay
        guard let generation = NodeConfiguration.generation(named: dialect) else {
            throw ValidationError("--dialect \(dialect) is unknown")
        }
        let configuration = try NodeConfiguration(contentsOf: config, name: name, generation: generation)
        throw ExitCode(try NodeProcess.run(configuration, options: options))
    }
}
