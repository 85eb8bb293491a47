import CmanWire
import Testing
import WireFormat

/// Records of the kernel DLM, constructed: nobody has recorded any. The offsets are those of the structures of that time, compiled:
/// dlm-kernel/src/dlm_internal.h of ClusterLabs/resource-agents at 2a5a77c3d^ and 557f5e9b, dlm-kernel/src2/dlm_internal.h at 557f5e9b.
enum DLMExamples {
    /// Bytes with `values` at their offsets.
    static func bytes(_ count: Int, _ values: [(offset: Int, value: UInt64, size: Int)], _ text: (offset: Int, String)? = nil) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for value in values {
            for index in 0..<value.size { bytes[value.offset + index] = UInt8(truncatingIfNeeded: value.value >> (8 * index)) }
        }
        if let text { bytes.replaceSubrange(text.offset..<text.offset + text.1.utf8.count, with: text.1.utf8) }
        return bytes
    }

    /// A lock-request of mode EX for the resource `vg00`.
    static func lockRequest(_ generation: DLMGeneration) -> [UInt8] {
        let base = generation.headerSize
        let length = base + 74 + 4
        return header(generation, command: 2, length: length)
            + bytes(
                length - base,
                [(0, 0xAABB_CCDD, 4), (8, 0x80, 4), (32, 4711, 4), (36, 3, 4), (40, 5, 1), (41, 3, 1)],
                (74, "vg00")
            )
    }

    static func header(_ generation: DLMGeneration, command: UInt64, length: Int, flags: UInt64 = 0) -> [UInt8] {
        let rest = bytes(12, [(0, command, 1), (1, flags, 1), (2, UInt64(length), 2), (4, 0x0102_0304, 4), (8, 0x0100_0002, 4)])
        return (generation.version.map { bytes(4, [(0, UInt64($0), 4)]) } ?? []) + rest
    }

    static func lockReply(_ generation: DLMGeneration) -> [UInt8] {
        let base = generation.headerSize
        return header(generation, command: 5, length: base + 56)
            + bytes(56, [(0, 2, 4), (4, 3, 4), (8, 0, 4), (12, 0x99, 4), (16, 1, 4), (20, 7, 4)], (24, "value block"))
    }

    static func recovery(_ generation: DLMGeneration, isReply: Bool, subcommand: UInt64, _ data: [UInt8]) -> [UInt8] {
        header(generation, command: isReply ? 21 : 20, length: generation.headerSize + 8 + data.count)
            + bytes(8, [(0, 77, 4), (4, UInt64(data.count), 2), (7, subcommand, 1)]) + data
    }

    static func query(_ generation: DLMGeneration) -> [UInt8] {
        header(generation, command: 30, length: generation.headerSize + 12) + bytes(12, [(0, 5, 4), (4, 6, 4), (8, 7, 4)])
    }

    /// Two locks, one with ranges.
    static func queryReply(_ generation: DLMGeneration) -> [UInt8] {
        let locks =
            bytes(24, [(0, 2, 1), (1, 5, 1), (2, 0xFF, 1), (3, 1, 4), (7, 2, 4), (15, 3, 4), (19, 99, 4)])
            + bytes(56, [(0, 2, 1), (3, 4, 4), (15, 1, 4), (23, 1, 1), (32, 100, 8)])
        return header(generation, command: 31, length: generation.headerSize + 56 + locks.count, flags: 1)
            + bytes(56, [(0, 2, 4), (12, 1, 4), (16, 1, 4)]) + locks
    }

    /// A request of the next generation.
    static let message =
        secondHeader(length: 104 + 4, command: 1)
        + bytes(88, [(0, 1, 4), (8, 4711, 4), (12, 0x11, 4), (28, 8, 4), (52, 3, 4), (56, 5, 4), (68, 0xFFFF_FFF5, 4)])
        + Array("vg00".utf8)

    static func recoveryMessage(type: UInt64, _ data: [UInt8]) -> [UInt8] {
        secondHeader(length: 32 + data.count, command: 2) + bytes(16, [(0, type, 4), (4, 0x11, 4), (8, 0x1234_5678_9ABC, 8)]) + data
    }

    static func secondHeader(length: Int, command: UInt64) -> [UInt8] {
        bytes(16, [(0, 0x0002_0001, 4), (4, 0x0100_0002, 4), (8, 3, 4), (12, UInt64(length), 2), (14, command, 1)])
    }

    /// A list of two resources and their masters, with the record that ends it.
    static let resources: [UInt8] = [0, 0, 0, 2, 0, 3, 0, 0, 1, 2, 3, 0, 0, 0, 1, 0, 1, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0]

    static let all: [(generation: DLMGeneration, name: String, bytes: [UInt8])] =
        [DLMGeneration.unversioned, .first].flatMap { generation in
            [
                (generation, "dlm.lock-request", lockRequest(generation)), (generation, "dlm.lock-reply", lockReply(generation)),
                (generation, "dlm.recover-message", recovery(generation, isReply: false, subcommand: 3, Array("vg00".utf8))),
                (generation, "dlm.recover-reply", recovery(generation, isReply: true, subcommand: 1, [5])),
                (generation, "dlm.recover-reply", recovery(generation, isReply: true, subcommand: 2, resources)),
                (generation, "dlm.recover-reply", recovery(generation, isReply: true, subcommand: 3, [0, 0, 0, 2])),
                (generation, "dlm.recover-message", recovery(generation, isReply: false, subcommand: 5, [1, 2, 3])),
                (generation, "dlm.query", query(generation)), (generation, "dlm.query-reply", queryReply(generation)),
            ]
        } + [
            (.second, "dlm.msg-request", message), (.second, "dlm.rcom-status", recoveryMessage(type: 1, [])),
            (.second, "dlm.rcom-status-reply", recoveryMessage(type: 5, bytes(16, [(0, 32, 4)]))),
            (.second, "dlm.rcom-status-reply", recoveryMessage(type: 5, [])),
            (.second, "dlm.rcom-lookup", recoveryMessage(type: 3, Array("vg00".utf8))),
            (
                .second, "dlm.rcom-lock",
                recoveryMessage(type: 4, bytes(144, [(4, 0x22, 4), (42, 4, 2), (48, 1, 8)], (80, "vg00")) + [1, 2])
            ),
        ]
}

@Suite struct DLMRecordTests {
    static func read(_ bytes: [UInt8], _ generation: DLMGeneration) throws -> DLMRecord {
        try bytes.withUnsafeBytes { buffer in
            var record = DLMRecord(shapeOf: buffer, of: generation)
            var reader = WireReader(buffer)
            try record.visit(&reader)
            return record
        }
    }

    static func rewritten(_ record: DLMRecord, _ bytes: [UInt8]) throws -> [UInt8] {
        var record = record
        var output = [UInt8](repeating: 0xA5, count: bytes.count + 64)
        let count = try output.withUnsafeMutableBytes { buffer in
            var writer = WireWriter(buffer)
            try record.visit(&writer)
            try writer.append(bytes[record.trailing.range])
            return writer.offset
        }
        return Array(output[..<count])
    }

    @Test(arguments: DLMExamples.all.indices) func areReadAndWrittenByteForByte(_ index: Int) throws {
        let example = DLMExamples.all[index]
        let record = try Self.read(example.bytes, example.generation)
        #expect(record.kind?.name.description == example.name)
        #expect(Int(record.header.length) == example.bytes.count)
        #expect(record.header.lockspace == 0x0100_0002)
        #expect(record.trailing.count == 0)
        #expect(try Self.rewritten(record, example.bytes) == example.bytes)
        #expect(example.bytes.withUnsafeBytes { DLMFraming(startOf: $0) } == .record(example.generation, length: example.bytes.count))
    }

    @Test(arguments: [DLMGeneration.unversioned, .first]) func fieldsHaveTheirValues(_ generation: DLMGeneration) throws {
        let request = try Self.read(DLMExamples.lockRequest(generation), generation)
        guard case .request(let lock) = request.body else {
            Issue.record("not a request")
            return
        }
        #expect(lock.remoteLockID == 0xAABB_CCDD && lock.flags == 0x80 && lock.pid == 4711 && lock.valueBlockSequence == 3)
        #expect(lock.requestedMode == 5 && lock.notices == 3 && request.resourceName == Array("vg00".utf8))
        #expect(request.header.lockID == 0x0102_0304)

        guard case .queryReply(let answer) = try Self.read(DLMExamples.queryReply(generation), generation).body,
            case .recovery(let names) = try Self.read(
                DLMExamples.recovery(generation, isReply: true, subcommand: 2, DLMExamples.resources),
                generation
            ).body,
            case .recovery(let master) = try Self.read(
                DLMExamples.recovery(generation, isReply: true, subcommand: 3, [0, 0, 0, 2]),
                generation
            ).body
        else {
            Issue.record("other messages")
            return
        }
        #expect(answer.locks.map(\.lockID) == [1, 4] && answer.locks.map(\.nodeID) == [3, 1])
        #expect(names.resources.map(\.nodeID) == [2, 1, 1] && names.resources.map(\.name) == [[1, 2, 3], [9], []])
        #expect(master.nodeID == 2)
    }

    @Test func theNextGenerationHasItsValues() throws {
        let request = try Self.read(DLMExamples.message, .second)
        guard case .message(let message) = request.body else {
            Issue.record("not a message")
            return
        }
        #expect(request.header.nodeID == 3 && request.resourceName == Array("vg00".utf8))
        #expect(message.pid == 4711 && message.lockID == 0x11 && message.requestedMode == 5 && message.grantedMode == 3)
        #expect(message.result == -11)
    }

    /// Every cut of a record is an error with its place, or a record with less behind it; never a crash.
    @Test(arguments: DLMExamples.all.indices) func cuts(_ index: Int) throws {
        let example = DLMExamples.all[index]
        for count in 0..<example.bytes.count {
            let part = Array(example.bytes[..<count])
            switch part.withUnsafeBytes({ DLMFraming(startOf: $0) }) {
            case .record(let generation, let length): #expect(generation == example.generation && length == example.bytes.count)
            // Without a version a record is only certain when its end is there.
            case .incomplete: #expect(count < DLMFraming.longestHeader || example.generation == .unversioned)
            case .none: Issue.record("no record after \(count) bytes")
            }
            guard let record = try? Self.read(part, example.generation) else { continue }
            #expect(try Self.rewritten(record, part) == part)
        }
    }

    @Test func randomBytesNeverCrash() throws {
        let seed: UInt64 = 21_064
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<6_000 {
            let example = DLMExamples.all[Int(next() % UInt64(DLMExamples.all.count))]
            var bytes = example.bytes
            for _ in 0...(next() % 6) { bytes[Int(next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: next()) }
            _ = bytes.withUnsafeBytes { DLMFraming(startOf: $0) }
            guard let record = try? Self.read(bytes, example.generation) else { continue }
            guard case .queryReply = record.body else {
                #expect(try Self.rewritten(record, bytes) == bytes, "seed \(seed)")
                continue
            }
        }
    }

    @Test func everyKindHasItsNameOnce() {
        #expect(Set(DLMMessageKind.allCases.map(\.name.description)).count == DLMMessageKind.allCases.count)
        for kind in DLMMessageKind.allCases {
            for generation in kind.generations { #expect(DLMRecord(kind, of: generation).kind == kind) }
        }
    }
}
