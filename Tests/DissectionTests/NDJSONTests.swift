import CaptureSupport
import Captures
import Dissection
import Testing
import TotemWire
import WireFormat

/// The contract of docs/decoding.md.
@Suite struct NDJSONTests {
    static let keys = [
        "frame", "time", "source", "destination", "protocols", "dialect", "alternatives", "message", "node", "ring", "length", "carries",
        "fields", "summary", "problems", "notes",
    ]
    static let messages: Set<String> = [
        "ack", "listenreq", "listenresp", "portclosed", "barrier", "joinconf", "joinreq", "leave", "hello", "kill", "joinack", "endtrans",
        "reconfig", "masterview", "joinrej", "viewack", "startack", "starttrans", "transition", "newcluster", "confack", "nominate",
        "nodedown", "data", "token", "mcast", "merge-detect", "join", "commit-token", "hold-cancel", "unknown", "icmp", "arp", "fragment",
        "other",
    ]

    /// The objects of the frames of which `isWanted` says so; all are rendered.
    static func objects(of source: FrameSource, where isWanted: (Dissection) -> Bool = { _ in true }) throws -> [JSONValue] {
        var renderer = NDJSONRenderer()
        var objects: [JSONValue] = []
        try source.dissect { dissection in
            var text = TextBuffer()
            renderer.append(dissection, to: &text)
            guard isWanted(dissection) else { return }
            #expect(text.bytes.last == 10 && !text.bytes.dropLast().contains(10))
            objects.append(try JSONValue(parsing: text.bytes.dropLast()))
        }
        return objects
    }

    @Test(arguments: Supported.all)
    func packetsKeepTheContract(name: String) throws {
        let source = try FrameSource(name)
        // One of every message and about every length.
        var seen: Set<String> = []
        let objects = try Self.objects(of: source) { seen.insert("\($0.message) \($0.carries.count) \($0.content.length / 40)").inserted }
        for object in objects {
            #expect(object.keys == Self.keys)
            let index = try #require(object["frame"]?.number.flatMap { Int($0) }) - 1
            let (seconds, rest) = source.frames[index].time.quotientAndRemainder(dividingBy: 1_000_000_000)
            #expect(object["time"]?.number == "\(seconds).\(String(String(1_000_000_000 + rest).dropFirst()))")
            let message = try #require(object["message"]?.string)
            #expect(Self.messages.contains(message), "\(message)")
            #expect(
                (object["dialect"] == .null) == ["unknown", "icmp", "arp", "fragment", "other"].contains(message) || message == "unknown"
            )
            for carried in object["carries"]?.array ?? [] { #expect(carried.keys == ["message", "sender", "fields"]) }
            let protocols = object["protocols"]?.array?.compactMap(\.string) ?? []
            #expect(protocols.first == "eth")
            let upper = Set(["cman", "totem", "totempg", "data"])
            for key in object["fields"]?.keys ?? [] {
                let prefix = key.split(separator: ".")[0]
                #expect(upper.contains(String(prefix)) && protocols.contains(String(prefix)), "\(key)")
            }
        }
    }

    @Test func aCmanPacket() throws {
        let objects = try Self.objects(of: FrameSource("cman/02-join3-k.pcap"))
        let startTrans = objects[27]
        #expect(startTrans["source"]?.string == "10.77.1.1:6809")
        #expect(startTrans["destination"]?.string == "10.77.1.255:6809")
        #expect(startTrans["protocols"] == .array(["eth", "ip", "udp", "cman"].map { .string($0) }))
        #expect(startTrans["dialect"] == .string("cman-5"))
        #expect(startTrans["alternatives"] == .array([]))
        #expect(startTrans["message"] == .string("starttrans"))
        #expect(startTrans["node"] == .number("1"))
        #expect(startTrans["ring"] == .null)
        #expect(startTrans["length"] == .number("62"))
        #expect(startTrans["fields"]?["cman.sequence"] == .number("17"))
        #expect(startTrans["fields"]?["cman.node_name"] == .string("node3"))
        #expect(startTrans["fields"]?["cman.addresses"]?.array?.first?["ip"] == .string("10.77.1.3"))
        // The header is all there is of a CONFACK, and it is the same in three generations.
        #expect(objects[11]["message"] == .string("confack"))
        #expect(objects[11]["alternatives"] == .array([.string("cman-3"), .string("cman-4")]))
    }

    @Test func ipv6Endpoints() throws {
        let objects = try Self.objects(of: FrameSource("cman/12b-ipv6.pcap"))
        let sources = Set(objects.filter { $0["dialect"] != .null }.compactMap { $0["source"]?.string })
        #expect(sources.allSatisfy { $0.hasPrefix("[") && $0.hasSuffix("]:6809") })
        let fragment = try #require(objects.first { $0["message"] == .string("fragment") })
        #expect(fragment["source"]?.string?.contains("[") == false)
        #expect(fragment["length"] == .null)
    }

    @Test func aTotemPacket() throws {
        let objects = try Self.objects(of: FrameSource("corosync/3.1.7-udpu-cpg.pcap"))
        let token = objects[0]
        #expect(token["ring"] == .string("1.13"))
        #expect(token["node"] == .number("1"))
        #expect(token["fields"]?["totem.token_seq"] == .number("312"))
        #expect(token["fields"]?["totem.ring_id.rep"] == .number("1"))
        #expect(token["fields"]?["totem.rtr_list"] == .array([]))
        let mcast = objects[18]
        #expect(mcast["protocols"] == .array(["eth", "ip", "udp", "totem", "totempg"].map { .string($0) }))
        let carried = try #require(mcast["carries"]?.array?.first)
        #expect(carried["message"] == .string("cpg.procjoin"))
        #expect(carried["sender"] == .number("1"))
        #expect(carried["fields"]?["cpg.group_name.value"] == .string("alpha"))
        #expect(carried["fields"]?["cpg.pid"] == .number("3169"))
        #expect(mcast["fields"]?["totempg.msg_lens"] == .array([.number("173")]))
        // Bytes that are shown taken apart are not shown again.
        #expect(mcast["fields"]?["totem.payload"] == nil)
    }

    /// A name with everything that JSON and terminals mind.
    @Test func textThatIsNotPlain() throws {
        var source = try FrameSource("cman/02-join3-k.pcap")
        // The node name at the end of JOINREQ, frame 9: "node2" and a NUL.
        let name = source.frames[8].bytes.count - 6
        source.frames[8].bytes.replaceSubrange(name..<name + 5, with: [0x22, 0x5C, 0x1B, 0xFF, 0x41])
        let objects = try Self.objects(of: source)
        #expect(objects[8]["fields"]?["cman.node_name"] == .string("\"\\\\\\x1b\\xffA"))
        source.frames[8].bytes.replaceSubrange(name..<name + 5, with: Array("n\u{F6}d2".utf8))
        #expect(try Self.objects(of: source)[8]["fields"]?["cman.node_name"] == .string("n\u{F6}d2"))
    }
}
