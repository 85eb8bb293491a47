import CmanWire
import Testing
import WireFormat

private func read(_ bytes: [UInt8], _ generation: CmanGeneration) throws(WireError) -> CmanPacket {
    let result = bytes.withUnsafeBytes { buffer in Result { () throws(WireError) in try CmanPacket(reading: buffer, of: generation) } }
    return try result.get()
}

private func rewritten(_ packet: CmanPacket, _ bytes: [UInt8]) throws -> [UInt8] {
    try packet.bytes(payload: bytes[packet.payload.range])
}

private func evidence(_ frame: EarlierFrame) -> CmanEvidence {
    frame.frame.bytes.withUnsafeBytes { CmanEvidence(of: $0, hasShortHeader: frame.generation.hasShortHeader) }
}

/// Frames of the generations before cman-5.
@Suite struct EarlierGenerationTests {
    @Test(arguments: EarlierFrame.all) func areReadAndWrittenByteForByte(_ frame: EarlierFrame) throws {
        let packet = try read(frame.frame.bytes, frame.generation)
        #expect(packet.body.name.description == frame.frame.name)
        #expect(try rewritten(packet, frame.frame.bytes) == frame.frame.bytes)
        #expect(packet.header.cluster == 0x0C61)
        if packet.body.name.description != "data" { #expect(packet.payload.count == 0) }
    }

    @Test(arguments: EarlierFrame.all) func everyTruncationIsAnErrorWithItsPlaceOrAShorterMessage(_ frame: EarlierFrame) throws {
        for length in 0..<frame.frame.bytes.count {
            let part = Array(frame.frame.bytes[..<length])
            switch Result(catching: { () throws(WireError) in try read(part, frame.generation) }) {
            case .success(let packet):
                #expect(length >= frame.generation.headerSize)
                #expect(try rewritten(packet, part) == part)
            case .failure(let error): #expect(error.offset <= length)
            }
        }
    }

    /// No frame says anything against the generation that it was made for.
    @Test(arguments: EarlierFrame.all) func evidenceAgrees(_ frame: EarlierFrame) {
        #expect(evidence(frame).generations.contains(CmanGenerations(frame.generation)))
    }

    @Test func evidenceTells() throws {
        func told(_ generation: CmanGeneration, _ name: String) throws -> CmanGenerations {
            evidence(try #require(EarlierFrame.all.last { $0.generation == generation && $0.frame.name == name })).generations
        }
        #expect(try told(.cman2a, "ack") == CmanGenerations(.cman2a))
        #expect(try told(.cman2b, "ack") == CmanGenerations(.cman2b))
        #expect(try told(.cman2b, "startack") == CmanGenerations(.cman2b))
        #expect(try told(.cman2b, "newcluster") == CmanGenerations(.cman2b))
        #expect(try told(.cman2a, "newcluster") == .short)
        #expect(try told(.cman2b, "hello") == .short)
        #expect(try told(.cman3, "startack") == CmanGenerations(.cman3))
        #expect(try told(.cman4, "startack") == [CmanGenerations(.cman4), CmanGenerations(.cman5)])
        #expect(try told(.cman3, "hello") == .long)
        for (major, expected) in [(3, CmanGenerations(.cman3)), (4, CmanGenerations(.cman4)), (5, CmanGenerations(.cman5)), (6, .long)] {
            var bytes = try #require(ExampleFrame.all.first { $0.name == "joinreq" }).bytes
            bytes[20 + 12] = UInt8(major)
            let evidence = bytes.withUnsafeBytes { CmanEvidence(of: $0, hasShortHeader: false) }
            #expect(evidence.generations == expected)
            #expect(evidence.isClaim == (expected != .long))
        }
        let nodeDown = try #require(ExampleFrame.all.first { $0.name == "nodedown" }).bytes
        #expect(nodeDown.withUnsafeBytes { CmanEvidence(of: $0, hasShortHeader: false) }.generations == CmanGenerations(.cman5))
    }

    @Test func fieldsHaveTheirValues() throws {
        func packet(_ generation: CmanGeneration, _ name: String) throws -> CmanPacket {
            try read(try #require(EarlierFrame.all.last { $0.generation == generation && $0.frame.name == name }).frame.bytes, generation)
        }
        let hello = try packet(.cman2a, "hello")
        #expect(hello.header.flags == [.noAck, .multicast, .allInterfaces])
        #expect(hello.header.sequence == 7 && hello.header.acknowledgement == 0 && hello.header.sourceID == 1)
        guard case .ack(let oldAck) = try packet(.cman2a, "ack").body, case .startAck(let start) = try packet(.cman3, "startack").body,
            case .startAck(let laterStart) = try packet(.cman4, "startack").body
        else {
            Issue.record("other bodies")
            return
        }
        #expect(oldAck.sequence == 10)
        #expect(start.generation == 3 && start.nodeID == 3 && start.highestNodeID == 4)
        #expect(laterStart.generation == 3)
        #expect(try packet(.cman2b, "ack").header.acknowledgement == 10)
        let swapped = try packet(.cman3, "hello").header.flags
        #expect(swapped.areBigEndian && swapped.meant == [.noAck, .multicast, .allInterfaces])
    }

    @Test func nodeDownIsUnknownBeforeCman5() throws {
        let bytes = try #require(ExampleFrame.all.first { $0.name == "nodedown" }).bytes
        for generation in [CmanGeneration.cman3, .cman4] {
            let packet = try read(bytes, generation)
            #expect(packet.body.name.description == "unknown")
            #expect(try rewritten(packet, bytes) == bytes)
        }
    }

    /// Bytes that come from nowhere are read or refused in every generation; whatever is read is written back the same.
    @Test(arguments: CmanGeneration.allCases) func randomBytesNeverCrash(_ generation: CmanGeneration) throws {
        let seed: UInt64 = 20_040_624
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<4_000 {
            var bytes = (0..<Int(next() % 120)).map { _ in UInt8(truncatingIfNeeded: next()) }
            if bytes.count > 20 {
                bytes[0] = UInt8(next() % 4)
                bytes[generation.headerSize] = UInt8(next() % 20)
            }
            guard let packet = try? read(bytes, generation) else { continue }
            #expect(try rewritten(packet, bytes) == bytes, "seed \(seed)")
        }
    }
}

/// Messages of programs on known ports, constructed from their structures: group/daemon/gd_internal.h of ClusterLabs/resource-agents at
/// 557f5e9b (compiled for its offsets), daemons/clvmd/clvm.h of LVM2 at 2d9e596fe.
@Suite struct ProgramMessageTests {
    static let groupd = ExampleFrame(
        "groupd",
        "01 00 01 00 02 00 00 00 07 00 00 00 05 00 00 01 06 00 00 00 03 00 00 00 " + "69 6e 66 6f "
            + String(repeating: "00 ", count: 28) + "63 6c 76 6d 64 " + String(repeating: "00 ", count: 27)
    ).bytes
    static let lock = ExampleFrame(
        "clvmd",
        "32 01 00 05 00 00 00 09 00 00 00 00 00 00 00 05 00 04 18 76 67 00 00"
    ).bytes
    static let version = ExampleFrame(
        "clvmd",
        "02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0c 00 00 00 00 00 00 00 00 02 00 00 00 01 ee"
    ).bytes

    @Test func groupdFields() throws {
        #expect(Self.groupd.withUnsafeBytes { GroupdMessage.matches($0) })
        let message = try Self.groupd.withUnsafeBytes { try GroupdMessage(reading: $0) }
        #expect(message.kind == .joinRequest && message.level == 1 && message.targetID == 2 && message.eventID == 7)
        #expect(message.groupID == 0x0100_0005 && message.lastID == 6 && message.count == 3)
        #expect(message.info == Array("info".utf8) && message.name == Array("clvmd".utf8))
        #expect(try message.bytes() == Self.groupd)
        #expect(!Self.groupd.dropLast().withUnsafeBytes { GroupdMessage.matches($0) })
        var other = Self.groupd
        other[0] = 14
        #expect(!other.withUnsafeBytes { GroupdMessage.matches($0) })
    }

    @Test func clvmdFields() throws {
        #expect(Self.lock.withUnsafeBytes { ClvmdMessage.matches($0) })
        let lock = try Self.lock.withUnsafeBytes { try ClvmdMessage(reading: $0) }
        #expect(lock.kind == .lockLV && lock.transactionID == 5 && lock.clientID == 9 && lock.argumentLength == 5)
        #expect(lock.lockCommand == 4 && lock.lockFlags == 0x18 && lock.lockName == Array("vg".utf8))
        #expect(try lock.bytes(payload: Self.lock[lock.arguments.range]) == Self.lock)
        #expect(Self.version.withUnsafeBytes { ClvmdMessage.matches($0) })
        let version = try Self.version.withUnsafeBytes { try ClvmdMessage(reading: $0) }
        #expect(version.kind == .version && version.version[1] == 2 && version.version[2] == 1)
        #expect(try version.bytes(payload: Self.version[version.arguments.range]) == Self.version)
        #expect(!Array("hello, this is no clvmd".utf8).withUnsafeBytes { ClvmdMessage.matches($0) })
    }

    @Test(arguments: [groupd, lock, version]) func truncationsAreErrors(_ bytes: [UInt8]) {
        for length in 0..<bytes.count - 2 {
            bytes[..<length].withUnsafeBytes {
                #expect(!GroupdMessage.matches($0) && (!ClvmdMessage.matches($0)))
            }
        }
    }
}
