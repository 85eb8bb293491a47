import Testing
import TotemWire
import WireFormat

/// One packet of each kind as real corosync 3.1.7 daemons sent it; capture and frame are named.
private let recorded: [(kind: TotemMessageKind, hex: String)] = [
    // 3.1.7-udpu-loss, frame 138
    (
        .token,
        "70c0030000030000000000000130000000e60000001900000003000000010000000d0000000000000007000000070000000000000001000000010000000d000000000000001a000000"
    ),
    // 3.1.7-udpu-form, frame 3
    (
        .mcast,
        "70c0030102010000000000000001000000010000000000000001000000050000000000000000000000000000000000000000000100250001000100610000050000000000200000000000000001000000010000000300000008000000"
    ),
    // 3.1.7-udpu-loss, frame 1
    (.mergeDetect, "70c00302000100000028a3ecee01000000010000000d00000000000000"),
    // 3.1.7-udp-stop, frame 227
    (.join, "70c003030000000000000000000300000002000000010000001600000000000000010000000200000003000000"),
    // 3.1.7-udpu-form, frame 59
    (
        .commitToken,
        "70c00304000100000000000000010000000100000009000000000000000000000001000000020000000100000002000000010000000500000000000000080000000800000001000000000000000000000000000000000000000000000000000000"
    ),
    // 3.1.7-udpu-loss, frame 13
    (.holdCancel, "70c00305000100000000000000010000000d00000000000000"),
]

private func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.map { $0 > 0x39 ? $0 - 0x57 : $0 - 0x30 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

private func packet(_ datagram: [UInt8]) throws -> TotemPacket<Corosync3> {
    try datagram.withUnsafeBytes { buffer throws(WireError) in try TotemPacket<Corosync3>(reading: buffer) }
}

private func rewritten(_ datagram: [UInt8]) throws -> [UInt8] {
    try datagram.withUnsafeBytes { buffer throws(WireError) in try TotemPacket<Corosync3>(reading: buffer).bytes(of: buffer) }
}

@Test(arguments: recorded)
func readsWhatDaemonsSendAndWritesTheSame(kind: TotemMessageKind, hex: String) throws {
    let datagram = bytes(hex)
    #expect(try packet(datagram).message.kind == kind)
    #expect(try packet(datagram).trailing.count == 0)
    #expect(try rewritten(datagram) == datagram)
    #expect(try rewritten(datagram + [1, 2, 3]) == datagram + [1, 2, 3])
}

@Test func tokenFieldsAreWhereTheDaemonPutThem() throws {
    guard case .token(let token) = try packet(bytes(recorded[0].hex)).message else {
        Issue.record("no token")
        return
    }
    #expect(token.header.nodeID == 3)
    #expect(token.sequence == 48)
    #expect(token.tokenSequence == 230)
    #expect(token.allReceivedUpTo == 25)
    #expect(token.allReceivedUpToAddress == 3)
    #expect(token.ring == RingID(representative: 1, sequence: 13))
    #expect(token.backlog == 7)
    #expect(token.flowControlCount == 7)
    #expect(token.retransmitFlag == 0)
    #expect(token.retransmitList == [.init(ring: RingID(representative: 1, sequence: 13), sequence: 26)])
}

@Test func aLeaveNamesItsSenderLastInTheFailedList() throws {
    guard case .join(let leave) = try packet(bytes(recorded[3].hex)).message else {
        Issue.record("no join")
        return
    }
    #expect(leave.isLeave)
    #expect(leave.systemFrom.nodeID == 3)
    #expect(leave.ringSequence == 22)
    #expect(leave.processors.map(\.nodeID) == [1, 2])
    #expect(leave.failed.map(\.nodeID) == [3])
}

@Test(arguments: recorded)
func aSenderOfTheOtherByteOrderIsRead(kind: TotemMessageKind, hex: String) throws {
    let little = try packet(bytes(hex))
    var swapped = little
    swapped.byteOrder = .big
    let datagram = bytes(hex)
    let mirrored = try datagram.withUnsafeBytes { buffer throws(WireError) in try swapped.bytes(of: buffer) }
    #expect(Array(mirrored[0..<2]) == [0xC0, 0x70])
    #expect(mirrored != datagram)
    #expect(try packet(mirrored).message == little.message)
    #expect(try packet(mirrored).byteOrder == .big)
    #expect(try rewritten(mirrored) == mirrored)
}

@Test(arguments: recorded)
func everyTruncationIsAnErrorWithAnOffset(kind: TotemMessageKind, hex: String) throws {
    let datagram = bytes(hex)
    let fixedPart = kind == .mcast ? 45 : datagram.count
    for length in 0..<fixedPart {
        let error = #expect(throws: WireError.self) { try packet(Array(datagram[..<length])) }
        #expect((error?.offset ?? -1) <= length)
    }
}

@Test func wrongMagicVersionTypeAndCountsAreNamed() throws {
    func error(_ change: (inout [UInt8]) -> Void, of index: Int = 0) -> WireError? {
        var datagram = bytes(recorded[index].hex)
        change(&datagram)
        return #expect(throws: WireError.self) { try packet(datagram) }
    }
    #expect(error { $0[0] = 0x22 }?.field == "magic")
    #expect(error { $0[2] = 2 }?.field == "version")
    #expect(error { $0[3] = 6 } == WireError(.invalidValue(6), field: "type", offset: 3))
    #expect(error { $0[53] = 31 } == WireError(.outOfBounds(value: 31, limit: 30), field: "rtr_list_entries", offset: 53))
    #expect(error { $0[56] = 0x80 }?.field == "rtr_list")
    #expect(error({ $0[18] = 4 }, of: 3)?.field == "proc_list_entries")
    #expect(error({ $0[24] = 1 }, of: 3)?.field == "failed_list_entries")
    #expect(error({ $0[40] = 0xFF }, of: 4)?.field == "addr")
}

@Test(arguments: 1...64)
func randomBytesNeverCrash(seed: UInt64) {
    var state = seed &* 0x9E37_79B9_7F4A_7C15
    func next() -> UInt8 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
    for (_, hex) in recorded {
        var datagram = bytes(hex)
        for _ in 0..<4 { datagram[3 + Int(next()) % (datagram.count - 3)] = next() }
        if let same = try? rewritten(datagram) { #expect(same == datagram) }
    }
}
