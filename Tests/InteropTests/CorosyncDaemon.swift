import Foundation

/// A real corosync daemon on a host of the laboratory, in mount and IPC namespaces of its own.
final class CorosyncDaemon: Sendable {
    /// What `corosync-quorumtool` says.
    struct Quorum: Equatable, CustomStringConvertible {
        /// Votes by node id.
        var votes: [UInt32: Int] = [:]
        var isQuorate = false
        var expectedVotes = 0
        var totalVotes = 0
        var ring = ""

        /// Reads the tool's output.
        init(_ text: String) {
            var inMembers = false
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ", omittingEmptySubsequences: true)
                if line.hasPrefix("Quorate:") { isQuorate = words.last == "Yes" }
                if line.hasPrefix("Expected votes:") { expectedVotes = Int(words.last ?? "") ?? 0 }
                if line.hasPrefix("Total votes:") { totalVotes = Int(words.last ?? "") ?? 0 }
                if line.hasPrefix("Ring ID:") { ring = String(words.last ?? "") }
                if words.first == "Nodeid" {
                    inMembers = true
                } else if inMembers, words.count >= 2, let node = UInt32(words[0]), let count = Int(words[1]) {
                    votes[node] = count
                }
            }
        }

        var description: String {
            "members \(votes.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }) expected \(expectedVotes) total \(totalVotes) "
                + "quorate \(isQuorate) ring \(ring)"
        }
    }

    /// Its node id.
    let node: UInt32

    private let process: ChildProcess
    private let identifier: Int32

    /// Starts a daemon with a configuration file's text. Its run-time folders are memory file systems that nobody else sees.
    init(node: UInt32, in laboratory: Laboratory, on host: Laboratory.Host, configuration: String) throws {
        self.node = node
        let folder = laboratory.folder + "/corosync\(node)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try configuration.write(toFile: folder + "/corosync.conf", atomically: true, encoding: .utf8)
        let script = """
            set -e
            mount -t tmpfs tmpfs /run
            mkdir -p /run/corosync
            mount -t tmpfs tmpfs /dev/shm
            mount -t tmpfs tmpfs /var/lib/corosync
            mount --bind '\(folder)' /etc/corosync
            exec corosync -f
            """
        process = try laboratory.start(
            "corosync\(node)",
            on: host,
            ["unshare", "--mount", "--ipc", "--propagation", "private", "sh", "-c", script]
        )
        // `ip netns exec`, `unshare` and `sh` replace themselves, so the child is the daemon.
        identifier = process.identifier
    }

    /// Everything it logged.
    var log: [String] { process.errorLines + process.lines }

    /// Lines of its log that a faulty peer causes.
    var complaints: [String] {
        let signs = [
            "Invalid", "incompatible", "FAILED TO RECEIVE", "not supported", "Digest", "corrupted", "JOIN or LEAVE message was thrown away",
        ]
        return log.filter { line in signs.contains { line.contains($0) } }
    }

    /// Runs a tool beside the daemon.
    func tool(_ arguments: [String]) throws -> String {
        try run(["nsenter", "-t", String(identifier), "-m", "-n", "-i"] + arguments, mayFail: true)
    }

    /// What the daemon says of quorum.
    func quorum() throws -> Quorum { Quorum(try tool(["corosync-quorumtool", "-s"])) }

    /// Starts a libcpg client beside the daemon.
    func client(_ program: String) throws -> ChildProcess {
        try ChildProcess("client of \(node)", ["nsenter", "-t", String(identifier), "-m", "-n", "-i", program])
    }

    /// Orderly stop.
    func stop() { process.stop(within: 20) }

    /// Sends it a signal.
    func signal(_ number: Int32) { process.kill(number) }

    /// kill -9.
    func kill() { process.killAndWait() }
}
