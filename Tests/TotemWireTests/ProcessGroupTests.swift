import Testing
import TotemWire
import WireFormat

/// The payload of 3.1.7-udpu-form, frame 3: one message for group `a`.
private let recorded: [UInt8] = [
    0, 0, 0, 0, 0, 0, 1, 0, 0x25, 0,
    1, 0, 1, 0, 0x61,
    0, 0, 5, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0,
]

private func reading(_ bytes: [UInt8], into header: GroupHeader) throws -> GroupHeader {
    var header = header
    try bytes.withUnsafeBytes { buffer in
        var reader = WireReader(buffer)
        try header.visit(&reader)
    }
    return header
}

@Test func readsAPackedMessageAndItsGroup() throws {
    let packet = try recorded.withUnsafeBytes { try ProcessGroupPacket(reading: $0) }
    #expect(packet.fragmented == 0)
    #expect(packet.continuation == 0)
    #expect(packet.messageLengths == [37])
    #expect(packet.data == ByteRange(start: 10, count: 37))
    #expect(packet.lengthsMatchData)
    #expect(try packet.bytes(payload: recorded[packet.data.range]) == recorded)

    let message = Array(recorded[packet.data.range])
    let header = try message.withUnsafeBytes { try GroupHeader(reading: $0) }
    #expect(header.names == [Array("a".utf8)])
    #expect(header.message == ByteRange(start: 5, count: 32))
    #expect(try header.bytes(payload: message[5...]) == message)
}

@Test func aReusedGroupHeaderForgetsWhatItHeld() throws {
    let two = try GroupHeader(names: [Array("alpha".utf8), Array("b".utf8)]).bytes(payload: [9])
    let one = try GroupHeader(group: Array("a".utf8)).bytes(payload: [7, 8])
    var header = GroupHeader()
    for (bytes, names, count) in [(two, ["alpha", "b"], 1), (one, ["a"], 2), (two, ["alpha", "b"], 1)] {
        header = try reading(bytes, into: header)
        #expect(header.names == names.map { Array($0.utf8) })
        #expect(header.message.count == count)
    }
}

@Test func shortPacketsAndInsaneGroupCountsAreErrors() {
    for length in 0..<10 {
        #expect(throws: WireError.self) { try recorded[..<length].withUnsafeBytes { _ = try ProcessGroupPacket(reading: $0) } }
    }
    let insane: [UInt8] = [65, 0] + Array(repeating: 0, count: 400)
    #expect(throws: WireError(.outOfBounds(value: 65, limit: 64), field: "group_count", offset: 0)) {
        try insane.withUnsafeBytes { _ = try GroupHeader(reading: $0) }
    }
    let cut: [UInt8] = [1, 0, 5, 0, 0x61]
    #expect(throws: WireError.self) { try cut.withUnsafeBytes { _ = try GroupHeader(reading: $0) } }
}

@Test func bytesBehindTheMessagesAreStaleUntilCorosync1AndWrongSinceCorosync2() throws {
    let longer = try (recorded + [1, 2, 3]).withUnsafeBytes { try ProcessGroupPacket(reading: $0) }
    let shorter = try recorded.dropLast().withUnsafeBytes { try ProcessGroupPacket(reading: $0) }
    for generation in TotemGeneration.allCases {
        #expect(longer.lengthsAreSound(in: generation) == (generation < .corosync2))
        #expect(!shorter.lengthsAreSound(in: generation))
    }
}
