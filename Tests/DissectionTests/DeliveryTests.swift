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
                if isEarlier, words[1] == "JOIN", let group = values["group"] { log.groupsBefore.insert(String(group)) }
                guard words[1] == "DELIVER", !isEarlier else { continue }
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
    /// What the packets say that a client must have received.
    static func expected(for client: ClientLog, in messages: [Delivered], rings: [RingID: Set<UInt32>]) -> [ClientLog.Delivery] {
        var joined = Set(client.groupsBefore.compactMap { CPGName(Array($0.utf8)) })
        var result: [ClientLog.Delivery] = []
        for message in messages {
            guard rings[message.order.ring]?.contains(client.node) == true else { continue }
            if let change = message.processChange, message.sender == client.node, change.pid == client.process {
                if message.message == "cpg.procjoin" { joined.insert(change.groupName) } else { joined.remove(change.groupName) }
            }
            guard let multicast = message.multicast, joined.contains(multicast.groupName) else { continue }
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

    @Test(arguments: Supported.corosync)
    func clientsReceivedWhatThePacketsCarry(name: String) throws {
        let truth = try CaptureSupport.text(of: name.replacingSuffix(".pcap", with: ".truth.txt"))
        let source = try FrameSource(name)
        let frames = source.decoded()
        let messages = frames.flatMap(\.carries).sorted { $0.order < $1.order }
        // Who passes a ring's token is its member; a ring of one passes none.
        var rings: [RingID: Set<UInt32>] = [:]
        for frame in frames where frame.message == "token" || frame.message == "mcast" {
            if let ring = frame.ring, let node = frame.node { rings[ring, default: []].insert(node) }
        }
        var compared = 0
        for client in ClientLog.all(in: truth, from: source.frames[0].time) {
            let expected = Self.expected(for: client, in: messages, rings: rings)
            #expect(client.deliveries == expected, "\(name) client \(client.name): \(client.deliveries.count) of \(expected.count)")
            compared += expected.count
        }
        let isWithoutMessages = ["-form", "-idle", "-stop", "-confver"].contains { name.contains($0) }
        #expect(isWithoutMessages == (compared == 0))
    }
}

extension String {
    func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? dropLast(suffix.count) + other : self
    }
}
