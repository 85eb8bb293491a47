import Captures
import EngineKit
import Foundation
import Glibc

/// A legacy cluster, a Totem ring and the bridge between them, as processes on the loopback interface; one node is upgraded while
/// messages flow. Everything that is claimed is checked.
public final class Demonstration {
    /// Something that was to hold did not.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let executable: String
    private let site: LoopbackSite
    private let files: DemoFiles
    private let start = MonotonicClock.now()
    private var nodes: [DemoNode] = []
    private var bridge: ChildProcess?
    private var traffic = DemoTraffic()
    private var step = 0

    /// Longest wait for anything, in seconds.
    private static let patience: Int64 = 20

    /// Prepares a demonstration in the folder `path`, or in a new one. `executable` is the command itself.
    public init(path: String?, executable: String) throws {
        self.executable = executable
        site = try LoopbackSite()
        files = try DemoFiles(path: path, site: site)
    }

    /// Runs it; true when everything held.
    public func run() -> Bool {
        do {
            try play()
            say("\nPASS  everything held, \(elapsed) s")
            explainFolder()
            return true
        } catch {
            cleanUp()
            say("\nFAIL  \(error)")
            explainFolder()
            return false
        }
    }

    private func play() throws {
        introduce()
        try startMembers()
        try startBridge()
        try exchangeMessages()
        try upgradeNode3()
        try checkOrder()
        try stopEverything()
        try mergeCaptures()
    }

    // MARK: Acts

    private func introduce() {
        say(
            """
            A legacy cman cluster (node1 node2 node3) and a corosync 3 ring (node4 node5 node6) are to be one cluster of six votes.
            Then node3 moves from the one protocol to the other. Nothing leaves this host, and nothing needs root.

            folder   \(files.path)
            network  legacy \(files.legacyAddress(1))-\(files.legacyAddress(6)) port \(site.legacyPort), Totem \(files.totemAddress(1))-\(files.totemAddress(6)) port \(site.totemPort)
            timers   shortened for the demonstration:
                     legacy \(DemoFiles.legacyTimers.dropFirst(2).dropLast(2)) (defaults: 16 s, 16 s, 30 s, 5 s, 5 s, 21 s, 15 s, 10 s, 5 s)
                     Totem token \(DemoFiles.token) ms (default: 3000 ms, and 650 ms for every node above two)
            """
        )
    }

    private func startMembers() throws {
        begin("start the six nodes, without a bridge")
        for id in 1...3 { nodes.append(try DemoNode(id, .legacy, executable: executable, files: files)) }
        for id in 4...6 { nodes.append(try DemoNode(id, .corosync, executable: executable, files: files)) }
        try waitForViews("each side forms a cluster of its own three nodes") { node in
            DemoNode.View(members: node.dialect == .legacy ? [1, 2, 3] : [4, 5, 6], isQuorate: false, votes: 3, needed: 4)
        }
        showViews()
        for node in nodes { node.send("listen \(DemoTraffic.port)") }
    }

    private func startBridge() throws {
        begin("start the bridge")
        bridge = try ChildProcess(
            executable,
            ["run", "--config", files.path("bridge.yaml"), "--until-input-ends"],
            input: .pipe,
            output: .null,
            error: .file(files.path("bridge.log"))
        )
        try waitForViews("every node lists all six, and is quorate") { _ in Self.complete }
        showViews()
        try waitForBridge("the bridge reports no problem", speakers: [.legacy: [1, 2, 3], .corosync: [4, 5, 6]])
    }

    private func exchangeMessages() throws {
        begin("messages both ways: 20 from every node to all, and two to single nodes")
        for node in nodes { traffic.broadcast(20, from: node, label: "a") }
        traffic.unicast("only-for-node5", from: try node(1), to: 5)
        traffic.unicast("only-for-node2", from: try node(6), to: 2)
        try waitForMessages()
        say("   each node got 100 broadcasts of the other five, in order, none twice; node5 and node2 alone got what was for them")
    }

    private func upgradeNode3() throws {
        begin("upgrade node3, while the others keep sending")
        let old = try node(3)
        let others = nodes.filter { $0.id != 3 }
        traffic.broadcast(10, from: old, label: "b")
        for node in others { traffic.broadcast(10, from: node, label: "b") }
        try wait("node3's last messages are acknowledged") { old.confirmed >= 30 }
        // What node3 has been told is delivered must reach everyone, although it leaves at once.
        try wait("node3 has everything that was sent so far") { traffic.hasReached(old) }
        try check(traffic.fault(of: old))
        old.send("quit")
        try wait("node3 has left the legacy cluster") { old.hasLeft && old.exitStatus != nil }
        nodes.removeAll { $0 === old }
        try old.saveEvents()
        for node in others { traffic.broadcast(10, from: node, label: "c") }
        let five = DemoNode.View(members: [1, 2, 4, 5, 6], isQuorate: true, votes: 5, needed: 4)
        try waitForViews("the other five go on, quorate") { _ in five }
        showViews()
        try waitForMessages()

        let counts = traffic.counts
        let new = try DemoNode(3, .corosync, executable: executable, files: files)
        nodes.append(new)
        new.send("listen \(DemoTraffic.port)")
        for node in others { traffic.broadcast(10, from: node, label: "d") }
        try waitForViews("node3 is back, on the Totem side; all six again") { _ in Self.complete }
        showViews()
        try waitForBridge("the bridge reports no problem", speakers: [.legacy: [1, 2], .corosync: [3, 4, 5, 6]])
        try waitForMessages(ignoring: new)

        for node in nodes { traffic.broadcast(10, from: node, label: "e") }
        try waitForMessages(ignoring: new)
        try wait("node3 has the last message of everyone") {
            traffic.broadcasts.allSatisfy { sender, sent in
                sender == new.id || sent.last.map { last in new.messages.contains { $0.text == last } } ?? true
            }
        }
        // It hears what was sent after it had joined; where that is in phase d depends on the moment.
        let joined = try firstHeard(by: new, since: counts)
        try check(traffic.fault(of: new, from: joined))
        for node in others { try check(traffic.fault(of: node)) }
        let total = traffic.counts.values.reduce(0, +)
        say("   \(total) broadcasts in all: nothing lost, nothing twice, every sender's in order, through the move as well")
    }

    private func checkOrder() throws {
        let rings = nodes.filter { $0.dialect == .corosync && $0.id != 3 }
        let orders = rings.map { $0.messages.filter { $0.target == 0 } }
        try check(orders.allSatisfy { $0 == orders.first } ? nil : "the Totem nodes delivered in different orders")
        say("   node4, node5 and node6 delivered all of it in one and the same order")
    }

    private func stopEverything() throws {
        begin("stop in order")
        bridge?.send(signal: SIGTERM)
        try wait("the bridge has withdrawn its proxies") { bridge?.exitStatus() != nil }
        try check(bridge?.exitStatus() == 0 ? nil : "the bridge ended with status \(bridge?.exitStatus() ?? -1)")
        for node in nodes { node.send("quit") }
        try wait("all nodes have left") { nodes.allSatisfy { $0.exitStatus != nil } }
        for node in nodes {
            try node.saveEvents()
            try check(node.exitStatus == 0 ? nil : "\(node.title) ended with status \(node.exitStatus ?? -1)")
        }
        say("   the bridge and all nodes ended with status 0")
    }

    private func mergeCaptures() throws {
        let names = (1...3).map { "node\($0)-legacy.pcap" } + (3...6).map { "node\($0)-corosync.pcap" } + ["bridge.pcap"]
        try CaptureFile.merge(names.map { files.path($0) }, into: files.path("demo.pcap"))
        let decoder = try ChildProcess(
            executable,
            ["decode", "-T", "ndjson", files.path("demo.pcap")],
            output: .file(files.path("demo.ndjson"))
        )
        try wait("the capture is decoded") { decoder.exitStatus() != nil }
        try check(decoder.exitStatus() == 0 ? nil : "decode ended with status \(decoder.exitStatus() ?? -1)")
        let text = try String(contentsOfFile: files.path("demo.ndjson"), encoding: .utf8)
        let packets = text.utf8.count { $0 == UInt8(ascii: "\n") }
        let bad = text.split(separator: "\n").count { !$0.contains("\"problems\":[]") || $0.contains("\"dialect\":null") }
        try check(bad == 0 && packets > 0 ? nil : "\(bad) of \(packets) packets of the capture could not be decoded")
        say("   \(packets) packets recorded, all of them decoded without a problem")
    }

    // MARK: Waiting and checking

    private static var complete: DemoNode.View {
        DemoNode.View(members: Array(1...DemoFiles.names.count), isQuorate: true, votes: DemoFiles.names.count, needed: 4)
    }

    private func node(_ id: Int) throws -> DemoNode {
        guard let node = nodes.first(where: { $0.id == id }) else { throw Failure(description: "node\(id) is not running") }
        return node
    }

    private func check(_ fault: String?) throws {
        if let fault { throw Failure(description: fault) }
    }

    /// Waits until `condition` holds.
    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        let end = MonotonicClock.now() + .seconds(Self.patience)
        while true {
            for node in nodes { node.poll() }
            if try condition() { return }
            try checkProcesses()
            guard MonotonicClock.now() < end else { throw Failure(description: "not within \(Self.patience) s: \(what)") }
            usleep(5000)
        }
    }

    private func checkProcesses() throws {
        for node in nodes {
            if let status = node.exitStatus, status != 0 { throw Failure(description: "\(node.title) ended with status \(status)") }
        }
        if let status = bridge?.exitStatus(), status != 0 {
            throw Failure(description: "the bridge ended with status \(status); see bridge.log")
        }
    }

    private func waitForViews(_ what: String, _ expected: (DemoNode) -> DemoNode.View) throws {
        var next = Instant.zero
        do {
            try wait(what) {
                if nodes.allSatisfy({ $0.view == expected($0) }) { return true }
                if MonotonicClock.now() >= next {
                    for node in nodes { node.ask() }
                    next = MonotonicClock.now() + .milliseconds(300)
                }
                return false
            }
        } catch {
            showViews()
            throw error
        }
        say("   \(what) (\(elapsed) s)")
    }

    private func waitForMessages(ignoring newcomer: DemoNode? = nil) throws {
        try wait("every message arrives") {
            nodes.allSatisfy { $0 === newcomer || traffic.hasReached($0) }
        }
        for node in nodes where node !== newcomer { try check(traffic.fault(of: node)) }
    }

    /// For each sender, how many of its broadcasts came before the first that `node` heard; at least `counts`.
    private func firstHeard(by node: DemoNode, since counts: [Int: Int]) throws -> [Int: Int] {
        var result: [Int: Int] = [:]
        for (sender, sent) in traffic.broadcasts where sender != node.id {
            guard let first = node.messages.first(where: { $0.source == sender })?.text, let position = sent.firstIndex(of: first) else {
                throw Failure(description: "\(node.title) heard nothing of node\(sender)")
            }
            guard position >= counts[sender] ?? 0 else {
                throw Failure(description: "\(node.title) got \(first), which was sent before it started")
            }
            result[sender] = position
        }
        return result
    }

    private func waitForBridge(_ what: String, speakers: [DemoNode.Dialect: [UInt32]]) throws {
        var last: StatusDocument?
        do {
            try wait(what) {
                guard let status = try? StatusClient.ask(files.path("bridge.sock")) else { return false }
                last = status
                return status.problems.isEmpty && status.legacy.natives.map(\.id) == speakers[.legacy]
                    && status.corosync.natives.map(\.id) == speakers[.corosync]
                    && status.legacy.quorum?.votes == 6 && status.corosync.quorum?.votes == 6
            }
        } catch {
            if let last { say(indented(StatusText.render(last))) }
            throw error
        }
        if let last { say(indented(StatusText.render(last))) }
    }

    // MARK: Telling

    private var elapsed: String {
        let tenths = (MonotonicClock.now() - start).milliseconds / 100
        return "\(tenths / 10).\(tenths % 10)"
    }

    private func begin(_ what: String) {
        step += 1
        say("\n\(step)  \(what)")
    }

    private func say(_ text: String) {
        print(text)
        fflush(nil)
    }

    private func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { "   | \($0)" }.joined(separator: "\n")
    }

    private func showViews() {
        for node in nodes.sorted(by: { $0.id < $1.id }) {
            guard let view = node.view else {
                say("   \(node.title): no answer")
                continue
            }
            let members = view.members.map { "node\($0)" }.joined(separator: " ")
            say("   \(node.title): \(members); \(view.isQuorate ? "quorate" : "not quorate"), \(view.votes) votes, \(view.needed) needed")
        }
    }

    private func explainFolder() {
        say(
            """
            \(files.path) has the configurations, the logs (*.log), what each node said (*.events) and one capture of it all:
                ringbridge decode \(files.path("demo.pcap"))
            """
        )
    }

    /// Ends what still runs, by process id; the files stay.
    private func cleanUp() {
        for node in nodes {
            node.poll()
            // Writing fails only where the folder has gone too.
            try? node.saveEvents()
            node.kill()
        }
        bridge?.send(signal: SIGKILL)
    }
}
