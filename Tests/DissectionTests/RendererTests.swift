import Captures
import Dissection
import Foundation
import FoundationXML
import Testing

/// What leaves the decoder: every format against another view of the same packets.
@Suite struct RendererTests {
    static let captures = [
        "cman/02-join3-k.pcap", "cman/12b-ipv6.pcap", "cman/07-userdata.pcap", "corosync/3.1.7-udpu-cpg.pcap",
        "corosync/3.1.7-udp-recovery.pcap", "corosync/3.1.7-udpu6-kill.pcap",
    ]

    /// All packets of `source` as `renderer` writes them.
    static func text(_ renderer: any PacketRenderer, _ source: FrameSource) -> String {
        var renderer = renderer
        var text = TextBuffer()
        renderer.begin(to: &text)
        source.dissect(
            keepingFrames: renderer.needsFrames,
            interest: renderer.interest,
            selection: FieldSelection(renderer.references)
        ) { renderer.append($0, to: &text) }
        renderer.end(to: &text)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    private static func references(_ names: [String]) throws -> [FieldReference] {
        try names.map { try #require(DisplayFilterTests.catalogue.reference($0), "\($0)") }
    }

    @Test func jsonIsAnArrayOfTheNDJSONObjects() throws {
        var source = try FrameSource("corosync/3.1.7-udpu-cpg.pcap")
        source.frames.removeLast(source.frames.count - 150)
        let lines = Self.text(NDJSONRenderer(), source).split(separator: "\n").map { Array($0.utf8) }
        let array = try JSONValue(parsing: Self.text(JSONRenderer(), source).utf8.filter { $0 != 10 }).array
        #expect(try array == lines.map { try JSONValue(parsing: $0) })
        source.frames.removeAll()
        #expect(try JSONValue(parsing: Self.text(JSONRenderer(), source).utf8.filter { $0 != 10 }) == .array([]))
    }

    /// The output of `tshark -T fields` for the same packets: the digest of all its lines.
    @Test func fieldsAreTsharks() throws {
        let names = ["frame.number", "ip.addr", "udp.port", "eth.src", "eth.type", "frame.len", "ip.ttl", "frame.time_epoch"]
        let source = try FrameSource("corosync/flatiron1.4-udp-form.pcap")
        let text = Self.text(FieldsRenderer(try Self.references(names)), source)
        #expect(text.hasPrefix("1\t10.77.2.1,239.192.77.2\t5404,5405\t02:77:02:00:00:01\t0x0800\t154\t1\t1795344149.018424000\n"))
        #expect(fnv1a(text.utf8) == 0x04DE_6D0B)
    }

    @Test func fieldOptions() throws {
        var source = try FrameSource("cman/02-join3-k.pcap")
        source.frames = [source.frames[27]]
        let references = try Self.references(["ip.addr", "cman.node_name", "cpg.pid"])
        var options = FieldsRenderer.Options()
        options.hasHeader = true
        options.separator = UInt8(ascii: ";")
        options.aggregator = UInt8(ascii: " ")
        options.quote = UInt8(ascii: "\"")
        #expect(
            Self.text(FieldsRenderer(references, options: options), source)
                == "ip.addr;cman.node_name;cpg.pid\n\"10.77.1.1 10.77.1.255\";\"node3\";\n"
        )
        options.hasHeader = false
        options.quote = nil
        options.occurrence = .first
        #expect(Self.text(FieldsRenderer(references, options: options), source) == "10.77.1.1;node3;\n")
        options.occurrence = .last
        options.hasByteOrderMark = true
        #expect(Self.text(FieldsRenderer(references, options: options), source) == "\u{FEFF}10.77.1.255;node3;\n")
    }

    /// RFC 4180: names with everything that a line cannot hold come back as they were.
    @Test func csvKeepsWhatItQuotes() throws {
        var source = try FrameSource("cman/02-join3-k.pcap")
        let name = source.frames[8].bytes.count - 6
        source.frames[8].bytes.replaceSubrange(name..<name + 5, with: Array("\"a,b\"".utf8))
        source.frames = [source.frames[8]]
        let text = Self.text(FieldsRenderer(try Self.references(["ip.addr", "cman.node_name", "frame.number"]), options: .csv), source)
        #expect(text == "ip.addr,cman.node_name,frame.number\r\n\"10.77.1.2,10.77.1.1\",\"\"\"a,b\"\"\",1\r\n")
    }

    /// The dump of every packet has the bytes of its frame.
    @Test(arguments: captures)
    func bytesComeBack(name: String) throws {
        var source = try FrameSource(name)
        source.frames.removeLast(max(0, source.frames.count - 300))
        var renderer = HexRenderer(after: TextRenderer())
        try source.dissect(keepingFrames: true) { dissection in
            var text = TextBuffer()
            renderer.append(dissection, to: &text)
            let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").dropFirst()
            // Blocks follow the frame's own only under headings.
            var blocks: [[UInt8]] = [[]]
            var titles: [String] = []
            for line in lines {
                if line.hasSuffix("bytes):") {
                    titles.append(String(line))
                    if !blocks[blocks.count - 1].isEmpty { blocks.append([]) }
                } else {
                    let offset = try #require(Int(line.prefix(4), radix: 16))
                    #expect(offset == blocks[blocks.count - 1].count)
                    blocks[blocks.count - 1] += line.dropFirst(6).prefix(48).split(separator: " ").compactMap { UInt8($0, radix: 16) }
                }
            }
            #expect(blocks[0] == source.frames[dissection.frame - 1].bytes)
            #expect(blocks.count == max(1, titles.count))
            if dissection.content.fragments > 1 { #expect(blocks.count > 1 && blocks[1].count == dissection.content.length) }
        }
    }

    /// Fields of a message that came in pieces have places in the whole message, and the tree says how long that is.
    @Test func theTreeNamesWhatWasPutTogether() throws {
        var lengths: Set<Int> = []
        let source = try FrameSource("corosync/3.1.7-udpu-large.pcap")
        source.dissect { dissection in
            for carried in dissection.carries where carried.message.description == "cpg.mcast" {
                lengths.insert(dissection.tree.withBytes(ofNode: carried.nodes.lowerBound) { $0.count })
            }
        }
        let longest = try #require(lengths.max())
        #expect(longest > 1500)
        #expect(Self.text(TreeRenderer(), source).contains("totempg  (reassembled, \(longest) bytes)\n"))
    }

    /// PDML is well-formed, and the bytes that it gives for a field are those at the field's place.
    @Test(arguments: captures)
    func pdmlSaysWhereFieldsAre(name: String) throws {
        var source = try FrameSource(name)
        source.frames.removeLast(max(0, source.frames.count - 200))
        let text = Self.text(PDMLRenderer(captureFile: "a<b>&\"c\".pcap"), source)
        let reader = PDMLReader(frames: source.frames.map(\.bytes))
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(parser.parserError.map(String.init(describing:)) ?? "")")
        #expect(reader.packets == source.frames.count)
        #expect(reader.captureFile == "a<b>&\"c\".pcap")
        #expect(reader.complaints.prefix(5) == [])
        #expect(reader.compared > 20 * source.frames.count)
    }

    /// A name that XML minds is still what it was, and what no XML can hold does no harm.
    @Test func pdmlOfHostileText() throws {
        var source = try FrameSource("cman/02-join3-k.pcap")
        let place = source.frames[8].bytes.count - 6
        for name in [Array("<&>\"'".utf8), [0xEF, 0xBF, 0xBF, 0x41, 0x42], [0xFF, 0x01, 0x02, 0x1B, 0x80]] as [[UInt8]] {
            source.frames[8].bytes.replaceSubrange(place..<place + 5, with: name)
            let reader = PDMLReader(frames: source.frames.map(\.bytes))
            let parser = XMLParser(data: Data(Self.text(PDMLRenderer(captureFile: "x"), source).utf8))
            parser.delegate = reader
            #expect(parser.parse())
            #expect(reader.complaints == [])
        }
    }

    /// Two lines a packet, layers with unique keys, and the same values as ndjson where both have them.
    @Test(arguments: captures)
    func elasticDocuments(name: String) throws {
        var source = try FrameSource(name)
        source.frames.removeLast(max(0, source.frames.count - 200))
        let lines = Self.text(ElasticRenderer(), source).split(separator: "\n")
        let objects = try Self.text(NDJSONRenderer(), source).split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
        #expect(lines.count == 2 * source.frames.count)
        for (index, object) in objects.enumerated() {
            let action = try JSONValue(parsing: Array(lines[2 * index].utf8))
            let document = try JSONValue(parsing: Array(lines[2 * index + 1].utf8))
            let time = source.frames[index].time
            #expect(document["timestamp"] == .string("\(time / 1_000_000)"))
            let day = Date(timeIntervalSince1970: Double(time / 1_000_000_000)).formatted(.iso8601.year().month().day())
            #expect(action["index"]?["_index"] == .string("packets-\(day)"))
            let layers = try #require(document["layers"])
            #expect(layers["frame"]?["frame_frame_number"] == object["frame"])
            #expect(layers["ringbridge"]?["ringbridge_message"] == object["message"])
            for key in object["fields"]?.keys ?? [] {
                guard let value = object["fields"]?[key], value.array == nil else { continue }
                let layer = String(key.split(separator: ".")[0])
                let name = "\(layer)_\(key.replacingOccurrences(of: ".", with: "_"))"
                // A layer that carried messages have too holds the values of all of them.
                let found = layers[layer]?[name]
                #expect(found == value || found?.array?.first == value, "\(name)")
            }
        }
    }
}

/// Reads PDML and compares every field's bytes with the frame, where the frame has them.
private final class PDMLReader: NSObject, XMLParserDelegate {
    private let frames: [[UInt8]]
    private(set) var packets = 0
    private(set) var compared = 0
    private(set) var captureFile: String?
    private(set) var complaints: [String] = []
    private var path: [String] = []
    private var isWhole = true

    init(frames: [[UInt8]]) {
        self.frames = frames
    }

    func parser(
        _ parser: XMLParser,
        didStartElement element: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        let parent = path.last
        path.append(element)
        switch element {
        case "pdml":
            captureFile = attributes["capture_file"]
            expect(attributes["version"] == "0", "pdml version")
        case "packet":
            packets += 1
            expect(parent == "pdml", "packet in \(parent ?? "nothing")")
            isWhole = true
        case "proto":
            expect(parent == "packet", "proto in \(parent ?? "nothing")")
            expect(attributes["name"] != nil && attributes["showname"] != nil, "proto without name")
            // The layers above a reassembled datagram count in it.
            let order = ["geninfo", "frame", "eth", "vlan", "sll", "ip", "ipv6", "udp", "tcp"]
            if !order.contains(attributes["name"] ?? "") { isWhole = attributes["name"] == "cman" || attributes["name"] == "totem" }
        case "field":
            expect(parent == "proto" || parent == "field", "field in \(parent ?? "nothing")")
            compare(attributes)
        default: complaints.append("element \(element)")
        }
    }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        expect(path.popLast() == element, "end of \(element)")
    }

    private func compare(_ attributes: [String: String]) {
        guard let position = attributes["pos"].flatMap({ Int($0) }), let size = attributes["size"].flatMap({ Int($0) }) else {
            return complaints.append("\(attributes) has no place")
        }
        guard path.count >= 4, let value = attributes["value"], !value.isEmpty, let name = attributes["name"], name.contains("."), isWhole
        else {
            return
        }
        let frame = frames[packets - 1]
        // What lies behind the end of the frame belongs to a datagram that was put together.
        guard position + size <= frame.count else { return }
        let bytes = frame[position..<position + size].map { String(format: "%02x", $0) }.joined()
        if bytes == value {
            compared += 1
        } else if !isReassembled(frame) {
            complaints.append("\(name) at \(position): \(value), not \(bytes)")
        }
    }

    /// Whether the frame is a fragment of IPv6 or IPv4.
    private func isReassembled(_ frame: [UInt8]) -> Bool {
        frame[12] == 0x86 ? frame[20] == 44 : frame[20] & 0x3F != 0 || frame[21] != 0
    }

    private func expect(_ condition: Bool, _ complaint: String) {
        if !condition { complaints.append(complaint) }
    }
}
