import Captures
import CmanWire
import Dissection
import Testing
import WireFormat

/// The kernel DLM's records in TCP segments. Everything here is constructed; nobody has recorded any.
@Suite struct DLMStreamTests {
    /// A lock-request of mode EX for the resource `vg00` by lock `lock`.
    static func request(_ lock: UInt8) -> [UInt8] {
        [1, 0, 1, 0, 2, 0, 94, 0, lock, 0, 0, 0, 2, 0, 0, 1] + [UInt8](repeating: 0, count: 40) + [5, 3] + [UInt8](repeating: 0, count: 32)
            + Array("vg00".utf8)
    }

    /// A lock-reply to lock `lock`.
    static func reply(_ lock: UInt8) -> [UInt8] {
        [1, 0, 1, 0, 5, 0, 72, 0, lock, 0, 0, 0, 2, 0, 0, 1] + [UInt8](repeating: 0, count: 56)
    }

    static func frame(_ payload: [UInt8], _ sequence: UInt32, flags: UInt8 = 0x10, port: UInt16 = 21064, reversed: Bool = false) -> [UInt8]
    {
        func big(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        let server: [UInt8] = [UInt8(port >> 8), UInt8(port & 255)]
        let ports = reversed ? server + [0x90, 0] : [0x90, 0] + server
        let tcp = ports + big(sequence) + [0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0] + payload
        let length = tcp.count + 20
        let addresses: [UInt8] = reversed ? [10, 0, 0, 2, 10, 0, 0, 1] : [10, 0, 0, 1, 10, 0, 0, 2]
        return [0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, 1, 0, 0, 64, 6, 0, 0] + addresses + tcp
    }

    struct Seen: Equatable {
        var message: String
        var carried: [String] = []
        var notes: [String] = []
        var problems: [String] = []
    }

    static func source(_ frames: [[UInt8]], interval: Int64 = 1_000_000) -> FrameSource {
        var source = FrameSource(linkType: .rawIP)
        source.frames = frames.enumerated().map { index, bytes in
            FrameSource.Frame(time: Int64(index) * interval, originalLength: bytes.count, bytes: bytes)
        }
        return source
    }

    static func seen(_ frames: [[UInt8]], interval: Int64 = 1_000_000) -> [Seen] {
        var result: [Seen] = []
        source(frames, interval: interval).dissect {
            #expect($0.dialect == nil)
            result.append(
                Seen(
                    message: $0.message.description,
                    carried: $0.carries.map(\.message.description),
                    notes: $0.notes.strings,
                    problems: $0.problems.strings
                )
            )
        }
        return result
    }

    @Test func aConnection() throws {
        let stream = Self.request(1) + Self.request(2) + Self.request(3)
        let frames = [
            Self.frame([], 99, flags: 2), Self.frame([], 499, flags: 0x12, reversed: true), Self.frame(Array(stream[..<150]), 100),
            Self.frame(Self.reply(1), 500, reversed: true), Self.frame(Array(stream[150...]), 250), Self.frame([], 382),
        ]
        let seen = Self.seen(frames)
        #expect(
            seen == [
                Seen(message: "other"), Seen(message: "other"), Seen(message: "dlm.lock-request", carried: ["dlm.lock-request"]),
                Seen(message: "dlm.lock-reply", carried: ["dlm.lock-reply"]),
                Seen(message: "dlm.lock-request", carried: ["dlm.lock-request", "dlm.lock-request"]), Seen(message: "dlm.segment"),
            ]
        )
        let decoded = Self.source(frames).decoded()
        #expect(decoded[3].summary == "dlm.lock-reply lockspace 0x1000002 lkid 0x1 status 0 node 0")
        #expect(
            decoded[4].summary
                == "dlm.lock-request lockspace 0x1000002 lkid 0x2 mode EX vg00, dlm.lock-request lockspace 0x1000002 lkid 0x3 mode EX vg00"
        )
        let object = try NDJSONTests.objects(of: Self.source(frames))[4]
        #expect(object["protocols"]?.array?.compactMap(\.string) == ["raw", "ip", "tcp", "dlm"])
        #expect(object["source"]?.string == "10.0.0.1:36864" && object["length"]?.number == "132")
        let fields = object["carries"]?.array?.last?["fields"]
        #expect(fields?["dlm.rqmode"]?.number == "5" && fields?["dlm.name"]?.string == "vg00" && fields?["dlm.lkid"]?.number == "3")
    }

    @Test func segmentsThatOvertakeEachOther() {
        let stream = Self.request(1) + Self.request(2)
        let seen = Self.seen([
            Self.frame([], 99, flags: 2), Self.frame(Array(stream[..<94]), 100), Self.frame(Array(stream[140...]), 240),
            Self.frame(Array(stream[94..<140]), 194), Self.frame(Array(stream[94..<140]), 194),
        ])
        #expect(seen[2] == Seen(message: "dlm.segment", notes: ["46 bytes before it are missing so far"]))
        #expect(seen[3] == Seen(message: "dlm.lock-request", carried: ["dlm.lock-request"]))
        #expect(seen[4] == Seen(message: "dlm.segment", notes: ["repeats bytes of the stream"]))
    }

    /// A recording that starts anywhere finds the next record; on an unusual port only a record's beginning shows that it is the DLM.
    @Test(arguments: [UInt16(21064), 5000]) func startsInTheMiddle(_ port: UInt16) {
        let stream = Self.request(1) + Self.request(2) + Self.request(3)
        for start in [1, 15, 16, 50, 93] {
            let seen = Self.seen([
                Self.frame(Array(stream[start..<200]), 100, port: port), Self.frame(Array(stream[200...]), 300 - UInt32(start), port: port),
            ])
            guard port == 21064 else {
                #expect(seen.map(\.message) == ["other", "other"])
                continue
            }
            #expect(
                seen == [
                    Seen(
                        message: "dlm.lock-request",
                        carried: ["dlm.lock-request"],
                        notes: ["\(94 - start) bytes before the first record passed over", "the stream begins inside the connection"]
                    ), Seen(message: "dlm.lock-request", carried: ["dlm.lock-request"]),
                ],
                "from \(start)"
            )
        }
        let seen = Self.seen([Self.frame(Self.request(1), 100, port: port), Self.frame(Self.reply(1), 500, port: port, reversed: true)])
        #expect(seen.map(\.message) == ["dlm.lock-request", "dlm.lock-reply"])
    }

    /// What the recording lacks is told, the half record is given up, and decoding goes on with the next one.
    @Test func gaps() {
        let stream = (1...5).flatMap { Self.request($0) }
        let seen = Self.seen(
            [
                Self.frame([], 99, flags: 2), Self.frame(Array(stream[..<150]), 100), Self.frame(Array(stream[200..<300]), 300),
                Self.frame(Array(stream[300...]), 400),
            ],
            interval: 31_000_000_000
        )
        #expect(seen[2] == Seen(message: "dlm.segment", notes: ["50 bytes before it are missing so far"]))
        #expect(seen[3].carried == ["dlm.lock-request", "dlm.lock-request"])
        #expect(
            seen[3].notes == [
                "50 bytes of the stream are not recorded, 56 of an unfinished record given up",
                "82 bytes before the first record passed over",
            ]
        )
    }

    @Test func whatIsNoDLM() {
        let web = Array("GET / HTTP/1.1\r\nHost: example\r\n\r\n".utf8)
        #expect(
            Self.seen([Self.frame([], 99, flags: 2), Self.frame(web, 100), Self.frame(web, 134)]).map(\.message) == [
                "other", "other", "other",
            ]
        )
        let noise = [UInt8](repeating: 0x41, count: 1400)
        let many = (0..<100).map { Self.frame(noise, UInt32(100 + 1400 * $0)) }
        #expect(Self.seen(many).allSatisfy { $0 == Seen(message: "other") })
        // A record that is not what its length says, and what follows it.
        var wrong = Self.request(1) + Self.reply(2) + Self.reply(3)
        wrong[94 + 6] = 70
        let seen = Self.seen([Self.frame([], 99, flags: 2), Self.frame(wrong, 100)])
        #expect(seen[1].carried == ["dlm.lock-request", "dlm.lock-reply", "dlm.lock-reply"])
        #expect(
            seen[1].problems == ["truncated: lvb at byte 40 needs 32 bytes, 30 are left", "no record begins where the one before ends"]
        )
    }

    /// Any change of any byte of a conversation, and any loss or exchange of its segments, gives something that can be shown.
    @Test func hostileStreams() throws {
        var generator = SplitMix(state: 0x21064)
        let stream = (1...20).flatMap { Self.request($0) + Self.reply($0) }
        var frames = stride(from: 0, to: stream.count, by: 61).map { start in
            Self.frame(Array(stream[start..<min(start + 61, stream.count)]), UInt32(100 + start))
        }
        frames.insert(Self.frame([], 99, flags: 2), at: 0)
        for _ in 0..<50 {
            var changed = frames
            for _ in 0..<6 {
                let index = generator.next(below: changed.count)
                switch generator.next(below: 4) {
                case 0: changed.remove(at: index)
                case 1: changed.swapAt(index, generator.next(below: changed.count))
                case 2: changed.insert(changed[index], at: generator.next(below: changed.count))
                default: changed[index][20 + generator.next(below: changed[index].count - 20)] = UInt8(generator.next(below: 256))
                }
            }
            try HostileInputTests.renderAll(Self.source(changed, interval: 2_000_000_000))
        }
    }

    /// Names of messages and fields are those of the list.
    @Test func theListHasAll() {
        let catalogue = FieldCatalogue()
        let records: [UInt8] = Self.request(1) + Self.reply(1)
        let second: [UInt8] = [1, 0, 2, 0, 2, 0, 0, 1, 3, 0, 0, 0, 104, 0, 1, 0, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 84)
        var gaps: [String] = []
        Self.source([Self.frame(records, 100), Self.frame([], 266), Self.frame(second, 7, port: 5000)]).dissect {
            #expect($0.message.description.hasPrefix("dlm."))
            gaps += catalogue.gaps(in: $0)
        }
        #expect(gaps == [])
    }
}
