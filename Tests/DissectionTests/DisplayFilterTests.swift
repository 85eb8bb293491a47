import Dissection
import Testing

/// Display filters: what tshark 4.0.17 admits with the same filter, and what the bytes say where it knows no such field.
@Suite struct DisplayFilterTests {
    static let catalogue = FieldCatalogue()

    /// The frames of `source` that `text` admits.
    static func frames(_ text: String, of source: FrameSource) throws -> [Int] {
        var filter = try DisplayFilter(text, catalogue: catalogue)
        var admitted: [Int] = []
        source.dissect(interest: [], selection: FieldSelection(filter.references)) { if filter.admits($0) { admitted.append($0.frame) } }
        return admitted
    }

    /// Counted by `tshark -r flatiron1.4-udp-form.pcap -Y FILTER`.
    static let counts = [
        ("ip.addr == 10.77.2.0/30", 455), ("ip.src == 10.77.2.2", 172), ("udp.port == 5404", 455),
        ("udp.dstport >= 5405 and ip.dst == 224.0.0.0/4", 98), ("frame.len > 150", 86), ("frame.len in {124, 100..110}", 22),
        ("not udp", 0), ("arp", 0), ("frame.number in {1..10, 100}", 11), ("ip.src != 10.77.2.1", 260), ("ip.addr !== 10.77.2.1", 455),
        ("ip.addr === 10.77.2.1", 0), ("ip.ttl < 64", 98), ("eth.src == 02:77:02:00:00:01", 195), ("frame.time_relative < 1.5", 5),
        ("udp.length le 100 or frame.number == 3", 369), ("udp.port != 5405", 0), ("udp.port !== 5405", 455), ("tcp.port != 5405", 0),
        ("!(tcp.port == 5405)", 455), ("not udp.port == 5405 or ip.src == 10.77.2.1 and ip.dst == 10.77.2.2", 142),
        ("eth.src contains 77:02:00:00:02", 172), ("ip.src in {10.77.2.2, 10.77.2.3}", 260), ("udp.srcport == 0x151c", 455),
        ("frame.number > 440 || frame.number < 3 && ip.ttl == 1", 17), ("!(udp.port == 5405) or frame.number == 7", 1),
    ]

    @Test func countsAreThoseOfTshark() throws {
        let source = try FrameSource("corosync/flatiron1.4-udp-form.pcap")
        for (text, count) in Self.counts {
            let admitted = try Self.frames(text, of: source).count
            #expect(admitted == count, "\(text)")
        }
        let version6 = try FrameSource("cman/12b-ipv6.pcap")
        for (text, count) in [("ipv6", 109), ("ipv6.addr == fd77::/16", 109), ("ipv6.nxt == 44", 2), ("ipv6.dst == ff00::/8", 59)] {
            let admitted = try Self.frames(text, of: version6).count
            #expect(admitted == count, "\(text)")
        }
    }

    /// What the bytes of the datagrams say: cman's header has the port at 0, the flags at 8 and the command behind its 20 bytes.
    @Test func fieldsOfCman() throws {
        let source = try FrameSource("cman/02-join3-k.pcap")
        /// Numbers of the frames whose datagram behind Ethernet, IPv4 and UDP fits.
        func numbers(_ fits: (ArraySlice<UInt8>) -> Bool) -> [Int] {
            source.frames.indices.filter { index in
                let bytes = source.frames[index].bytes
                guard bytes.count > 62, bytes[12] == 8, bytes[13] == 0, bytes[23] == 17 else { return false }
                return fits(ArraySlice(Array(bytes[42...])))
            }.map { $0 + 1 }
        }
        func isCommand(_ port: UInt8, _ command: UInt8) -> (ArraySlice<UInt8>) -> Bool { { $0[0] == port && $0[20] == command } }
        let hellos = numbers(isCommand(1, 4))
        #expect(!hellos.isEmpty)
        for text in [
            "cman.hello", "message == \"hello\"", "message == hello", "cman.cmd == \"hello\"", "cman.target_port == 1 && cman.cmd == 4",
        ] {
            #expect(try Self.frames(text, of: source) == hellos, "\(text)")
        }
        #expect(try Self.frames("cman.flags & 0x10000", of: source) == numbers { $0[10] & 1 != 0 })
        #expect(try Self.frames("cman.flags & noack", of: source) == numbers { $0[10] & 1 != 0 })
        #expect(try Self.frames("cman.flags == \"NOACK\"", of: source) == numbers { $0[10] & 1 != 0 })
        #expect(try Self.frames("cman.sequence in {2, 5..7}", of: source) == numbers { [2, 5, 6, 7].contains($0[2]) && $0[3] == 0 })
        #expect(try Self.frames("cman.source_id > 1", of: source) == numbers { $0[12] > 1 })
        let joins = numbers(isCommand(1, 2))
        #expect(try Self.frames("cman.node_name == \"node2\" and cman.joinreq", of: source).allSatisfy(joins.contains))
        #expect(try Self.frames("cman.node_name contains \"ode\" and message in {joinreq}", of: source) == joins)
        #expect(try Self.frames("cman.wanted_node_id", of: source) == joins)
        #expect(try Self.frames("cman.addresses.ip == 10.77.1.3 and cman.starttrans", of: source) == [28])
    }

    @Test func carriedMessages() throws {
        let source = try FrameSource("corosync/3.1.7-udpu-cpg.pcap")
        var joins: [Int] = []
        source.dissect { dissection in
            if dissection.carries.contains(where: { $0.message.description == "cpg.procjoin" }) { joins.append(dissection.frame) }
        }
        #expect(joins.first == 19)
        for text in ["cpg.procjoin", "carries.message == \"cpg.procjoin\"", "cpg.procjoin && cpg.group_name.value contains \"a\""] {
            #expect(try Self.frames(text, of: source) == joins, "\(text)")
        }
        #expect(try Self.frames("cpg.pid == 3169 and cpg.procjoin", of: source) == [19])
        #expect(try Self.frames("totem.ring_id.seq == 13 and frame.number < 4", of: source) == [1, 2, 3])
        #expect(try Self.frames("ring == \"1.13\" and frame.number < 4", of: source) == [1, 2, 3])
    }

    /// Every way to be wrong, what is said of it, and where.
    static let mistakes: [(text: String, reason: String, marked: String)] = [
        ("cman.sequenc == 3", "there is no field cman.sequenc; did you mean cman.sequence", "cman.sequenc"),
        ("sequence == 3", "did you mean cman.sequence", "sequence"),
        ("frame.number == x", "frame.number takes a number", "x"),
        ("udp and ip.src == 10.0.0.256", "ip.src takes an address", "10.0.0.256"),
        ("ip.src == 10.0.0.0/33", "ip.src takes an address", "10.0.0.0/33"),
        ("cman.cmd == \"helo\"", "did you mean \"hello\"", "\"helo\""),
        ("message == \"tokn\"", "did you mean \"token\"", "\"tokn\""),
        ("dialect == \"cman-6\"", "did you mean \"cman-", "\"cman-6\""),
        ("cman.hello == 3", "cman.hello has no value of its own", "cman.hello"),
        ("frame.number contains \"3\"", "contains looks into text and bytes", "frame.number"),
        ("message matches \"h.*\"", "matches is not supported", "matches"),
        ("(udp", "is not closed", "("),
        ("udp udp", "is expected here", "u"),
        ("udp and", "ends too early", ""),
        ("message == \"x", "no closing quotation mark", "\"x"),
        ("message == \"\\q\"", "there is no escape", "\\q"),
        ("frame.number in 3", "in needs values in braces", "3"),
        ("cman.cmd < \"hello\"", "only == and != compare", "\"hello\""),
        ("node == 99999999999999999999", "node takes a number", "99999999999999999999"),
        ("time == 1.1234567890", "time takes seconds", "1.1234567890"),
        ("", "ends too early", ""),
    ]

    @Test func mistakesAreToldWithTheirPlace() {
        for mistake in Self.mistakes {
            do {
                _ = try DisplayFilter(mistake.text, catalogue: Self.catalogue)
                Issue.record("\(mistake.text) is taken")
            } catch {
                #expect(error.reason.contains(mistake.reason), "\(mistake.text): \(error.reason)")
                let utf8 = Array(mistake.text.utf8)
                let range = error.range.clamped(to: 0..<utf8.count)
                #expect(String(decoding: utf8[range], as: UTF8.self) == mistake.marked, "\(mistake.text)")
            }
        }
    }

    @Test func theCaretStandsBelowTheMistake() {
        let error = #expect(throws: FilterError.self) { try DisplayFilter("udp and cman.flag == 1", catalogue: Self.catalogue) }
        let lines = error?.description.split(separator: "\n").map(String.init) ?? []
        #expect(lines.count == 3)
        #expect(lines.dropFirst().first == "    udp and cman.flag == 1")
        #expect(lines.last == "            ^~~~~~~~~")
    }

    /// Filters of any length and depth are compiled or refused, quickly.
    @Test func hostileFilters() {
        for text in [
            String(repeating: "(", count: 100_000), String(repeating: "!", count: 100_000),
            String(repeating: "not ", count: 50_000) + "udp",
            Array(repeating: "udp", count: 50_000).joined(separator: " or "),
        ] {
            #expect(throws: FilterError.self) { try DisplayFilter(text, catalogue: Self.catalogue) }
        }
    }
}
