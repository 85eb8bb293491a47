import Foundation

/// The libcpg test client, compiled once per test run, and its line interface (Client/cpg-client.c).
final class CPGClient: Sendable {
    /// A delivered message.
    struct Delivery: Hashable {
        var group: String
        var node: UInt32
        var process: UInt32
        var payload: [UInt8]
    }

    private let child: ChildProcess

    /// Starts a client beside a daemon and waits until it is connected.
    init(of daemon: CorosyncDaemon, program: String) throws {
        child = try daemon.client(program)
        guard waitUntil(within: 30, { child.lines.contains { $0.hasPrefix("READY") } }) else {
            throw CommandError(description: "the libcpg client of node \(daemon.node) does not connect: \(child.lines) \(child.errorLines)")
        }
    }

    /// Compiles the client into `folder` and gives its path.
    static func compile(into folder: String) throws -> String {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Client/cpg-client.c").path
        let program = folder + "/cpg-client"
        try run(["cc", "-O1", "-Wall", "-o", program, source, "-lcpg"])
        return program
    }

    /// Joins a group and waits for the membership that contains this client.
    func join(_ group: String) throws {
        try child.write("join \(group)")
        guard waitUntil(within: 30, { child.lines.contains { $0.hasPrefix("MEMBERS \(group) ") } }) else {
            throw CommandError(description: "joining \(group) did not complete: \(child.lines.suffix(5))")
        }
    }

    /// Sends one message.
    func send(_ payload: [UInt8], to group: String) throws {
        try child.write("send \(group) \(hexadecimal(payload))")
    }

    /// Sends `count` messages, each `prefix` and the text `-<number>`, from 1 on.
    func burst(_ count: Int, prefix: [UInt8], to group: String) throws {
        try child.write("burst \(group) \(count) \(hexadecimal(prefix))")
    }

    /// What it received so far, in order.
    var deliveries: [Delivery] {
        child.lines.compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 5, words[0] == "DELIVER", let node = UInt32(words[2]), let process = UInt32(words[3]) else { return nil }
            return Delivery(group: String(words[1]), node: node, process: process, payload: bytes(hexadecimal: words[4]))
        }
    }

    /// Nodes of the last membership of a group.
    func members(of group: String) -> Set<UInt32> {
        guard let line = child.lines.last(where: { $0.hasPrefix("MEMBERS \(group) ") }) else { return [] }
        let list = line.split(separator: " ", omittingEmptySubsequences: false).last ?? ""
        return Set(list.split(separator: ",").compactMap { UInt32($0.split(separator: "/")[0]) })
    }

    /// Errors it reported.
    var errors: [String] { child.lines.filter { $0.hasPrefix("ERROR") } }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func bytes(hexadecimal text: Substring) -> [UInt8] {
    var result: [UInt8] = []
    var rest = text[...]
    while rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) {
        result.append(byte)
        rest = rest.dropFirst(2)
    }
    return result
}
