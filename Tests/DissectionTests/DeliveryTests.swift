import CaptureSupport
import Dissection
import Testing
import TotemWire
import WireFormat

/// What corosync's own clients wrote down while a capture was made.
struct ClientLog {
    struct Delivery: Hashable {
        var group: String
        var node: UInt32
        var process: UInt32
        var length: Int
        var hash: UInt32
    }

    /// e.g. `1.a`: node, and name of the client.
    var name: String
    var node: UInt32
    var process: UInt32
    var deliveries: [Delivery]
    /// Those of them that came while its node was alone in its ring, by number.
    var alone: Set<Int> = []
    /// When it ended, in nanoseconds since the epoch.
    var end = Int64.max
    /// The groups it is in when the capture begins.
    var groupsBefore: Set<String> = []

    /// Nanoseconds since the epoch from seconds with six decimals.
    static func time(_ text: Substring) -> Int64 {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let seconds = Int64(parts[0]), let micros = Int64(parts[1]) else { return 0 }
        return seconds * 1_000_000_000 + micros * 1000
    }

    /// All client logs of a truth file, from the time `start` on.
    static func all(in truth: String, from start: Int64) -> [ClientLog] {
        var logs: [ClientLog] = []
        for section in truth.split(separator: "\n## ").dropFirst() where section.hasPrefix("CLIENT LOG ") {
            let lines = section.split(separator: "\n")
            let name = lines[0].split(separator: " ")[2]
            var log = ClientLog(name: String(name), node: UInt32(name.split(separator: ".")[0]) ?? 0, process: 0, deliveries: [])
            var isAlone = false
            for line in lines.dropFirst() {
                let words = line.split(separator: " ")
                guard words.count > 1 else { continue }
                var values: [Substring: Substring] = [:]
                for word in words.dropFirst(2) {
                    let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    if pair.count == 2 { values[pair[0]] = pair[1] }
                }
                if words[1] == "START" { log.process = values["pid"].flatMap { UInt32($0) } ?? 0 }
                let isEarlier = time(words[0]) < start
                if words[1] == "TOTEM" { isAlone = values["members"]?.split(separator: ",").count == 1 }
                if words[1] == "FINALIZED" { log.end = time(words[0]) }
                if isEarlier, words[1] == "JOIN", let group = values["group"] { log.groupsBefore.insert(String(group)) }
                guard words[1] == "DELIVER", !isEarlier else { continue }
                if isAlone { log.alone.insert(log.deliveries.count) }
                log.deliveries.append(
                    Delivery(
                        group: values["group"].map(String.init) ?? "",
                        node: values["from"].flatMap { UInt32($0) } ?? 0,
                        process: values["pid"].flatMap { UInt32($0) } ?? 0,
                        length: values["len"].flatMap { Int($0) } ?? 0,
                        hash: values["fnv"].flatMap { UInt32($0, radix: 16) } ?? 0
                    )
                )
            }
            logs.append(log)
        }
        return logs
    }
}

/// The CPG messages in the packets against what libcpg's clients on the nodes received.
@Suite struct DeliveryTests {
    /// What the packets say that a client must have received. What came in the last moments of a client it may not have read any more.
    static func expected(
        for client: ClientLog,
        in messages: [Delivered],
        rings: [RingID: Set<UInt32>],
        times: [Int64]
    ) -> [ClientLog.Delivery] {
        var joined = Set(client.groupsBefore.compactMap { CPGName(Array($0.utf8)) })
        var result: [ClientLog.Delivery] = []
        for message in messages {
            guard rings[message.order.ring]?.contains(client.node) == true else { continue }
            if let change = message.processChange, message.sender == client.node, change.pid == client.process {
                if message.message == "cpg.procjoin" { joined.insert(change.groupName) } else { joined.remove(change.groupName) }
            }
            guard let multicast = message.multicast, joined.contains(multicast.groupName) else { continue }
            if times[message.frame - 1] > client.end - 5_000_000, result.count >= client.deliveries.count { break }
            let content = message.bytes[multicast.content.range]
            result.append(
                ClientLog.Delivery(
                    group: multicast.groupName.description,
                    node: message.sender,
                    process: multicast.pid,
                    length: content.count,
                    hash: fnv1a(content)
                )
            )
        }
        return result
    }

    /// Every recording of corosync; what redundant rings carry is one.
    static let captures = TotemCapture.all.filter { $0.name.hasPrefix("corosync/") && !$0.name.contains(".ring1") }

    @Test(arguments: captures)
    func clientsReceivedWhatThePacketsCarry(_ capture: TotemCapture) throws {
        let name = capture.name
        let truth = try CaptureSupport.text(of: name.replacingSuffix(".pcap", with: ".truth.txt"))
        var source = try capture.source()
        // The times of the clients' logs count from the first packet of the first ring.
        let start = source.frames[0].time
        let other = name.replacingSuffix(".pcap", with: ".ring1.pcap")
        if TotemCapture.all.contains(where: { $0.name == other }) { source.merge(try FrameSource(other)) }
        let frames = source.decoded()
        let messages = frames.flatMap(\.carries).sorted { $0.order < $1.order }
        let rings = Self.members(of: frames)
        var compared = 0
        for client in ClientLog.all(in: truth, from: start) {
            let expected = Self.expected(for: client, in: messages, rings: rings, times: source.frames.map(\.time))
            // A node that is alone need not send what it delivers (reference/totem-wire.md 1.1).
            let sent = client.deliveries.enumerated().filter { !client.alone.contains($0.offset) }.map(\.element)
            #expect(
                client.deliveries == expected || sent == expected,
                "\(name) client \(client.name): \(client.deliveries.count) of \(expected.count)"
            )
            compared += expected.count
        }
        let isWithoutMessages = ["-form", "-idle", "-stop", "-confver"].contains { name.contains($0) }
        #expect(isWithoutMessages == (compared == 0))
    }

    /// Who passes a ring's token is its member; a ring of one passes none.
    static func members(of frames: [DecodedFrame]) -> [RingID: Set<UInt32>] {
        var rings: [RingID: Set<UInt32>] = [:]
        for frame in frames where frame.message == "token" || frame.message == "mcast" {
            if let ring = frame.ring, let node = frame.node { rings[ring, default: []].insert(node) }
        }
        return rings
    }
}

extension String {
    func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? dropLast(suffix.count) + other : self
    }
}
