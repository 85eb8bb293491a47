import Captures
import CmanWire
import Dissection
import Testing
import WireFormat

/// Conversations of the generations before cman-5. Nobody has recorded any: the bytes are constructed from reference/cman-wire.md 12.1,
/// and tell nothing but that the decoder agrees with that text.
@Suite struct LegacyDialectTests {
    static let first = Endpoint(IPAddress(ipv4: 0x0A00_0001), 6809)
    static let second = Endpoint(IPAddress(ipv4: 0x0A00_0002), 6809)
    static let everyone = Endpoint(IPAddress(ipv4: 0x0A00_00FF), 6809)

    static func bytes(_ text: String) -> [UInt8] {
        text.split(separator: " ").compactMap { UInt8($0, radix: 16) }
    }

    static func decoded(_ datagrams: [String], port: UInt16 = 6809) throws -> [DecodedFrame] {
        let file = TemporaryFile()
        let writer = try CaptureWriter(path: file.path)
        for (index, text) in datagrams.enumerated() {
            try Self.bytes(text).withUnsafeBytes {
                try writer.write(
                    $0,
                    from: Endpoint(first.address, port),
                    to: Endpoint(everyone.address, port),
                    time: Int64(index) * 1_000_000
                )
            }
        }
        return try FrameSource(path: file.path).decoded()
    }

    static func joinRequest(_ header: String, major: Int) -> String {
        "\(header) 02 01 01 00 02 00 00 00 02 00 00 00 0\(major) 00 00 00 00 00 00 00 01 00 00 00 03 00 00 00 10 00 00 00 "
            + "61 6c 70 68 61 00 00 00 00 00 00 00 00 00 00 00 02 00 1a 99 0a 00 00 02 00 00 00 00 00 00 00 00 6e 6f 64 65 32 00"
    }

    static let longHeader = "01 01 05 00 00 00 61 0c 00 00 01 00 00 00 00 00 00 00 00 00"
    static let hello = "01 01 07 00 00 00 61 0c 00 00 19 00 01 00 00 00 00 00 00 00 04 02 01 00 01 00 00 00"
    static let kill = "01 01 08 00 00 00 61 0c 00 00 00 00 01 00 00 00 02 00 00 00 05"
    static let joinAckNAK = "01 01 08 00 00 00 61 0c 00 00 01 00 01 00 00 00 00 00 00 00 06 02"
    static let shortStartAck = "01 01 0f 00 14 00 61 0c 00 00 20 00 02 00 00 00 01 00 00 00 0d ee ee ee 03 00 00 00"
    static let longStartAck = shortStartAck + " 03 00 00 00 04 00 00 00"
    static let nodeDown = "01 01 1e 00 00 00 61 0c 00 00 08 00 01 00 00 00 00 00 00 00 12 06 00 00 03 00 00 00"

    static let hello2 = "01 19 61 0c 07 00 00 00 01 00 00 00 00 00 00 00 04 00 01 00 01 00 00 00"
    static let ack2a = "00 01 61 0c 00 00 00 00 02 00 00 00 00 00 00 00 01 01 00 ee 0a 00 ee ee"
    static let ack2b = "00 01 61 0c 00 00 0a 00 02 00 00 00 00 00 00 00 01 01 00 ee"
    static let kill2 = "01 00 61 0c 0f 00 00 00 02 00 00 00 01 00 00 00 05"
    static let data2 = "0b 08 61 0c 35 00 00 00 02 00 00 00 00 00 00 00 68 65 6c 6c 6f"

    /// The version in a JOINREQ tells the generation of what follows; a header alone could still be any.
    @Test(arguments: [(3, Dialect.cman3), (4, .cman4), (5, .cman5)])
    func joinRequestsTell(_ major: Int, _ dialect: Dialect) throws {
        let frames = try Self.decoded([Self.hello, Self.joinRequest(Self.longHeader, major: major), Self.hello, Self.kill])
        #expect(frames.map(\.dialect) == [.cman5, dialect, dialect, dialect])
        #expect(frames.map(\.message) == ["hello", "joinreq", "hello", "kill"])
        #expect(frames[0].alternatives == [.cman3, .cman4])
        #expect(frames[2].alternatives == [])
        #expect(frames[3].alternatives == [Dialect.cman3, .cman4, .cman5].filter { $0 != dialect })
        #expect(frames[0].notes == ["taken for cman-5: header, command and length fit"])
        #expect(frames[1].notes == ["\(dialect.name) told by the version in a JOINREQ"])
        #expect(frames.flatMap(\.problems).isEmpty)
    }

    /// A node that is refused told nothing about the cluster.
    @Test func refusedJoinersTellNothing() throws {
        let frames = try Self.decoded([Self.hello, Self.joinRequest(Self.longHeader, major: 4), Self.joinAckNAK, Self.hello, Self.nodeDown])
        #expect(frames.map(\.dialect) == [.cman5, .cman4, .cman4, .cman5, .cman5])
        #expect(frames[3].alternatives == [.cman3, .cman4])
        #expect(frames[4].notes == ["cman-5 told by a NODEDOWN"])
        // What is certain no joiner changes.
        let later = try Self.decoded([Self.nodeDown, Self.joinRequest(Self.longHeader, major: 4), Self.hello])
        #expect(later.map(\.dialect) == [.cman5, .cman4, .cman5])
    }

    @Test func startAckTells() throws {
        let three = try Self.decoded([Self.hello, Self.longStartAck, Self.hello])
        #expect(three.map(\.dialect) == [.cman5, .cman3, .cman3])
        #expect(three[1].notes == ["cman-3 told by a STARTACK of 36 bytes"])
        #expect(three[1].summary == "STARTACK generation 3 highest node 4 (2→1 seq 15)")
        #expect(three[2].alternatives == [])
        let later = try Self.decoded([Self.hello, Self.shortStartAck, Self.hello])
        #expect(later.map(\.dialect) == [.cman5, .cman5, .cman5])
        #expect(later.map(\.alternatives) == [[.cman3, .cman4], [.cman4], [.cman4]])
    }

    @Test func theShortHeader() throws {
        let b = try Self.decoded([Self.hello2, Self.ack2b, Self.hello2, Self.kill2, Self.data2])
        #expect(b.map(\.dialect) == [.cman2b, .cman2b, .cman2b, .cman2b, .cman2b])
        #expect(b.map(\.message) == ["hello", "ack", "hello", "kill", "data"])
        #expect(b.map(\.alternatives) == [[.cman2a], [], [], [.cman2a], [.cman2a]])
        #expect(b.map(\.node) == [1, 2, 1, 2, 2])
        #expect(b[1].summary == "ACK of 10 port 1 (2→all)")
        let a = try Self.decoded([Self.hello2, Self.ack2a, Self.hello2, Self.kill2, Self.data2])
        #expect(a.map(\.dialect) == [.cman2b, .cman2a, .cman2a, .cman2a, .cman2a])
        #expect(a[1].notes == ["cman-2a told by an ACK of 24 bytes"])
        #expect(a[1].summary == "ACK of 10 port 1 (2→all)")
        let join = try Self.decoded([Self.joinRequest("01 01 61 0c 05 00 00 00 00 00 00 00 00 00 00 00", major: 2)])
        #expect(join[0].dialect == .cman2b && join[0].alternatives == [.cman2a])
        #expect(join[0].summary.hasPrefix("JOINREQ node2 cluster alpha "))
        #expect(join[0].notes == ["taken for cman-2b: header, command and length fit"])
    }

    /// Two clusters of different ages on one port keep apart; the two headers were made so that they ignore each other.
    @Test func clustersKeepApart() throws {
        let frames = try Self.decoded([Self.hello, Self.hello2, Self.ack2a, Self.nodeDown, Self.kill2, Self.kill])
        #expect(frames.map(\.dialect) == [.cman5, .cman2b, .cman2a, .cman5, .cman2a, .cman5])
    }

    /// The short header leaves too little to go by on ports that are not cman's, and nothing is made of a name that does not fit.
    @Test func whatIsNotCman() throws {
        #expect(try Self.decoded([Self.hello2, Self.kill2, Self.data2], port: 7000).map(\.dialect) == [nil, nil, nil])
        let foreign = Self.joinRequest(Self.longHeader, major: 5).replacing("61 6c 70 68 61", with: "61 6c 70 68 62")
        #expect(try Self.decoded([foreign]).map(\.dialect) == [nil])
        #expect(try Self.decoded([Self.hello, foreign])[1].notes.contains("cluster number 3169 is not that of the cluster's name"))
    }

    @Test func flagsOfABigEndianSender() throws {
        let frames = try Self.decoded(["01 01 07 00 00 00 61 0c 00 19 00 00 01 00 00 00 00 00 00 00 04 02 01 00 01 00 00 00"])
        #expect(frames[0].message == "hello")
        #expect(frames[0].notes.first == "flags in the byte order of a big-endian sender: NOACK,MULTICAST,ALLINT")
    }

    @Test func programsOnKnownPorts() throws {
        let clvmd = "0b 0b 35 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 "
        let groupd = "02 02 36 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 "
        let frames = try Self.decoded([
            clvmd + "32 01 00 05 00 00 00 09 00 00 00 00 00 00 00 05 00 04 18 76 67 00 00",
            groupd + "01 00 01 00 02 00 00 00 07 00 00 00 05 00 00 01 06 00 00 00 03 00 00 00 " + String(repeating: "00 ", count: 32)
                + "63 6c 76 6d 64 " + String(repeating: "00 ", count: 27),
        ])
        #expect(frames.map(\.message) == ["data", "groupd-join-req"])
        #expect(frames[0].summary == "DATA port 11 from port 11 23 bytes (2→all seq 53) clvmd LOCK_LV vg xid 5")
        #expect(frames[1].summary == "GROUPD-JOIN-REQ port 2 from port 2 88 bytes (2→all seq 54) clvmd event 7")
    }

    @Test func serviceManager() throws {
        let header = "02 02 32 00 00 00 61 0c 00 00 08 00 02 00 00 00 00 00 00 00 "
        let frames = try Self.decoded([
            header + "01 00 02 00 00 00 00 00 00 00 00 00 00 00 07 00 64 65 66 61 75 6c 74",
            header + "02 02 02 00 00 00 00 00 01 00 00 00 00 00 00 00",
            header + "03 00 02 00 01 00 00 01 00 00 00 00 01 00 04 00 00 00 00 03",
            header + "04 01 02 00 ee ee ee ee dd dd dd dd ee ee dd dd",
        ])
        #expect(
            frames.map(\.summary) == [
                "SM-JOIN-REQ fence group 0x0 event 2 default (2→all seq 50)",
                "SM-JOIN-REP fence group 0x0 event 2 NEG last id 1 (2→all seq 50)",
                "SM-JSTOP-REQ DLM group 0x1000001 event 2 members 3 (2→all seq 50)", "SM-JSTOP-REP event 2 POS (2→all seq 50)",
            ]
        )
        #expect(frames.flatMap(\.problems).isEmpty)
    }

    /// Conversations of every dialect with any byte changed, cut or exchanged give something that can be shown, and nothing grows.
    @Test(arguments: [1, 2, 3, 4])
    func hostileConversations(_ seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let all = [
            Self.hello, Self.kill, Self.joinAckNAK, Self.shortStartAck, Self.longStartAck, Self.nodeDown, Self.hello2, Self.ack2a,
            Self.ack2b,
            Self.kill2, Self.data2, Self.joinRequest(Self.longHeader, major: 4),
            Self.joinRequest("01 01 61 0c 05 00 00 00 00 00 00 00 00 00 00 00", major: 2),
            Self.longHeader.replacing("01 01 05", with: "0b 0b 05")
                + " 32 01 00 05 00 00 00 09 00 00 00 00 00 00 00 05 00 04 18 76 67 00 00",
        ].map(Self.bytes)
        let file = TemporaryFile()
        let writer = try CaptureWriter(path: file.path)
        for step in 0..<1000 {
            var bytes = all[generator.next(below: all.count)]
            for _ in 0..<generator.next(below: 4) { bytes[generator.next(below: bytes.count)] = UInt8(generator.next(below: 256)) }
            if generator.next(below: 4) == 0 { bytes.removeLast(generator.next(below: bytes.count)) }
            try bytes.withUnsafeBytes {
                try writer.write($0, from: Self.first, to: Self.everyone, time: Int64(step) * 1_000_000)
            }
        }
        try HostileInputTests.renderAll(FrameSource(path: file.path))
    }
}
