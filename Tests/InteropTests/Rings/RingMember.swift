import Foundation

/// A node of a ring under test with one process in the group, whatever it runs.
protocol RingMember: AnyObject {
    /// Its node id.
    var node: UInt32 { get }

    /// What its process was told so far.
    var log: DeliveryLog { get }

    /// Members of the ring that it counts with their votes, and whether it is quorate.
    func ringView() throws -> RingView

    /// Sends a load.
    func send(_ load: Load) throws

    /// Leaves in order and ends.
    func leave()

    /// kill -9.
    func kill()

    /// SIGSTOP.
    func freeze()

    /// SIGCONT.
    func thaw()

    /// Lines of its own log that tell of a faulty peer or of a fault of its own.
    var complaints: [String] { get }

    /// Errors that its process was told of.
    var clientComplaints: [String] { get }

    /// The end of what it said, for messages about failures.
    var tail: String { get }
}

/// Members with their votes, and quorum.
struct RingView: Equatable, CustomStringConvertible {
    var votes: [UInt32: Int] = [:]
    var isQuorate = false

    var description: String { "\(votes.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }) quorate \(isQuorate)" }
}

/// A real daemon and its libcpg client.
final class CorosyncMember: RingMember {
    private let daemon: CorosyncDaemon
    private let client: ChildProcess
    private var reader = LogReader()

    init(node: UInt32, in laboratory: Laboratory, on host: Laboratory.Host, configuration: String, client program: String) throws {
        daemon = try CorosyncDaemon(node: node, in: laboratory, on: host, configuration: configuration)
        // Before it tells of its services, it may not have entered its namespaces.
        guard waitUntil(within: 20, { [daemon] in daemon.log.contains { $0.contains("server name: cpg") } }) else {
            throw CommandError(description: "corosync \(node) does not start: \(daemon.log.suffix(5))")
        }
        client = try daemon.client(program)
        try client.write("digest")
        try client.write("join \(RingUnderTest.group)")
    }

    var node: UInt32 { daemon.node }

    var log: DeliveryLog {
        reader.take(client) { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            switch (words.first, words.count) {
            case ("DIGEST", 5):
                guard let sender = UInt32(words[2]), let length = Int(words[3]), let hash = UInt32(words[4], radix: 16) else { return nil }
                return .message(.init(sender: sender, length: length, hash: hash))
            case ("MEMBERS", 3):
                return .view(words[2].split(separator: ",").compactMap { UInt32($0.split(separator: "/")[0]) }.sorted())
            default: return nil
            }
        }
        return reader.log
    }

    func ringView() throws -> RingView {
        let quorum = try daemon.quorum()
        return RingView(votes: quorum.votes, isQuorate: quorum.isQuorate)
    }

    func send(_ load: Load) throws { try client.write("load \(RingUnderTest.group) \(load.count) \(load.size) \(load.tag)") }

    func leave() {
        client.killAndWait()
        daemon.stop()
    }

    func kill() {
        daemon.kill()
        client.killAndWait()
    }

    func freeze() { daemon.signal(SIGSTOP) }

    func thaw() { daemon.signal(SIGCONT) }

    var complaints: [String] { daemon.complaints }

    var clientComplaints: [String] { client.lines.filter { $0.hasPrefix("ERROR") } }

    var tail: String { (daemon.log.suffix(25) + client.lines.suffix(5)).joined(separator: "\n") }
}

/// A process of `ringbridge node`.
final class RingbridgeMember: RingMember {
    let node: UInt32
    private let child: ChildProcess
    private var reader = LogReader()

    init(node: UInt32, in laboratory: Laboratory, on host: Laboratory.Host, configuration: String) throws {
        self.node = node
        let file = laboratory.folder + "/ringbridge\(node).conf"
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        child = try laboratory.start(
            "node \(node)",
            on: host,
            // Real-time priority, which the daemons give themselves: nobody's work may make it miss the token.
            ["chrt", "--rr", "1", Ringbridge.program, "node", "--config", file, "--name", "node\(node)"]
        )
        try child.write("join \(RingUnderTest.group)")
    }

    var log: DeliveryLog {
        reader.take(child) { line in
            let group = RingUnderTest.group
            if line.hasPrefix("message from="), line.contains(" group=\(group) ") {
                guard let sender = UInt32(Self.value("from", of: line)), let length = Int(Self.value("length", of: line)),
                    let hash = UInt32(Self.value("fnv1a32", of: line), radix: 16)
                else { return nil }
                return .message(.init(sender: sender, length: length, hash: hash))
            }
            guard line.hasPrefix("group group=\(group) ") else { return nil }
            return .view(Self.value("nodes", of: line).split(separator: ",").compactMap { UInt32($0) })
        }
        return reader.log
    }

    /// The value of `key=value` in a line.
    private static func value(_ key: String, of line: String) -> Substring {
        for word in line.split(separator: " ") where word.hasPrefix(key + "=") { return word.dropFirst(key.count + 1) }
        return ""
    }

    func ringView() throws -> RingView {
        let lines = child.lines
        guard let ring = lines.last(where: { $0.hasPrefix("ring ring=") }), let quorum = lines.last(where: { $0.hasPrefix("quorum ") }),
            let synchronised = lines.last(where: { $0.hasPrefix("synchronised ring=") }),
            Self.value("ring", of: ring) == Self.value("ring", of: synchronised)
        else { return RingView() }
        let members = Self.value("members", of: ring).split(separator: ",").compactMap { UInt32($0) }
        let votes = Int(Self.value("votes", of: quorum))
        // It tells the sum only: votes of single nodes show on the real ones.
        guard votes == members.count else { return RingView() }
        return RingView(votes: Dictionary(uniqueKeysWithValues: members.map { ($0, 1) }), isQuorate: quorum.contains("quorate=yes"))
    }

    func send(_ load: Load) throws { try child.write("load \(RingUnderTest.group) \(load.count) \(load.size) \(load.tag)") }

    func leave() { child.stop(within: 20) }

    func kill() { child.killAndWait() }

    func freeze() { child.kill(SIGSTOP) }

    func thaw() { child.kill(SIGCONT) }

    var complaints: [String] { child.errorLines + child.lines.filter { $0.hasPrefix("duplicate-identity") } }

    var clientComplaints: [String] { child.lines.filter { $0.hasPrefix("error ") } }

    var tail: String {
        (child.lines.filter { !$0.hasPrefix("message ") }.suffix(30) + child.errorLines.suffix(15)).joined(separator: "\n")
    }
}

/// Reads the lines of a program once each.
private struct LogReader {
    private(set) var log = DeliveryLog()
    private var position = 0

    mutating func take(_ child: ChildProcess, _ parse: (String) -> DeliveryLog.Entry?) {
        let lines = child.lines(since: position)
        position += lines.count
        for line in lines {
            if let entry = parse(line) { log.entries.append(entry) }
        }
    }
}
