import Captures
import Dissection
import FixtureLibrary
import Foundation
import Testing
import WireFormat

/// What tshark decodes of openais 0.80 and corosync 1, field by field, against our dissection.
///
/// tshark knows the single ring protocol only: no process groups, nothing of corosync 2 and later (reference/tshark-coverage.md). Fields
/// are matched by their place in the message, so that neither program's names decide what is compared with what.
@Suite(.enabled(if: Tshark.path != nil, "tshark is not installed"))
struct WiresharkAgreementTests {
    /// Our name of each of tshark's fields.
    private static let names = [
        "message_header.type": "type", "message_header.encapsulated": "encapsulated",
        "message_header.endian_detector": "endian_detector", "message_header.nodeid": "nodeid",
        "orf_token.seq": "seq", "orf_token.aru": "aru", "orf_token.aru_addr": "aru_addr", "orf_token.backlog": "backlog",
        "orf_token.fcc": "fcc", "orf_token.retrans_flg": "retrans_flg", "orf_token.rtr_list_entries": "rtr_list_entries",
        "memb_ring_id.seq": "seq", "ip_address.nodeid": "nodeid", "ip_address.family": "family", "ip_address.addr": "addr",
        "ip_address.addr4": "addr", "ip_address.addr4_padding": "pad", "ip_address.addr6": "addr",
        "mcast.seq": "seq", "mcast.this_seqno": "this_seqno", "mcast.node_id": "node_id", "mcast.guarantee": "guarantee",
        "rtr_item.seq": "seq", "memb_join.proc_list_entries": "proc_list_entries",
        "memb_join.failed_list_entries": "failed_list_entries", "memb_join.ring_seq": "ring_seq",
        "memb_commit_token.token_seq": "token_seq", "memb_commit_token.retrans_flg": "retrans_flg",
        "memb_commit_token.memb_index": "memb_index", "memb_commit_token.addr_entries": "addr_entries",
        "memb_commit_token_memb_entry.aru": "aru", "memb_commit_token_memb_entry.high_delivered": "high_delivered",
        "memb_commit_token_memb_entry.received_flg": "received_flg",
    ]

    /// Where tshark's dissector is wrong: its field, its place in the message, and ours at that place. The first two words of a token
    /// are the highest sequence number and the rotation counter; tshark calls both `orf_token.seq` and has their meanings the other way
    /// about (reference/tshark-coverage.md).
    private static let defects: [Defect: String] = [Defect(field: "orf_token.seq", offset: 12): "token_seq"]

    struct Defect: Hashable {
        var field: String
        var offset: Int
    }

    /// A capture that tshark can read, and the text of the key that opens it.
    struct Subject: Sendable, CustomTestStringConvertible {
        var fixture: String
        var key: String?

        init(_ fixture: String, key: String? = nil) {
            self.fixture = fixture
            self.key = key
        }

        var testDescription: String { fixture }
    }

    static let subjects = [
        Subject("openais-0.80/wt-f5586a7-form3"), Subject("openais-0.80/wt-f5586a7-partition"), Subject("openais-0.80/wt-f5586a7-stop"),
        Subject("openais-0.80/cman2-02a34df25-messages"), Subject("corosync-1/flatiron1.4-udp-recovery"),
        Subject("corosync-1/flatiron1.4-udpu-form"), Subject("corosync-1/flatiron1.4-udp-autoid-form"),
        Subject("corosync-1/flatiron1.4-udp-sober-textkey-small", key: "corosync/keys/authkey14-127ascii-nul.bin"),
    ]

    /// Packets of each capture that are compared: a run of tshark stays at a second or two.
    private static let limit = 1200

    @Test(arguments: subjects)
    func agree(_ subject: Subject) throws {
        let fixture = try LibraryUnderTest.catalogue.fixture(subject.fixture)
        let capture = fixture.path(of: try #require(fixture.settings.captures.first))
        var options: [String] = []
        if let key = subject.key {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.path(of: key)))
            options = ["-o", "corosync_totemnet.private_keys:\(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))"]
        }
        let theirs = try Tshark.fields(of: capture, limit: Self.limit, options)
        var compared = 0
        try CaptureReading.forEachPacket(of: fixture) { packet in
            guard packet.frame <= Self.limit, packet.dialect != nil, !packet.message.description.hasPrefix("ring-test") else { return }
            let fields = try #require(theirs[packet.frame], "frame \(packet.frame): tshark sees no totemsrp")
            compared += Self.compare(packet, fields, subject.fixture)
        }
        #expect(compared > 5000, "\(subject.fixture): \(compared) fields")
        #expect(theirs.count > 300)
    }

    /// Compares the fields of one packet; how many there were.
    private static func compare(_ packet: Dissection, _ theirs: [Tshark.Field], _ name: String) -> Int {
        let place = "\(name), frame \(packet.frame), \(packet.message)"
        let ours = ownFields(of: packet)
        for field in theirs {
            guard let own = ours[field.offset] else {
                Issue.record("\(place): tshark has \(field.name) at byte \(field.offset), we have nothing there")
                continue
            }
            let expected = defects[Defect(field: field.name, offset: field.offset)] ?? names[field.name]
            #expect(own.name == expected, "\(place), byte \(field.offset): tshark's \(field.name) is our \(own.name)")
            #expect(own.bytes == field.bytes, "\(place), byte \(field.offset), \(field.name)")
            if let number = own.number, let shown = field.number { #expect(number == shown, "\(place), \(field.name)") }
        }
        let places = Set(theirs.map(\.offset))
        for (offset, own) in ours where !places.contains(offset) {
            Issue.record("\(place): we have \(own.name) at byte \(offset), tshark has nothing there")
        }
        return theirs.count
    }

    private struct OwnField {
        var name: String
        var bytes: [UInt8]
        var number: UInt64?
    }

    /// The fields of the single ring protocol by their places in the message, a recovered message's too, without what messages carry.
    private static func ownFields(of packet: Dissection) -> [Int: OwnField] {
        var fields: [Int: OwnField] = [:]
        var isTotem = false
        for index in 0..<packet.ownNodes {
            let node = packet.tree.nodes[index]
            switch node.kind {
            case .protocol: isTotem = node.name.description == "totem"
            case .begin, .end: break
            case .field(let value):
                guard isTotem, !node.isTakenApart, node.range.count > 0 else { continue }
                let bytes = packet.tree.withBytes(ofNode: index) { Array($0[node.range.range]) }
                var own = OwnField(name: node.name.description, bytes: bytes)
                switch value {
                case .unsigned(let number): own.number = number
                case .signed(let number): own.number = UInt64(bitPattern: number)
                case .bytes: break
                }
                fields[node.range.start] = own
            }
        }
        return fields
    }
}

/// Runs tshark.
enum Tshark {
    /// A field of totemsrp.
    struct Field {
        /// Without `corosync_totemsrp.`.
        var name: String
        /// From the first byte of the message.
        var offset: Int
        var bytes: [UInt8]
        /// What it shows, where that is a number.
        var number: UInt64?
    }

    /// Where it is installed; nil when it is not.
    static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/tshark" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// The fields of totemsrp of the first `limit` packets of a capture, by frame.
    static func fields(of capture: String, limit: Int, _ options: [String]) throws -> [Int: [Field]] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path ?? "/usr/bin/tshark")
        process.arguments = ["-n", "-r", capture, "-c", String(limit), "-T", "pdml", "-J", "frame corosync_totemsrp"] + options
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        var result: [Int: [Field]] = [:]
        var frame = 0
        var base: Int?
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let name = attribute("name", in: line) else { continue }
            if name == "frame.number" {
                frame = attribute("show", in: line).flatMap { Int($0) } ?? 0
                base = nil
            }
            guard name.hasPrefix("corosync_totemsrp."), let position = attribute("pos", in: line).flatMap({ Int($0) }),
                let value = attribute("value", in: line)
            else { continue }
            let start = base ?? position
            base = start
            let show = attribute("show", in: line) ?? ""
            // Structures have no value of their own to show.
            guard !show.isEmpty else { continue }
            let field = Field(
                name: String(name.dropFirst("corosync_totemsrp.".count)),
                offset: position - start,
                bytes: bytes(value),
                number: show.hasPrefix("0x")
                    ? UInt64(show.dropFirst(2), radix: 16) : UInt64(show) ?? Int64(show).map { UInt64(bitPattern: $0) }
            )
            result[frame, default: []].append(field)
        }
        return result
    }

    private static func attribute(_ name: StaticString, in line: Data.SubSequence) -> String? {
        let marker = Array(" \(name)=\"".utf8)
        guard let range = line.firstRange(of: marker) else { return nil }
        return String(decoding: line[range.upperBound...].prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Substring(digits)
        while rest.count >= 2 {
            result.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return result
    }
}
