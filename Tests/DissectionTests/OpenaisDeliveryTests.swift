import CaptureSupport
import Dissection
import Testing
import TotemWire
import WireFormat

/// What a client of openais, or of cman on Totem, wrote down while a capture was made (captures/openais/README.md).
private struct OpenaisClient {
    struct Delivery: Hashable {
        var node: UInt32
        /// Of CPG the process, of cman the port.
        var source: UInt32
        var length: Int
        var sum: UInt32
    }

    var node = 0
    /// Messages of CPG, of EVS, and of cman.
    var processGroup: [Delivery] = []
    var extendedVirtualSynchrony: [Delivery] = []
    var cman: [Delivery] = []
    /// The process, as CPG called it when the client joined.
    var process: UInt32?
    /// The port of cman that it was bound to first.
    var port: UInt8?

    static func all(in truth: String) -> [OpenaisClient] {
        truth.split(separator: "\n# client output on node ").dropFirst().map { section in
            let lines = section.split(separator: "\n")
            var client = OpenaisClient()
            client.node = Int(lines[0].prefix { $0.isNumber }) ?? 0
            for line in lines.dropFirst() { client.take(line.split(separator: " ").dropFirst().map(String.init)) }
            return client
        }
    }

    private mutating func take(_ words: [String]) {
        func number(behind name: String, radix: Int = 10) -> UInt32 {
            words.firstIndex(of: name).flatMap { $0 + 1 < words.count ? UInt32(words[$0 + 1], radix: radix) : nil } ?? 0
        }
        func delivery(_ radix: Int, _ source: String) -> Delivery {
            Delivery(
                node: number(behind: "node", radix: radix),
                source: number(behind: source),
                length: Int(number(behind: "len")),
                sum: number(behind: "sum", radix: 16)
            )
        }
        switch words.first {
        case "CPG": processGroup.append(delivery(16, "pid"))
        case "EVS": extendedVirtualSynchrony.append(delivery(16, "pid"))
        case "DATA": cman.append(delivery(10, "port"))
        case "CPGCONF":
            // The list of those who joined begins with the client itself when it has just joined.
            guard process == nil, let joined = words.last?.split(separator: "/"), joined.count == 3, joined[2] == "r1" else { return }
            process = UInt32(joined[1])
        case "CMD" where words.count > 2 && words[1] == "bind" && port == nil: port = UInt8(words[2])
        default: break
        }
    }
}

/// The sum that the clients of these recordings made.
private func sum31(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 &* 31 &+ UInt32($1) }
}

/// The messages in the packets of openais 0.80 against what clients on the nodes received.
@Suite struct OpenaisDeliveryTests {
    private static func decode(_ name: String) throws -> (messages: [Delivered], clients: [OpenaisClient], hasGaps: Bool) {
        let frames = try TotemCapture(name: name).source().decoded()
        let truth = try CaptureSupport.text(of: name.replacingSuffix(".pcap", with: ".truth.txt"))
        let hasGaps = frames.contains { $0.notes.contains { $0.hasSuffix("have not been seen yet") } }
        return (frames.flatMap(\.carries).sorted { $0.order < $1.order }, OpenaisClient.all(in: truth), hasGaps)
    }

    /// Whether all of `part` is in `whole`, in this order.
    private static func isSubsequence<Element: Equatable>(_ part: [Element], of whole: [Element]) -> Bool {
        var rest = whole[...]
        for element in part {
            guard let index = rest.firstIndex(of: element) else { return false }
            rest = rest[(index + 1)...]
        }
        return true
    }

    /// Node ids that were made from addresses: 10.77.4.N as a little-endian word.
    private static func nodeID(_ node: Int) -> UInt32 { UInt32(node) << 24 | 0x04_4D0A }

    @Test(arguments: [
        ("openais/wt-f5586a7-cpg-small.pcap", 27), ("openais/wt-f5586a7-cpg-large.pcap", 39), ("openais/wt-f5586a7-loss10.pcap", 927),
        ("openais/wt-f5586a7-secauth-cpg.pcap", 477), ("openais/mixed-wt-corosync14.pcap", 4),
    ]) func processGroups(_ name: String, _ count: Int) throws {
        let (messages, clients, hasGaps) = try Self.decode(name)
        var compared = 0
        for client in clients where !client.processGroup.isEmpty {
            let node = Self.nodeID(client.node)
            var isMember = false
            var expected: [OpenaisClient.Delivery] = []
            for message in messages {
                if let change = message.processChange, message.sender == node, change.pid == client.process {
                    isMember = message.message == "cpg.procjoin"
                }
                guard isMember, let multicast = message.multicast else { continue }
                let content = message.bytes[multicast.content.range]
                expected.append(.init(node: message.sender, source: multicast.pid, length: content.count, sum: sum31(content)))
            }
            if hasGaps {
                #expect(Self.isSubsequence(expected, of: client.processGroup), "\(name) node \(client.node)")
            } else {
                #expect(client.processGroup == expected, "\(name) node \(client.node)")
            }
            compared += client.processGroup.count
        }
        #expect(compared == count)
    }

    /// A program's message of cman, and to whom it goes.
    private struct CmanMessage {
        var port: UInt8
        var target: Int32
        var delivery: OpenaisClient.Delivery

        init?(_ message: Delivered) {
            guard message.message == "cman.data",
                let header = message.bytes.withUnsafeBytes({ try? CmanOnTotemHeader(reading: $0) })
            else { return nil }
            port = header.tgtport
            target = header.tgtid
            let content = message.bytes[16...]
            delivery = .init(
                node: UInt32(bitPattern: header.srcid),
                source: UInt32(header.srcport),
                length: content.count,
                sum: sum31(content)
            )
        }
    }

    @Test func cmanOnTotem() throws {
        let (messages, clients, _) = try Self.decode("openais/cman2-02a34df25-messages.pcap")
        let sent = messages.compactMap { CmanMessage($0) }
        var compared = 0
        for client in clients where client.port == 100 {
            let received = sent.filter { $0.port == 100 && ($0.target == 0 || $0.target == Int32(client.node)) }
            let expected = received.map { $0.delivery }
            #expect(Self.isSubsequence(expected, of: client.cman), "node \(client.node)")
            #expect(expected.count > 100)
            compared += expected.count
        }
        #expect(compared > 300)
    }
}
