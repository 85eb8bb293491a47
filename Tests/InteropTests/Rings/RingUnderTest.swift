import Foundation

/// Runs one scenario and says what was wrong.
///
/// Everything is judged by what the real daemons, their clients and the recorded packets say; between steps the network is quiet, so
/// that every node's log can be cut at the same place.
final class RingUnderTest {
    /// The group that every node has a process in.
    static let group = "interop"

    private let scenario: RingScenario
    private let laboratory: Laboratory
    private let clientProgram: String
    private var hosts: [Int: Laboratory.Host] = [:]
    private var members: [Int: any RingMember] = [:]
    private var retired: [any RingMember] = []
    private var parts: [[Int]] = []
    /// Where each node's log stood when the network was last quiet.
    private var marks: [Int: Int] = [:]
    /// Messages that the whole ring has received.
    private var exchanged = 0
    private var stepCount = 0
    private(set) var failures: [String] = []

    init(_ scenario: RingScenario) throws {
        self.scenario = scenario
        laboratory = try Laboratory()
        clientProgram = try CPGClient.compile(into: laboratory.folder)
        for node in 1...scenario.kinds.count {
            hosts[node] = try laboratory.addHost(node, addresses: [Self.address(node, scenario.network)])
        }
    }

    /// Runs every step. Stops at the first that fails.
    func run() throws {
        let recorder = try laboratory.record("ring.pcap")
        defer { end() }
        try settle(after: nil) { for node in scenario.initialNodes { try start(node) } }
        for step in scenario.steps where failures.isEmpty {
            try settle(after: step) { try perform(step) }
        }
        end()
        recorder.stop()
        checkLogs()
        if failures.isEmpty { try checkRecording(recorder) }
    }

    // MARK: Steps

    private func perform(_ step: RingScenario.Step) throws {
        switch step {
        case .start(let node): try start(node)
        case .leave(let node): retire(node) { $0.leave() }
        case .kill(let node): retire(node) { $0.kill() }
        case .freeze(let node, let seconds):
            members[node]?.freeze()
            usleep(UInt32(seconds * 1_000_000))
            members[node]?.thaw()
        case .part(let groups):
            parts = groups
            try laboratory.partition(groups[0].compactMap { hosts[$0] }, from: groups[1].compactMap { hosts[$0] })
        case .heal:
            parts = []
            try laboratory.heal()
        case .lose(let percent):
            try laboratory.lose(percent)
            if step.mayBreakTheRing {
                usleep(5_000_000)
            } else {
                try sendAndAwait(Load(tag: "lossy\(percent)", count: 100, size: 1000), by: Array(members.keys))
            }
            try laboratory.heal()
        case .burst(let count, let bytes):
            try sendAndAwait(Load(tag: "burst\(bytes)", count: count, size: bytes), by: Array(members.keys))
        }
    }

    private func start(_ node: Int) throws {
        guard let host = hosts[node] else { return }
        switch scenario.kinds[node - 1] {
        case .corosync:
            members[node] = try CorosyncMember(
                node: UInt32(node),
                in: laboratory,
                on: host,
                configuration: configuration,
                client: clientProgram
            )
        case .ringbridge:
            members[node] = try RingbridgeMember(node: UInt32(node), in: laboratory, on: host, configuration: configuration)
        }
        marks[node] = 0
    }

    private func retire(_ node: Int, _ how: (any RingMember) -> Void) {
        guard let member = members.removeValue(forKey: node) else { return }
        // What it could not send any more is no fault.
        note(member.clientComplaints, of: member)
        how(member)
        retired.append(member)
    }

    /// Lets a step happen amid traffic, waits until those who can hear each other agree, lets everyone send once more, and compares
    /// what was delivered since the network was last quiet.
    private func settle(after step: RingScenario.Step?, _ happening: () throws -> Void) throws {
        let what = step.map { "\($0)" } ?? "formed"
        let partsBefore = components(Set(members.keys))
        for (node, member) in members { try member.send(Load(tag: "during\(stepCount)-\(node)", count: 150, size: 300)) }
        try happening()
        guard awaitAgreement(what) else { return }
        for part in components(Set(members.keys)) {
            try sendAndAwait(Load(tag: "after\(stepCount)", count: 20, size: 2000), by: part)
        }
        if let step { compare(step, partsBefore) }
        for (node, member) in members { marks[node] = member.log.entries.count }
        stepCount += 1
    }

    /// Those of `nodes` that can hear each other.
    private func components(_ nodes: Set<Int>) -> [[Int]] {
        (parts.isEmpty ? [Array(1...scenario.kinds.count)] : parts).map { $0.filter(nodes.contains) }.filter { !$0.isEmpty }
    }

    // MARK: Judgement

    /// Waits until the nodes of every part see each other and nobody else, with one vote each, in the ring, in quorum and in the group.
    private func awaitAgreement(_ what: String) -> Bool {
        var last: [String] = []
        let agreed = waitUntil(within: 90) {
            last = []
            for part in components(Set(members.keys)) {
                let wanted = RingView(
                    votes: Dictionary(uniqueKeysWithValues: part.map { (UInt32($0), 1) }),
                    isQuorate: 2 * part.count > scenario.kinds.count
                )
                for node in part {
                    guard let member = members[node] else { continue }
                    guard member.log.view.sorted() == part.map(UInt32.init).sorted() else {
                        last.append("\(node) has \(member.log.view) in the group")
                        continue
                    }
                    let view = try? member.ringView()
                    if view != wanted { last.append("\(node) sees \(view.map(\.description) ?? "nothing"), not \(wanted)") }
                }
            }
            if !last.isEmpty { usleep(100_000) }
            return last.isEmpty
        }
        if !agreed { fail("\(what): no agreement: \(last.joined(separator: "; "))") }
        return agreed
    }

    /// Lets `nodes` send at once; everyone of them must receive every message once and, of each sender, in order.
    private func sendAndAwait(_ load: Load, by nodes: [Int]) throws {
        let starts = Dictionary(uniqueKeysWithValues: nodes.map { ($0, members[$0]?.log.entries.count ?? 0) })
        var expected: [UInt32: [DeliveryLog.Message]] = [:]
        for node in nodes {
            var own = load
            own.tag += "-\(node)"
            expected[UInt32(node)] = own.messages(of: UInt32(node))
            try members[node]?.send(own)
        }
        let wanted = Set(expected.values.joined())
        func received(_ node: Int) -> [DeliveryLog.Message] {
            members[node]?.log.messages(since: starts[node] ?? 0).filter(wanted.contains) ?? []
        }
        let isComplete = waitUntil(within: 90) {
            usleep(20_000)
            return nodes.allSatisfy { received($0).count >= wanted.count }
        }
        if !isComplete {
            fail("\(load.tag): of \(wanted.count) messages \(nodes.map { "\($0) received \(received($0).count)" }.joined(separator: ", "))")
        }
        for node in nodes {
            let messages = received(node)
            for (sender, list) in expected where messages.filter({ $0.sender == sender }) != list {
                fail("\(load.tag): \(node) does not have the messages of \(sender) once each and in order")
            }
        }
        exchanged += wanted.count
    }

    /// Nodes that were told of the same memberships since the last quiet must have been told the same messages, in the same order and
    /// between the same memberships. Those that an orderly step keeps together must have been told of the same memberships.
    private func compare(_ step: RingScenario.Step, _ partsBefore: [[Int]]) {
        let alive = Array(members.keys).sorted()
        let parts = components(Set(alive))
        for (index, one) in alive.enumerated() {
            for other in alive[(index + 1)...] {
                // One that has just started cannot know what the others knew.
                guard partsBefore.joined().contains(one), partsBefore.joined().contains(other) else { continue }
                guard let first = members[one]?.log, let second = members[other]?.log else { continue }
                let (start, otherStart) = (marks[one] ?? 0, marks[other] ?? 0)
                // The membership that stood when the network was quiet belongs to what they were told.
                let (views, otherViews) = (first.views(around: start), second.views(around: otherStart))
                guard views == otherViews else {
                    let stayedTogether =
                        partsBefore.contains { $0.contains(one) && $0.contains(other) }
                        && parts.contains { $0.contains(one) && $0.contains(other) }
                    if stayedTogether, !step.mayBreakTheRing {
                        fail("\(step): \(one) was told of \(views), \(other) of \(otherViews)")
                    }
                    continue
                }
                let (entries, otherEntries) = (Array(first.entries[start...]), Array(second.entries[otherStart...]))
                guard entries != otherEntries else { continue }
                let place = zip(entries, otherEntries).prefix { $0 == $1 }.count
                fail(
                    "\(step): on \(one) and \(other), deliveries differ from \(place) of \(entries.count) and \(otherEntries.count) on: "
                        + "\(entries.dropFirst(place).prefix(3)) and \(otherEntries.dropFirst(place).prefix(3))"
                )
            }
        }
    }

    private func checkLogs() {
        for member in retired {
            note(member.complaints, of: member)
        }
    }

    private func note(_ complaints: [String], of member: any RingMember) {
        // Who was elsewhere when a message began cannot have it.
        let complaints = complaints.filter { !scenario.mayLoseBeginnings || !$0.contains("brokenFragment") }
        if !complaints.isEmpty { fail("\(member.node) complains: \(complaints.prefix(5).joined(separator: "; "))") }
    }

    /// Our own decoder must find nothing wrong in what was recorded, and every message that everyone received.
    private func checkRecording(_ recorder: ChildProcess) throws {
        let file = laboratory.folder + "/ring.pcap"
        if let line = recorder.errorLines.first(where: { $0.contains("dropped by kernel") }), !line.hasPrefix("0 ") {
            fail("the recorder lost packets: \(line)")
        }
        let wrong = try Ringbridge.run(["decode", file, "-Y", "problems", "-c", "5"])
        if !wrong.isEmpty { fail("the decoder finds faults: \(wrong)") }
        let counts = try Ringbridge.run(["decode", file, "-q", "-z", "carried", "-z", "types"])
        func sum(_ message: String, column: Int) -> Int {
            counts.split(separator: "\n").reduce(0) { sum, line in
                let words = line.split(separator: " ")
                return words.contains(Substring(message)) && words.count > column ? sum + (Int(words[column]) ?? 0) : sum
            }
        }
        // A node that was alone for a while may have put its messages on no wire.
        if sum("cpg.mcast", column: 2) < exchanged { fail("everyone received \(exchanged) messages, the recording holds\n\(counts)") }
        if sum("token", column: 2) < exchanged / 200 || sum("join", column: 2) == 0 { fail("implausible recording:\n\(counts)") }
    }

    private func fail(_ text: String) {
        var text = text
        if failures.isEmpty { for (node, member) in members.sorted(by: { $0.key < $1.key }) { text += "\n--- \(node):\n\(member.tail)" } }
        failures.append(text)
    }

    private func end() {
        for node in members.keys.sorted() { retire(node) { $0.leave() } }
    }
}

extension RingUnderTest {
    private static func address(_ node: Int, _ network: RingScenario.Network) -> String {
        network.isIPv6 ? "fd77::\(node)" : "10.77.2.\(node)"
    }

    /// The corosync.conf that every node has, ours too.
    private var configuration: String {
        let nodes = (1...scenario.kinds.count).map { node in
            """
                node {
                    nodeid: \(node)
                    name: node\(node)
                    ring0_addr: \(Self.address(node, scenario.network))
                }
            """
        }
        return """
            totem {
                version: 2
                cluster_name: interop
                transport: \(scenario.network.transport)
                ip_version: \(scenario.network.isIPv6 ? "ipv6" : "ipv4")
                token: 1000
            }
            nodelist {
            \(nodes.joined(separator: "\n"))
            }
            quorum {
                provider: corosync_votequorum
            }
            logging {
                to_stderr: yes
                to_syslog: no
                timestamp: hires
            }
            """
    }
}
