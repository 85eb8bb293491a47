import CmanWire
import Testing
import WireFormat

private func read(_ bytes: [UInt8]) throws(WireError) -> CmanPacket {
    let result = bytes.withUnsafeBytes { buffer in Result { () throws(WireError) in try CmanPacket(reading: buffer) } }
    return try result.get()
}

private func rewritten(_ packet: CmanPacket, _ bytes: [UInt8]) throws -> [UInt8] {
    try packet.bytes(payload: bytes[packet.payload.range])
}

@Test(arguments: ExampleFrame.all) func examplesAreReadAndWrittenByteForByte(_ frame: ExampleFrame) throws {
    let packet = try read(frame.bytes)
    #expect(packet.body.name.description == frame.name)
    #expect(try rewritten(packet, frame.bytes) == frame.bytes)
}

@Test(arguments: ExampleFrame.all) func everyTruncationIsAnErrorWithItsPlaceOrAShorterMessage(_ frame: ExampleFrame) throws {
    for length in 0..<frame.bytes.count {
        let part = Array(frame.bytes[..<length])
        switch Result(catching: { () throws(WireError) in try read(part) }) {
        case .success(let packet):
            // What is left may be a message of its own (a shorter payload, a list with fewer entries), but never other bytes.
            #expect(length >= CmanHeader.size)
            #expect(try rewritten(packet, part) == part)
        case .failure(let error):
            #expect(error.offset <= length)
        }
    }
}

@Test func aFixedMessageWithAByteLessNamesTheFieldThatIsCut() throws {
    let hello = try #require(ExampleFrame.all.first { $0.name == "hello" }).bytes
    let error = #expect(throws: WireError.self) { try read(Array(hello.dropLast())) }
    #expect(error == WireError(.truncated(needed: 4, available: 3), field: "generation", offset: 24))
}

@Test func trailingBytesAreKept() throws {
    let hello = try #require(ExampleFrame.all.first { $0.name == "hello" }).bytes + [1, 2, 3]
    let packet = try read(hello)
    #expect(packet.payload == ByteRange(start: 28, count: 3))
    #expect(try rewritten(packet, hello) == hello)
}

@Test(arguments: [UInt8(0), 1]) func unknownCommandsAreKept(_ port: UInt8) throws {
    var bytes = ExampleFrame.all[0].bytes
    bytes[0] = port
    bytes[20] = 0xEE
    let packet = try read(bytes)
    #expect(packet.body.name.description == "unknown")
    #expect(try rewritten(packet, bytes) == bytes)
}

@Test func whatIsNoServiceManagerMessageOnPortTwoIsData() throws {
    var bytes = try #require(ExampleFrame.all.first { $0.name == "sm-join-rep" }).bytes
    bytes.append(0)
    let packet = try read(bytes)
    #expect(packet.body.name.description == "data")
    #expect(try rewritten(packet, bytes) == bytes)
}

@Test func fieldsHaveTheirValues() throws {
    let joinreq = try #require(ExampleFrame.all.first { $0.name == "joinreq" })
    let packet = try read(joinreq.bytes)
    guard case .joinReq(let request) = packet.body else {
        Issue.record("not a JOINREQ")
        return
    }
    #expect(packet.header.sequence == 5)
    #expect(packet.header.cluster == 0x0C61)
    #expect(packet.header.flags == .noAck)
    #expect(request.expectedVotes == 2)
    #expect(request.major == 5)
    #expect(request.configVersion == 3)
    #expect(request.clusterName == Array("alpha".utf8))
    #expect(request.addresses.map(\.endpoint) == [Endpoint("10.0.0.2:6809")])
    #expect(request.nodeName == Array("node2".utf8))

    let entries = try #require(ExampleFrame.all.last { $0.name == "joinconf" })
    guard case .joinConf(let list) = try read(entries.bytes).body else {
        Issue.record("not a JOINCONF")
        return
    }
    #expect(list.entries.count == 1)
    #expect(list.entries[0].addresses.map(\.endpoint) == [Endpoint("[fd77:1::1]:6809"), Endpoint("[fd77:1::2]:6809")])
    #expect(list.entries[0].votes == 255)
    #expect(list.entries[0].state == 3)
}

@Test func aJoinRequestWithAnImpossibleAddressLengthCanBeRead() throws {
    var bytes = try #require(ExampleFrame.all.first { $0.name == "joinreq" }).bytes
    bytes[20 + 28] = 8
    bytes[20 + 2] = 2
    let packet = try read(bytes)
    guard case .joinReq(let request) = packet.body else {
        Issue.record("not a JOINREQ")
        return
    }
    #expect(request.unreadAddresses.count == 16)
    #expect(request.nodeName == Array("node2".utf8))
    #expect(try rewritten(packet, bytes) == bytes)
    bytes[20 + 28] = 28
    #expect(throws: WireError.self) { try read(bytes) }
}

/// Found by fuzzing: the number of addresses was written as 0.
@Test func aJoinRequestWithAddressesOfNoLengthIsWrittenAsItWasRead() throws {
    var bytes = try #require(ExampleFrame.all.first { $0.name == "joinreq" }).bytes
    bytes[20 + 28] = 0
    bytes[20 + 2] = 3
    #expect(try rewritten(read(bytes), bytes) == bytes)
}

@Test func addressesAreComparedWithoutTheirFamily() {
    let address = CmanSocketAddress(Endpoint(IPAddress(ipv4: 0x0A00_0001), 6809))
    var foreign = address
    foreign.family = foreign.family.byteSwapped
    #expect(foreign != address)
    #expect(foreign.matches(address))
    #expect(!CmanSocketAddress(Endpoint(IPAddress(ipv4: 0x0A00_0001), 7000)).matches(address))
    #expect(!CmanSocketAddress(Endpoint(IPAddress(ipv4: 0x0A00_0002), 6809)).matches(address))
}

/// Check values of reference/cman-wire.md 1.4 and of the captures (`lctest` 6718, `other` 3436).
@Test(
    arguments: [
        ("a", 0x0061), ("ab", 0x0124), ("test", 0x068E), ("alpha", 0x0C61), ("mycluster", 0xDDB4), ("alpha_cluster", 0xC4B4),
        ("cluster1", 0x6899), ("lctest", 6718), ("matest", 6718), ("other", 3436), ("abcdefghijklmnop", 65422),
    ] as [(String, UInt16)]
) func clusterNumbers(_ name: String, _ number: UInt16) {
    #expect(cmanClusterNumber(name.utf8) == number)
}

@Test func everyKindHasItsNameOnceAndItsShape() {
    #expect(Set(CmanMessageKind.allCases.map(\.name.description)).count == CmanMessageKind.allCases.count)
    for kind in CmanMessageKind.allCases { #expect(CmanBody(kind).kind == kind) }
}

/// Bytes that come from nowhere are read or refused; whatever is read is written back the same.
@Test func randomBytesNeverCrash() throws {
    let seed: UInt64 = 20_260_101
    var state = seed
    func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
    for _ in 0..<20_000 {
        var bytes = (0..<Int(next() % 120)).map { _ in UInt8(truncatingIfNeeded: next()) }
        if bytes.count > 20 {
            bytes[0] = UInt8(next() % 4)
            bytes[20] = UInt8(next() % 20)
        }
        guard let packet = try? read(bytes) else { continue }
        #expect(try rewritten(packet, bytes) == bytes, "seed \(seed)")
    }
}
