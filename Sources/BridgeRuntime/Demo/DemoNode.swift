import Foundation

/// A `ringbridge node` process of the demonstration.
final class DemoNode {
    /// Which protocol it speaks.
    enum Dialect: String {
        case legacy
        case corosync
    }

    /// A message that it received.
    struct Message: Equatable {
        var source: Int
        var target: Int
        var text: String
    }

    /// What it says of its cluster.
    struct View: Equatable {
        var members: [Int]
        var isQuorate: Bool
        var votes: Int
        var needed: Int
    }

    let id: Int
    let dialect: Dialect
    private let client: NodeClient
    private let files: DemoFiles
    private var seen = 0
    private var quorum: [String: String] = [:]
    private var members: [Int] = []
    private var answers = 0

    /// What it received so far, in order.
    private(set) var messages: [Message] = []
    /// Its own messages of which it heard that they are delivered (legacy) or given to the ring.
    private(set) var confirmed = 0
    /// Set when it said that it has left.
    private(set) var hasLeft = false

    init(_ id: Int, _ dialect: Dialect, executable: String, files: DemoFiles) throws {
        self.id = id
        self.dialect = dialect
        self.files = files
        client = try NodeClient(
            executable: executable,
            arguments: ["node", "--config", files.path("node\(id)-\(dialect.rawValue).yaml")],
            log: files.path("node\(id)-\(dialect.rawValue).log")
        )
    }

    /// `node3 (legacy)`.
    var title: String { "node\(id) (\(dialect.rawValue))" }

    /// What it exited with; nil while it runs.
    var exitStatus: Int32? { client.process.exitStatus() }

    func send(_ command: String) { client.send(command) }

    /// Stops it without a word.
    func kill() { client.process.send(signal: 9) }

    /// Takes what it has said since the last call.
    func poll() {
        client.poll()
        for line in client.lines[seen...] { take(line) }
        seen = client.lines.count
    }

    /// The members it lists and its quorum; nil until it has answered the last `ask`.
    var view: View? {
        guard answers > 0 else { return nil }
        return View(
            members: members,
            isQuorate: quorum["quorate"] == "yes",
            votes: quorum["votes"].flatMap { Int($0) } ?? 0,
            needed: quorum["needed"].flatMap { Int($0) } ?? 0
        )
    }

    /// Asks for members and quorum anew.
    func ask() {
        answers = 0
        send("quorum")
        send("members")
    }

    /// Writes everything that it said into the folder.
    func saveEvents() throws {
        try files.write("node\(id)-\(dialect.rawValue).events", client.lines.joined(separator: "\n") + "\n")
    }

    private func take(_ line: String) {
        var fields: [String: String] = [:]
        // The demonstration's own texts have no blanks.
        for word in line.split(separator: " ").dropFirst() {
            guard let separator = word.firstIndex(of: "=") else { continue }
            fields[String(word[..<separator])] = String(word[word.index(after: separator)...])
        }
        switch line.split(separator: " ").first {
        case "message":
            guard let source = fields["from"].flatMap({ Int($0) }), let text = fields["text"] else { return }
            messages.append(Message(source: source, target: fields["to"].flatMap { Int($0) } ?? 0, text: text))
        case "sent": confirmed += 1
        case "quorum": quorum = fields
        case "members":
            members = (fields["members"] ?? "").split(separator: ",").compactMap { $0.split(separator: ":").first.flatMap { Int($0) } }
            answers += 1
        case "left": hasLeft = true
        default: break
        }
    }
}
