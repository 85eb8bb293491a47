import Foundation

/// A legacy member, a process of `ringbridge node`, on a host of the laboratory.
final class LegacyMember: Sendable {
    /// A user message that it received.
    struct Message: Hashable, CustomStringConvertible {
        var source: UInt32
        var port: UInt8
        var text: String

        var description: String { "\(source):\(port) \(text)" }
    }

    /// One line of the member's output.
    private struct Event: Decodable {
        struct Member: Decodable {
            var id: UInt32
        }

        var event: String
        var from: UInt32?
        var port: UInt8?
        var text: String?
        var quorate: Bool?
        var members: [Member]?
        var reason: String?
    }

    /// Its node id.
    let node: UInt32

    private let child: ChildProcess

    /// Starts a member that listens on `ports`. Only the time it takes to form a cluster is shortened; whatever concerns members has
    /// the kernel's values.
    init(node: UInt32, in laboratory: Laboratory, on host: Laboratory.Host, address: String, expectedVotes: Int, ports: [UInt8]) throws {
        self.node = node
        let file = laboratory.folder + "/legacy\(node).yaml"
        let configuration = """
            protocol: cman
            cluster: \(MixedCluster.name)
            name: node\(node)
            id: \(node)
            votes: 1
            expectedVotes: \(expectedVotes)
            address: \(address)
            timers: { joinWait: 6 s, newCluster: 3 s }
            """
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        child = try laboratory.start("legacy member \(node)", on: host, [Ringbridge.program, "node", "--config", file, "--json"])
        for port in ports { try child.write("listen \(port)") }
    }

    private var events: [Event] {
        let decoder = JSONDecoder()
        return child.lines.compactMap { try? decoder.decode(Event.self, from: Data($0.utf8)) }
    }

    /// Ids of the members as it sees them now.
    func members() throws -> Set<UInt32> {
        let before = child.lines.count
        try child.write("members")
        let decoder = JSONDecoder()
        var answer: Set<UInt32> = []
        _ = waitUntil(within: 2) {
            for line in child.lines.dropFirst(before) where line.contains("\"members\"") {
                guard let event = try? decoder.decode(Event.self, from: Data(line.utf8)), event.event == "members" else { continue }
                answer = Set(event.members?.map(\.id) ?? [])
                return true
            }
            return false
        }
        return answer
    }

    /// Whether it calls the cluster quorate; what it last said of it.
    var isQuorate: Bool { events.last { $0.event == "quorum" }?.quorate ?? false }

    /// What it received, in order.
    var messages: [Message] {
        events.compactMap { event in
            guard event.event == "message", let source = event.from, let port = event.port, let text = event.text else { return nil }
            return Message(source: source, port: port, text: text)
        }
    }

    /// Why it is no member any more, if so.
    var departure: String? { events.last { $0.event == "left" }?.reason }

    /// Errors and refusals that it reported.
    var complaints: [String] { events.filter { $0.event == "error" }.compactMap(\.text) }

    /// Sends a text to all (0) or to one node.
    func send(_ text: String, port: UInt8, to node: UInt32 = 0) throws {
        try child.write("send \(port) \(node == 0 ? "all" : String(node)) \(text)")
    }

    /// Sends `count` messages, each `prefix` and the text `-<number>`, from 1 on.
    func burst(_ count: Int, prefix: String, port: UInt8, to node: UInt32 = 0) throws {
        try child.write("burst \(count) \(port) \(node == 0 ? "all" : String(node)) \(prefix)")
    }

    /// Orderly leave, and end.
    func leave() throws {
        try child.write("quit")
        _ = waitUntil(within: 20) { !child.isRunning }
        child.killAndWait()
    }

    /// kill -9.
    func kill() { child.killAndWait() }

    /// SIGTERM, at the end of a test.
    func stop() { child.stop() }

    /// The end of its output, for messages about failures.
    var tail: String { (child.lines.suffix(15) + child.errorLines.suffix(15)).joined(separator: "\n") }
}
