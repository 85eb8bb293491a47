import CaptureSupport
import Testing
import TotemWire
import WireFormat

/// What programs, tools and daemons of the openais captures said of themselves while they were recorded.
private struct Report {
    /// A line of a section, and the node whose program or daemon wrote it; nil for the actions.
    struct Line {
        var node: UInt32?
        var words: [Substring]
        var text: Substring
    }

    var lines: [Line] = []

    init(of capture: TotemRecording) throws {
        let text = try CaptureSupport.text(of: capture.name.dropLast(".pcap".count) + ".truth.txt")
        var node: UInt32?
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# ") || line.hasPrefix("## ") || line.hasPrefix("-- ") {
                node = line.firstRange(of: "node ").flatMap { UInt32(line[$0.upperBound...].prefix { $0.isNumber }) }
                continue
            }
            lines.append(Line(node: node, words: line.split(separator: " "), text: line))
        }
    }

    /// The words of the lines of `node`, or of all, that have `word` behind the time.
    func words(after word: String, node: UInt32? = nil) -> [(node: UInt32, words: [Substring])] {
        lines.compactMap { line in
            guard let owner = line.node, node == nil || owner == node, line.words.count > 2, line.words[1] == word else { return nil }
            return (owner, Array(line.words.dropFirst(2)))
        }
    }

    /// The actions as text, e.g. `node1: cman_tool expected -e 5`.
    var actions: [Substring] { lines.filter { $0.node == nil }.map { $0.text.dropFirst(13) } }
}

/// A message that a program received: the number by which it knows the sender, its port or process, the length, and the hash.
private struct Received: Hashable {
    var sender: UInt32
    var origin: UInt32
    var length: Int
    var hash: UInt32
}

private func hash31(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 &* 31 &+ UInt32($1) }
}

/// Whether what is in both lists has the same order in both, up to what is missing: programs start after a recording, recordings lose
/// packets, and what a node says that is alone is never on the wire.
private func areInTheSameOrder(_ one: [Received], _ other: [Received]) -> Bool {
    let (first, second) = (one.filter(Set(other).contains), other.filter(Set(one).contains))
    return isSubsequence(first, of: second) || isSubsequence(second, of: first)
}

/// Whether all of `part` are in `whole`, in the same order.
private func isSubsequence<Element: Equatable>(_ part: some Sequence<Element>, of whole: [Element]) -> Bool {
    var rest = whole[...]
    for element in part {
        guard let index = rest.firstIndex(of: element) else { return false }
        rest = rest[(index + 1)...]
    }
    return true
}

private let cmanCaptures = TotemRecording.all.filter { $0.name.hasPrefix("openais/cman") || $0.isMixed }

/// The contents of messages against what the daemons and programs reported.
@Suite struct ReportedContents {
    private static func cman(_ capture: TotemRecording) throws -> [(record: CarriedRecord, message: CmanOnTotemMessage)] {
        try capture.messages().compactMap { record in
            guard case .cman(let message)? = try record.read()?.body else { return nil }
            return (record, message)
        }
    }

    /// Every program received what the captures hold, in the order of the ring.
    @Test func programsReceivedTheData() throws {
        var compared = 0
        for capture in cmanCaptures {
            let report = try Report(of: capture)
            let messages = try Self.cman(capture)
            for node: UInt32 in 1...3 {
                let received = report.words(after: "DATA", node: node).compactMap { _, words -> Received? in
                    // from node 1 port 50 len 17 sum 336981c6
                    guard words.count > 8, let sender = UInt32(words[2]), let port = UInt32(words[4]), let length = Int(words[6]),
                        let sum = UInt32(words[8], radix: 16)
                    else { return nil }
                    return Received(sender: sender, origin: port, length: length, hash: sum)
                }
                let sent = messages.compactMap { record, message -> Received? in
                    guard case .data(let range) = message.body, [0, Int32(node)].contains(message.header.tgtid) else { return nil }
                    return Received(
                        sender: UInt32(message.header.srcid),
                        origin: UInt32(message.header.srcport),
                        length: range.count,
                        hash: hash31(record.payload[range.range])
                    )
                }
                #expect(areInTheSameOrder(received, sent), "node \(node) of \(capture)")
                compared += received.count { sent.contains($0) }
            }
        }
        #expect(compared > 350)
    }

    @Test func portsAreThoseThatProgramsBound() throws {
        var status = 0
        for capture in cmanCaptures where capture.name.contains("-ports") || capture.name.contains("-messages") {
            let messages = try Self.cman(capture)
            let opened = messages.compactMap { _, message -> [UInt32]? in
                if case .portOpened(let port) = message.body { [UInt32(message.header.srcid), UInt32(port.port)] } else { nil }
            }
            let bound = try Report(of: capture).words(after: "CMD").compactMap { node, words -> [UInt32]? in
                guard words.count > 3, words[0] == "bind", words[3] == "0" else { return nil }
                return UInt32(words[1]).map { [node, $0] }
            }
            #expect(Set(opened).isSubset(of: bound) && !opened.isEmpty, "\(capture)")
            for case .portStatus(let ports) in messages.map(\.message.body) {
                status += 1
                #expect(ports.ports == [0, 101] || ports.ports == [0, 101, 200])
            }
        }
        #expect(status == 4)
    }

    @Test func votesAreThoseOfTheTools() throws {
        for capture in cmanCaptures where capture.name.contains("-votes") {
            let changes = try Self.cman(capture).compactMap { _, message -> [UInt32]? in
                guard case .reconfigure(let change) = message.body else { return nil }
                return [UInt32(message.header.srcid), UInt32(change.param), change.value]
            }
            let commands = try Report(of: capture).actions.compactMap { action -> [UInt32]? in
                // node1: cman_tool expected -e 5
                let words = action.split(separator: " ")
                guard words.count == 5, words[1] == "cman_tool", let node = UInt32(words[0].dropFirst(4).dropLast()),
                    let value = UInt32(words[4])
                else { return nil }
                return [node, words[2] == "expected" ? 1 : 2, value]
            }
            #expect(changes == commands && commands.count == 4, "\(capture)")
        }
    }

    @Test func nodesLeaveAndAreKilledAsTheToolsSaid() throws {
        let leaves: [String: [[UInt32]]] = [
            "cman2-02a34df25-leave": [[2, 0]], "cman2-02a34df25-leave-remove": [[2, 3]], "cman3-da8bc8bc-leave": [[2, 0]],
            "cman0-06267550e-leave": [[2, 0]], "cman2-02a34df25-five-leave-remove": [[5, 0], [4, 3]],
        ]
        // Killer, killed, reason: by a tool, or because it came back with its old state.
        let kills: [String: [[UInt32]]] = [
            "cman3-da8bc8bc-kill": [[1, 3, 2]], "mixed-cman2-cman3-off": [[1, 3, 2]], "cman2-02a34df25-dirty-qdisk": [[1, 3, 3]],
        ]
        for capture in cmanCaptures {
            let name = String(capture.name.dropFirst("openais/".count).dropLast(".pcap".count))
            var left: [[UInt32]] = []
            var killed: [[UInt32]] = []
            for (_, message) in try Self.cman(capture) {
                let sender = UInt32(message.header.srcid)
                if case .leave(let leave) = message.body { left.append([sender, UInt32(leave.reason)]) }
                if case .killNode(let kill) = message.body {
                    #expect(message.header.tgtid == kill.nodeID)
                    killed.append([sender, UInt32(kill.nodeID), UInt32(kill.reason)])
                }
            }
            #expect(left == leaves[name] ?? [], "\(capture)")
            #expect(killed == kills[name] ?? [], "\(capture)")
        }
    }

    @Test func barriersAreThoseThatProgramsWaitedFor() throws {
        for capture in cmanCaptures where capture.name.contains("-barrier") {
            let waits = try Self.cman(capture).compactMap { _, message -> String? in
                guard case .barrier(let barrier) = message.body, barrier.subcmd == CmanOnTotemBarrier.Operation.wait.rawValue else {
                    return nil
                }
                let name = barrier.name.bytes.indices.map { barrier.name.bytes[$0] }.prefix { $0 != 0 }
                return "\(message.header.srcid) \(String(decoding: name, as: UTF8.self))"
            }
            let waiting = try Report(of: capture).words(after: "CMD").compactMap { node, words -> String? in
                words[0] == "bwait" ? "\(node) \(words[1])" : nil
            }
            #expect(Set(waits).isSuperset(of: waiting) && waiting.count > 1, "\(capture)")
            #expect(Set(waits.map { $0.split(separator: " ")[1] }).isSubset(of: ["bar1", "bar0"]))
        }
    }

    /// Cluster name and id, versions, votes; and each node's time of joining is when the tool was started.
    @Test func transitionsTellWhatTheClusterIs() throws {
        var joins = 0
        for capture in cmanCaptures {
            let report = try Report(of: capture)
            // 10:11:20.641 node 1: cman_tool join
            let started = report.lines.compactMap { line -> (node: Int32, second: Int)? in
                guard line.node == nil, line.text.contains("cman_tool join"), line.words.count > 2 else { return nil }
                let clock = line.words[0].split { $0 == ":" || $0 == "." }.compactMap { Int($0) }
                return Int32(line.words[2].dropLast()).map { ($0, clock[0] * 3600 + clock[1] * 60 + clock[2]) }
            }
            for (record, message) in try Self.cman(capture) {
                guard case .transition(let transition) = message.body else { continue }
                let isCman3 = transition.minorVersion == 2
                #expect(transition.clusterID == 54196)
                let name = transition.clusterName.bytes.indices.map { transition.clusterName.bytes[$0] }.prefix { $0 != 0 }
                #expect(String(decoding: name, as: UTF8.self) == "oacluster")
                #expect(transition.majorVersion == 6 && transition.patchVersion == 0)
                #expect(isCman3 == (capture.generation == .corosync1 || capture.isMixed && record.sender == 3), "frame \(record.frame)")
                #expect(transition.hasVotes == isCman3 && (!isCman3 || transition.votesOrHighNodeID == 1))
                #expect((1...5).contains(transition.expectedVotes))
                #expect(transition.fenceAgent.isEmpty)
                guard capture.name.contains("-join3"), let start = started.last(where: { $0.node == message.header.srcid }) else {
                    continue
                }
                joins += 1
                #expect((0...2).contains(Int(transition.joinTime % 86_400) - start.second), "frame \(record.frame) of \(capture)")
            }
        }
        #expect(joins > 10)
    }

    /// The first cman's requests and confirmations.
    @Test func theFirstCmanTakesNodesIn() throws {
        let capture = try #require(cmanCaptures.first { $0.name.hasSuffix("cman0-06267550e-join3.pcap") })
        var confirmed: [Int32] = []
        for (record, message) in try Self.cman(capture) {
            switch message.body {
            case .joinRequest(let request):
                #expect(String(decoding: request.name, as: UTF8.self) == "oanode\(request.nodeID)")
                #expect(record.sender == 0x0A4D_0400 + UInt32(request.nodeID))
                #expect(request.clusterID == 54196 && request.votes == 1 && request.configVersion == 1)
                #expect([request.majorVersion, request.minorVersion, request.patchVersion] == [6, 0, 1])
            case .joinConfirmation(let confirmation):
                confirmed.append(confirmation.nodeID)
                for node in confirmation.nodes {
                    let name = node.name.bytes.indices.map { node.name.bytes[$0] }.prefix { $0 != 0 }
                    #expect(String(decoding: name, as: UTF8.self) == "oanode\(node.nodeID)")
                    #expect(node.address.bytes[3] == UInt8(node.nodeID))
                    #expect(node.votes == 1 && (node.state == 2) == (node.nodeID < confirmation.nodeID))
                }
                #expect(confirmation.nodes.count == Int(confirmation.nodeID))
            default:
                Issue.record("frame \(record.frame)")
            }
        }
        #expect(confirmed == [2, 3])
    }

    /// A member's node id and address, which are the same in plain openais, and the order in which the daemons logged them.
    @Test(arguments: ["openais/wt-f5586a7-form3.pcap", "openais/cman2-02a34df25-join3.pcap"])
    func membersDescribeThemselves(_ name: String) throws {
        let capture = try #require(TotemRecording.all.first { $0.name == name })
        var addresses: [String] = []
        for record in try capture.messages() {
            guard case .clmNodeJoin(let join)? = try record.read()?.body else { continue }
            let bytes = join.address.value.bytes.indices.map { join.address.value.bytes[$0] }.prefix(Int(join.address.length))
            let address = String(decoding: bytes, as: UTF8.self)
            #expect(join.name.content.elementsEqual(bytes) && join.address.family == 1 && join.member == 1)
            #expect(join.nodeID == record.sender)
            let parts = address.split(separator: ".").compactMap { UInt32($0) }
            let whole = parts.reversed().reduce(0) { $0 << 8 | $1 }
            #expect(join.nodeID == (name.contains("cman2") ? parts[3] : whole))
            addresses.append(address)
        }
        for node: UInt32 in 1...3 {
            // ... [CLM  ] got nodejoin message 10.77.4.1
            let logged = try Report(of: capture).lines.compactMap { line in
                line.node == node && line.text.contains("got nodejoin message") ? line.words.last.map(String.init) : nil
            }
            // A node that is alone does not send what it says.
            #expect(logged.count > 2 && isSubsequence(logged.dropFirst(), of: addresses), "node \(node)")
        }
    }

    /// Programs of openais: closed process groups and extended virtual synchrony.
    @Test func openaisProgramsReceivedTheMessages() throws {
        var compared = 0
        for capture in TotemRecording.all where capture.name.contains("/wt-") {
            let report = try Report(of: capture)
            var groups: [Received] = []
            var synchrony: [Received] = []
            for record in try capture.messages() {
                switch try record.read()?.body {
                case .cpgMulticast(let message):
                    let content = record.payload[message.content.range]
                    groups.append(
                        Received(sender: record.sender, origin: message.pid, length: content.count, hash: hash31(content))
                    )
                case .evsMulticast(let message):
                    let content = record.payload[message.message.range]
                    #expect(content.count == Int(message.msgLength))
                    synchrony.append(Received(sender: record.sender, origin: 0, length: content.count, hash: hash31(content)))
                default: break
                }
            }
            for (service, sent) in [("CPG", groups), ("EVS", synchrony)] {
                for node: UInt32 in 1...3 {
                    let received = report.words(after: service, node: node).compactMap { _, words -> Received? in
                        // from node 01044d0a pid 13031 len 15 sum 956bbaf6
                        guard words.count > 8, let sender = UInt32(words[2], radix: 16), let pid = UInt32(words[4]),
                            let length = Int(words[6]), let sum = UInt32(words[8], radix: 16)
                        else { return nil }
                        return Received(sender: sender, origin: pid, length: length, hash: sum)
                    }
                    #expect(areInTheSameOrder(received, sent), "\(service) of node \(node) of \(capture)")
                    compared += received.count { sent.contains($0) }
                }
            }
        }
        #expect(compared > 500)
    }

    /// A node with an older configuration says so, as the daemons' maps show.
    @Test func configurationVersionsAreThoseOfTheMaps() throws {
        let capture = try #require(TotemRecording.all.first { $0.name == "corosync/needle2.4-udpu-confver.pcap" })
        var versions: [UInt32: Set<UInt64>] = [:]
        for record in try capture.messages() {
            guard case .cmapMulticast(let message)? = try record.read()?.body else { continue }
            versions[record.sender, default: []].insert(try #require(message.configurationVersion))
        }
        // runtime.totem.pg.mrp.srp.members.3.config_version (u64) = 2
        var reported: [UInt32: Set<UInt64>] = [:]
        for line in try CaptureSupport.text(of: "corosync/needle2.4-udpu-confver.truth.txt").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard line.contains("srp.members."), line.contains(".config_version "), let version = words.last.flatMap({ UInt64($0) }),
                let node = words[0].split(separator: ".").dropLast().last.flatMap({ UInt32($0) })
            else { continue }
            reported[node, default: []].insert(version)
        }
        #expect(versions == reported && reported.count == 3)
    }

    /// Votes and expected votes of both versions of votequorum, against what corosync-quorumtool showed.
    @Test(arguments: [
        "corosync/flatiron1.4-udpu-form.pcap", "corosync/flatiron1.4-udpu-cpg.pcap", "corosync/flatiron1.4-udp-kill.pcap",
        "corosync/needle2.4-udpu-form.pcap", "corosync/needle2.4-udp-kill.pcap", "corosync/3.1.7-udpu-form.pcap",
    ])
    func votesAreThoseOfTheQuorumTool(_ name: String) throws {
        let capture = try #require(TotemRecording.all.first { $0.name == name })
        let text = try CaptureSupport.text(of: name.dropLast(".pcap".count) + ".truth.txt")
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Expected votes:") })
        let expected = try #require(line.split(separator: " ").last.flatMap { UInt32($0) })
        var nodes: Set<UInt32> = []
        for record in try capture.messages() {
            switch try record.read()?.body {
            case .voteQuorumNodeInfo(let info) where info.nodeid != 0:
                #expect(info.nodeid == record.sender && info.votes == 1 && info.expectedVotes == expected)
                nodes.insert(record.sender)
            case .corosync1NodeInfo(let info):
                #expect(info.votes == 1 && info.expectedVotes == expected && info.majorVersion == 7)
                nodes.insert(record.sender)
            default: break
            }
        }
        #expect(nodes == [1, 2, 3] || name.contains("-cpg"))
    }
}
