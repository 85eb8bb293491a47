import Testing
import TotemWire
import WireFormat

/// Where fields are: message, field, offset, size, as reference/totem-fields.csv has them; those of totem-2005 without the 36 bytes of
/// security that the table counts. Lists have their elements at the offset of the first.
private let layouts: [TotemGeneration: [(message: TotemMessageKind, fields: [(name: String, offset: Int, size: Int)], size: Int)]] = [
    .totem2005: [
        (
            .token,
            [
                ("type", 0, 1), ("encapsulated", 1, 1), ("endian_detector", 2, 2), ("seq", 4, 4), ("token_seq", 8, 4), ("aru", 12, 4),
                ("aru_addr", 16, 4), ("ring_id.rep", 20, 4), ("ring_id.seq", 24, 8), ("fcc", 32, 2), ("retrans_flg", 34, 4),
                ("rtr_list_entries", 38, 4), ("rtr_list.0.ring_id.rep", 42, 4), ("rtr_list.0.ring_id.seq", 46, 8),
                ("rtr_list.0.seq", 54, 4),
            ], 58
        ),
        (
            .mcast,
            [
                ("seq", 4, 4), ("this_seqno", 8, 4), ("ring_id.rep", 12, 4), ("source.addr", 24, 4), ("guarantee", 28, 4),
                ("payload", 32, 0),
            ], 32
        ),
        (.mergeDetect, [("ring_id.rep", 4, 4), ("ring_id.seq", 8, 8)], 16),
        (
            .join,
            [
                ("proc_list.0.addr", 4, 4), ("proc_list.15.addr", 64, 4), ("proc_list_entries", 68, 4), ("failed_list.0.addr", 72, 4),
                ("failed_list_entries", 136, 4), ("ring_seq", 140, 8),
            ], 148
        ),
        (
            .commitToken,
            [
                ("token_seq", 4, 4), ("ring_id.rep", 8, 4), ("retrans_flg", 20, 4), ("memb_index", 24, 4), ("addr_entries", 28, 4),
                ("addr.0.addr", 32, 4), ("memb_list.0.ring_id.rep", 96, 4), ("memb_list.0.aru", 108, 4),
                ("memb_list.0.high_delivered", 112, 4), ("memb_list.0.received_flg", 116, 4), ("memb_list.1.ring_id.rep", 120, 4),
            ], 480
        ),
        (.holdCancel, [("ring_id.rep", 4, 4), ("ring_id.seq", 8, 8)], 16),
    ],
    .openais080: old(address: 44), .corosync1: old(address: 44), .corosync2: old(address: 45),
    .corosync3: [
        (
            .token,
            [
                ("magic", 0, 2), ("version", 2, 1), ("type", 3, 1), ("encapsulated", 4, 1), ("nodeid", 5, 4), ("target_nodeid", 9, 4),
                ("seq", 13, 4), ("token_seq", 17, 4), ("aru", 21, 4), ("aru_addr", 25, 4), ("ring_id.rep", 29, 4), ("ring_id.seq", 33, 8),
                ("backlog", 41, 4), ("fcc", 45, 4), ("retrans_flg", 49, 4), ("rtr_list_entries", 53, 4), ("rtr_list.0.ring_id.rep", 57, 4),
                ("rtr_list.0.seq", 69, 4),
            ], 73
        ),
        (
            .mcast,
            [
                ("system_from.nodeid", 13, 4), ("seq", 17, 4), ("this_seqno", 21, 4), ("ring_id.rep", 25, 4), ("node_id", 37, 4),
                ("guarantee", 41, 4), ("payload", 45, 0),
            ], 45
        ),
        (.mergeDetect, [("system_from.nodeid", 13, 4), ("ring_id.rep", 17, 4), ("ring_id.seq", 21, 8)], 29),
        (
            .join,
            [
                ("system_from.nodeid", 13, 4), ("proc_list_entries", 17, 4), ("failed_list_entries", 21, 4), ("ring_seq", 25, 8),
                ("proc_list.0.nodeid", 33, 4), ("failed_list.0.nodeid", 37, 4),
            ], 41
        ),
        (
            .commitToken,
            [
                ("token_seq", 13, 4), ("ring_id.rep", 17, 4), ("retrans_flg", 29, 4), ("memb_index", 33, 4), ("addr_entries", 37, 4),
                ("addr.0.nodeid", 41, 4), ("memb_list.0.ring_id.rep", 45, 4), ("memb_list.0.aru", 57, 4),
                ("memb_list.0.high_delivered", 61, 4), ("memb_list.0.received_flg", 65, 4),
            ], 69
        ),
        (.holdCancel, [("ring_id.rep", 13, 4), ("ring_id.seq", 17, 8)], 25),
    ],
]

/// openais 0.80 to corosync 2; they differ in the size of `srp_addr`, which begins with a count in the last of them.
private func old(address size: Int) -> [(message: TotemMessageKind, fields: [(name: String, offset: Int, size: Int)], size: Int)] {
    let count = size - 44
    let from = 8 + size
    return [
        (
            .token,
            [
                ("type", 0, 1), ("encapsulated", 1, 1), ("endian_detector", 2, 2), ("nodeid", 4, 4), ("seq", 8, 4), ("token_seq", 12, 4),
                ("aru", 16, 4), ("aru_addr", 20, 4), ("ring_id.rep.nodeid", 24, 4), ("ring_id.rep.family", 28, 2),
                ("ring_id.rep.addr", 30, 4), ("ring_id.rep.pad", 34, 12), ("ring_id.seq", 46, 8), ("backlog", 54, 4), ("fcc", 58, 4),
                ("retrans_flg", 62, 4), ("rtr_list_entries", 66, 4), ("rtr_list.0.ring_id.rep.nodeid", 70, 4),
                ("rtr_list.0.ring_id.seq", 92, 8), ("rtr_list.0.seq", 100, 4),
            ], 104
        ),
        (
            .mcast,
            [
                ("system_from.addr.0.nodeid", 8 + count, 4), ("system_from.addr.1.nodeid", 30 + count, 4), ("seq", from, 4),
                ("this_seqno", from + 4, 4), ("ring_id.rep.nodeid", from + 8, 4), ("ring_id.seq", from + 30, 8), ("node_id", from + 38, 4),
                ("guarantee", from + 42, 4), ("payload", from + 46, 0),
            ], from + 46
        ),
        (
            .mergeDetect, [("system_from.addr.0.nodeid", 8 + count, 4), ("ring_id.rep.nodeid", from, 4), ("ring_id.seq", from + 22, 8)],
            from + 30
        ),
        (
            .join,
            [
                ("proc_list_entries", from, 4), ("failed_list_entries", from + 4, 4), ("ring_seq", from + 8, 8),
                ("proc_list.0.addr.0.nodeid", from + 16 + count, 4), ("failed_list.0.addr.0.nodeid", from + 16 + size + count, 4),
            ], from + 16 + 2 * size
        ),
        (
            .commitToken,
            [
                ("token_seq", 8, 4), ("ring_id.rep.nodeid", 12, 4), ("ring_id.seq", 34, 8), ("retrans_flg", 42, 4), ("memb_index", 46, 4),
                ("addr_entries", 50, 4), ("addr.0.addr.0.nodeid", 54 + count, 4), ("memb_list.0.ring_id.rep.nodeid", 54 + size, 4),
                ("memb_list.0.aru", 84 + size, 4), ("memb_list.0.high_delivered", 88 + size, 4), ("memb_list.0.received_flg", 92 + size, 4),
            ], 96 + size
        ),
        (.holdCancel, [("ring_id.rep.nodeid", 8, 4), ("ring_id.seq", 30, 8)], 38),
    ]
}

/// Field names with their places.
private struct Places: FieldSink {
    var path: [String] = []
    var found: [String: ByteRange] = [:]

    mutating func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
        found[(path + [name.description]).joined(separator: ".")] = range
    }

    mutating func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) {
        if case .element(let index) = kind { path.append(String(index)) } else { path.append(name.description) }
    }

    mutating func endGroup(at offset: Int) { path.removeLast() }
}

/// A message of every kind with one element in each list.
private func sample<Dialect: TotemDialect>(_ kind: TotemMessageKind, of dialect: Dialect.Type, address: Dialect.Address, ring: Dialect.Ring)
    -> TotemMessage<Dialect>
{
    var message = TotemMessage<Dialect>(kind)
    switch message {
    case .token(var token):
        token.ring = ring
        token.header.type = kind.rawValue
        token.retransmitList = [.init(ring: ring, sequence: 7)]
        message = .token(token)
    case .mcast(var mcast):
        mcast.header.type = kind.rawValue
        mcast.systemFrom = address
        mcast.ring = ring
        message = .mcast(mcast)
    case .mergeDetect(var detect):
        detect.header.type = kind.rawValue
        detect.systemFrom = address
        detect.ring = ring
        message = .mergeDetect(detect)
    case .join(var join):
        join.header.type = kind.rawValue
        join.systemFrom = address
        (join.processors, join.failed) = ([address], [address])
        message = .join(join)
    case .commitToken(var token):
        token.header.type = kind.rawValue
        token.ring = ring
        token.addresses = [address]
        token.entries = [.init()]
        message = .commitToken(token)
    case .holdCancel(var cancel):
        cancel.header.type = kind.rawValue
        cancel.ring = ring
        message = .holdCancel(cancel)
    }
    return message
}

private func bytes<Dialect: TotemDialect>(of message: TotemMessage<Dialect>, _ byteOrder: ByteOrder) throws -> [UInt8] {
    var message = message
    var output = [UInt8](repeating: 0, count: 1024)
    let count = try output.withUnsafeMutableBytes { buffer in
        var writer = WireWriter(buffer, byteOrder: byteOrder)
        try message.visit(&writer)
        return writer.offset
    }
    return Array(output[..<count])
}

private func check<Dialect: TotemDialect>(_ dialect: Dialect.Type, address: Dialect.Address, ring: Dialect.Ring) throws {
    let expected = try #require(layouts[dialect.generation])
    #expect(expected.map(\.message) == TotemMessageKind.allCases)
    for (kind, fields, size) in expected {
        for byteOrder in [ByteOrder.little, .big] {
            let message = sample(kind, of: dialect, address: address, ring: ring)
            let datagram = try bytes(of: message, byteOrder)
            #expect(datagram.count == size, "\(dialect.name) \(kind)")
            try datagram.withUnsafeBytes { buffer in
                let (found, order) = try TotemPacket<Dialect>.identify(buffer)
                #expect(found == kind)
                #expect(order == byteOrder)
                #expect(try TotemPacket<Dialect>(reading: buffer).bytes(of: buffer) == datagram)
                var read = TotemMessage<Dialect>(kind)
                var dissector = WireDissector(buffer, byteOrder: byteOrder, sink: Places())
                try read.visit(&dissector)
                let places = dissector.sink.found
                for (name, offset, size) in fields {
                    #expect(places[name] == ByteRange(start: offset, count: size), "\(dialect.name) \(kind) \(name)")
                }
            }
            for length in 0..<size where kind != .mcast || length < size {
                #expect(throws: WireError.self, "\(dialect.name) \(kind) cut to \(length)") {
                    try datagram[..<length].withUnsafeBytes { _ = try TotemPacket<Dialect>(reading: $0) }
                }
            }
        }
    }
}

private let address = TotemIPAddress(nodeID: 1, IPAddress(ipv4: 0x0A4D_0201))
private let ring = AddressedRingID(representative: address, sequence: 0x0102_0304_0506_0708)

@Suite struct DialectLayouts {
    @Test func fieldsAreWhereTheTableHasThem() throws {
        try check(OpenAIS2005.self, address: .init(0x0A4D_0401), ring: .init(representative: 0x0A4D_0401, sequence: 8))
        try check(OpenAIS080.self, address: .init(address), ring: ring)
        try check(Corosync1.self, address: .init(address), ring: ring)
        try check(Corosync2.self, address: .init(address), ring: ring)
        try check(Corosync3.self, address: .init(1), ring: RingID(representative: 1, sequence: 8))
    }

    @Test func addressesKeepTheirGarbage() throws {
        let recorded: [UInt8] = [1, 0, 0, 0, 2, 0, 10, 77, 4, 1, 8, 0, 2, 0, 0xC0, 0xA8, 0xFE, 0x81, 8, 0, 4, 0]
        let read = try recorded.withUnsafeBytes { try TotemIPAddress(reading: $0) }
        #expect(read.address == IPAddress("10.77.4.1"))
        #expect(try read.bytes() == recorded)
        var other = recorded
        other[21] = 1
        #expect(try other.withUnsafeBytes { try TotemIPAddress(reading: $0) } != read)

        let six = TotemIPAddress(nodeID: 3, try #require(IPAddress("fd77:2::3")))
        let bytes = try six.bytes(byteOrder: .big)
        #expect(bytes.prefix(8) == [0, 0, 0, 3, 0, 10, 0xFD, 0x77])
        #expect(try bytes.withUnsafeBytes { try TotemIPAddress(reading: $0, byteOrder: .big) } == six)
        #expect(six.address == IPAddress("fd77:2::3"))
    }

    @Test func theSlotsOf2005KeepWhatIsNotInUse() throws {
        var join = MemberJoin<OpenAIS2005>()
        join.header.type = TotemMessageKind.join.rawValue
        join.processors = [.init(1), .init(2)]
        join.unusedProcessors = (3...16).map { OpenAIS2005.Address($0) }
        join.failed = (1...16).map { OpenAIS2005.Address($0) }
        let bytes = try join.bytes()
        #expect(bytes.count == 148)
        let read = try bytes.withUnsafeBytes { try MemberJoin<OpenAIS2005>(reading: $0) }
        #expect(read.processors.map(\.nodeID) == [1, 2])
        #expect(read.unusedProcessors.map(\.nodeID) == Array(3...16))
        #expect(read.failed.count == 16)
        #expect(!read.isLeave)
        for (offset, field) in [(68, "proc_list_entries"), (136, "failed_list_entries")] {
            for wrong: UInt8 in [17, 0xFF] {
                var changed = bytes
                changed[offset] = wrong
                if wrong == 0xFF { changed[offset + 3] = 0xFF }
                let error = #expect(throws: WireError.self) {
                    try changed.withUnsafeBytes { _ = try MemberJoin<OpenAIS2005>(reading: $0) }
                }
                #expect(error?.field == field)
                #expect(error?.offset == offset)
            }
        }
    }

    @Test func corosync2RefusesProcessorsWithoutAnAddress() throws {
        func error(_ change: (inout MergeDetect<Corosync2>) -> Void) throws -> WireError? {
            var detect = MergeDetect<Corosync2>()
            detect.systemFrom = .init(address)
            detect.ring = ring
            change(&detect)
            let bytes = try detect.bytes()
            return bytes.withUnsafeBytes { buffer in
                do throws(WireError) {
                    _ = try MergeDetect<Corosync2>(reading: buffer)
                    return nil
                } catch {
                    return error
                }
            }
        }
        #expect(try error { _ in } == nil)
        #expect(try error { $0.systemFrom.count = 2 } == nil)
        #expect(try error { $0.systemFrom.count = 0 } == WireError(.invalidValue(0), field: "no_addrs", offset: 8))
        #expect(try error { $0.systemFrom.count = 3 } == WireError(.invalidValue(3), field: "no_addrs", offset: 8))
        #expect(try error { $0.systemFrom.first.family = 0 } == WireError(.invalidValue(0), field: "family", offset: 13))
        #expect(try error { ($0.systemFrom.count, $0.systemFrom.second.family) = (2, 7) }?.offset == 35)
        #expect(try error { $0.ring.representative.family = 1 } == WireError(.invalidValue(1), field: "family", offset: 57))
    }

    @Test func ringTestsHaveAHeaderOfTheirOwn() throws {
        for kind in RingTestKind.allCases {
            let bytes = try RingTest(kind, ringNumber: 1, activator: 3).bytes()
            #expect(bytes == [UInt8(bitPattern: kind.rawValue), 0, 0x22, 0xFF, 1, 0, 0, 0, 3, 0, 0, 0])
            let found = bytes.withUnsafeBytes { RingTest.identify($0) }
            #expect(found?.0 == kind)
            #expect(found?.1 == .little)
            #expect(throws: WireError(.invalidValue(UInt64(kind.rawValue)), field: "type", offset: 0)) {
                try bytes.withUnsafeBytes { _ = try TotemPacket<Corosync1>(reading: $0) }
            }
        }
    }
}
