import Captures
import Testing
import WireFormat

/// Segments that are built here byte by byte.
@Suite struct TCPStreamsTests {
    static let bytes: [UInt8] = (0..<250).map { UInt8($0) }

    /// A segment from 10.0.0.1:1000 to 10.0.0.2:2000, or the other way round.
    static func segment(
        _ payload: [UInt8] = [],
        sequence: UInt32,
        acknowledgement: UInt32 = 0,
        flags: TCPFlags = .acknowledge,
        reversed: Bool = false,
        options: [UInt8] = []
    ) -> [UInt8] {
        func big(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        let ports: [UInt8] = reversed ? [0x07, 0xD0, 0x03, 0xE8] : [0x03, 0xE8, 0x07, 0xD0]
        let header =
            ports + big(sequence) + big(acknowledgement) + [UInt8((20 + options.count) / 4) << 4, flags.rawValue, 0xFF, 0xFF, 0, 0, 0, 0]
        var frame = DecapsulatorTests.ipv4(header + options + payload, next: 6)
        if reversed { frame.swapAt(15, 19) }
        return frame
    }

    /// What a reader that takes everything at once sees.
    struct Reader {
        var decapsulator = Decapsulator()
        var streams: TCPStreams
        var received: [UInt8] = []
        var missing: [Int] = []
        var arrivals: [TCPArrival] = []
        var time: Int64 = 0

        init(_ streams: TCPStreams = TCPStreams()) {
            self.streams = streams
        }

        mutating func take(_ frame: [UInt8], originalLength: Int? = nil, consuming: Bool = true) {
            let arrival: TCPArrival? = frame.withUnsafeBytes { bytes in
                let packet = CapturedPacket(
                    frame: 1,
                    time: time,
                    linkType: .rawIP,
                    originalLength: originalLength ?? bytes.count,
                    bytes: bytes
                )
                let content = decapsulator.decapsulate(packet)
                return decapsulator.withPayload(of: content, in: packet) { streams.insert(content, $0, time: time) }
            }
            guard let arrival else { return }
            arrivals.append(arrival)
            guard consuming else { return }
            consume(arrival.stream)
            while let gap = streams.skipGap(of: arrival.stream, time: time) {
                missing.append(gap.missing)
                consume(arrival.stream)
            }
        }

        mutating func consume(_ stream: Int) {
            let ready = streams.withBytes(of: stream) { Array($0) }
            received += ready
            streams.consume(ready.count, of: stream)
        }
    }

    @Test func headersAreTakenOff() {
        var decapsulator = Decapsulator()
        let frame = Self.segment(
            [1, 2, 3],
            sequence: 0xFFFF_FFF0,
            acknowledgement: 7,
            flags: [.push, .acknowledge],
            options: [1, 1, 1, 1]
        )
        frame.withUnsafeBytes { bytes in
            let packet = CapturedPacket(frame: 1, time: 0, linkType: .rawIP, originalLength: bytes.count, bytes: bytes)
            let content = decapsulator.decapsulate(packet)
            #expect(content.kind == .segment)
            #expect(content.protocols.map(\.name.description) == ["raw", "ip", "tcp"])
            #expect(content.sourceEndpoint == Endpoint("10.0.0.1:1000") && content.destinationEndpoint == Endpoint("10.0.0.2:2000"))
            #expect(content.sequence == 0xFFFF_FFF0 && content.acknowledgement == 7 && content.flags == [.push, .acknowledge])
            #expect(content.length == 3 && content.problem == nil)
            #expect(decapsulator.withPayload(of: content, in: packet) { Array($0) } == [1, 2, 3])
        }
    }

    @Test func segmentsInFragments() {
        let body = Array(Self.segment(Self.bytes, sequence: 5)[20...])
        let first = DecapsulatorTests.ipv4(Array(body[..<96]), offset: 0, more: true, next: 6)
        let last = DecapsulatorTests.ipv4(Array(body[96...]), offset: 96, next: 6)
        // A UDP datagram of the same identification is another one.
        let other = DecapsulatorTests.ipv4(Array(body[96...]), offset: 96, next: 17)
        let seen = DecapsulatorTests.run([first, other, last])
        #expect(seen.map(\.kind) == [.fragment, .fragment, .segment])
        #expect(seen.last?.payload == Self.bytes)
    }

    @Test func headersThatLie() {
        var frame = Self.segment([1, 2, 3], sequence: 1)
        frame[32] = 0x40
        #expect(DecapsulatorTests.run([frame]).first?.problem == .invalidLength(.tcp, 16))
        frame[32] = 0x60
        #expect(DecapsulatorTests.run([frame]).first?.problem == .invalidLength(.tcp, 24))
        let short = DecapsulatorTests.ipv4([UInt8](repeating: 0, count: 19), next: 6)
        #expect(DecapsulatorTests.run([short]).first?.problem == .truncatedHeader(.tcp))
    }

    /// Every order of four segments, with one twice, across the wrap of the sequence number.
    @Test func anyOrder() {
        let start: UInt32 = 0xFFFF_FFA0
        let pieces = [(0, 50), (50, 100), (100, 180), (180, 250)].map { part in
            Self.segment(Array(Self.bytes[part.0..<part.1]), sequence: start &+ UInt32(part.0))
        }
        func orders(_ rest: [Int]) -> [[Int]] {
            rest.isEmpty ? [[]] : rest.flatMap { first in orders(rest.filter { $0 != first }).map { [first] + $0 } }
        }
        for order in orders([0, 1, 2, 3]) {
            var reader = Reader()
            reader.take(Self.segment(sequence: start &- 1, flags: .synchronise))
            for index in order + [order[1]] { reader.take(pieces[index]) }
            #expect(reader.received == Self.bytes, "\(order)")
            #expect(reader.arrivals[0].beginning == .connection)
            #expect(reader.arrivals.last?.isRepeated == true)
            #expect(reader.missing.isEmpty)
        }
    }

    /// Random pieces that overlap in any way give the stream, and nothing twice.
    @Test func overlaps() {
        var generator = SplitMix(state: 0x0E71)
        for _ in 0..<200 {
            var reader = Reader()
            reader.take(Self.segment(sequence: 99, flags: .synchronise))
            var covered = Set<Int>()
            while covered.count < 250 {
                let start = generator.next(below: 250)
                let end = min(250, start + 1 + generator.next(below: 60))
                covered.formUnion(start..<end)
                reader.take(Self.segment(Array(Self.bytes[start..<end]), sequence: 100 + UInt32(start)))
            }
            #expect(reader.received == Self.bytes)
        }
    }

    @Test func aStreamMayBeginAnywhere() {
        var reader = Reader()
        reader.take(Self.segment(sequence: 500))
        #expect(reader.arrivals.isEmpty)
        reader.take(Self.segment([1, 2, 3], sequence: 500))
        #expect(reader.arrivals.map(\.beginning) == [.middle])
        #expect(reader.received == [1, 2, 3])
    }

    /// What the receiver has acknowledged and the recording lacks is given up after a while, what nobody acknowledged later.
    @Test func gapsAreGivenUp() {
        var reader = Reader()
        reader.take(Self.segment([1, 2], sequence: 10))
        reader.take(Self.segment([5, 6], sequence: 14))
        #expect(reader.arrivals[1].missing == 2)
        reader.time = 200_000_000
        reader.take(Self.segment([7], sequence: 16))
        #expect(reader.received == [1, 2])
        reader.take(Self.segment(sequence: 900, acknowledgement: 17, reversed: true))
        reader.take(Self.segment([8], sequence: 17))
        #expect(reader.received == [1, 2, 5, 6, 7, 8])
        #expect(reader.missing == [2])

        reader.take(Self.segment([11], sequence: 20))
        reader.time += 31_000_000_000
        reader.take(Self.segment([12], sequence: 21))
        #expect(reader.received == [1, 2, 5, 6, 7, 8, 11, 12])
        #expect(reader.missing == [2, 2])

        reader.take(Self.segment([21], sequence: 30))
        reader.take(Self.segment(sequence: 31, flags: [.finish, .acknowledge]))
        #expect(reader.missing == [2, 2, 8])
        #expect(reader.received.last == 21)
        reader.take(Self.segment([1], sequence: 31))
        #expect(reader.arrivals.last?.beginning == .middle)
    }

    @Test func bytesThatTheRecordingCutAreMissing() {
        var reader = Reader()
        let frame = Self.segment(Self.bytes, sequence: 1)
        reader.take(Array(frame[..<60]), originalLength: frame.count)
        #expect(reader.received == Array(Self.bytes[..<20]))
        reader.take(Self.segment([9], sequence: 251))
        #expect(reader.arrivals.last?.missing == 230)
    }

    @Test func aNewConnectionReplacesTheOldOne() {
        var reader = Reader()
        reader.take(Self.segment(sequence: 99, flags: .synchronise))
        reader.take(Self.segment([1], sequence: 100))
        reader.take(Self.segment(sequence: 99, flags: .synchronise))
        reader.take(Self.segment([2], sequence: 101))
        reader.take(Self.segment(sequence: 5_000_000, flags: .synchronise))
        reader.take(Self.segment([3], sequence: 5_000_001))
        // Another connection whose opening the recording lacks.
        reader.take(Self.segment([4], sequence: 2_000_000))
        #expect(reader.received == [1, 2, 3, 4])
        #expect(reader.arrivals.map(\.beginning) == [.connection, nil, nil, nil, .connection, nil, .middle])
        #expect(reader.missing.isEmpty)
    }

    @Test func memoryIsBounded() {
        var reader = Reader()
        let large = [UInt8](repeating: 0xAA, count: 60_000)
        reader.take(Self.segment([1], sequence: 0))
        // Descending, so that nothing ever closes the gap.
        for index in 0..<40 { reader.take(Self.segment(large, sequence: 3_000_000 - UInt32(index) * 60_000), consuming: false) }
        #expect(reader.arrivals.last?.isRefused == true)
        reader.take(Self.segment([1], sequence: 1))
        #expect(reader.missing.count == 1)

        // A reader that takes nothing.
        reader = Reader()
        for index in 0..<40 { reader.take(Self.segment(large, sequence: UInt32(index) * 60_000), consuming: false) }
        #expect(reader.arrivals.last?.isRefused == true)

        // More connections than there is room for.
        reader = Reader()
        for port in 0..<300 {
            var frame = Self.segment([1], sequence: 0)
            frame[20] = UInt8(port >> 8)
            frame[21] = UInt8(port & 255)
            reader.take(frame)
        }
        #expect(reader.streams.count == 256)
        #expect(reader.arrivals.map(\.abandonedStreams).reduce(0, +) == 44)
    }

    /// Any sequence of segments of a few connections neither crashes nor makes the tables grow.
    @Test func hostileSegments() {
        var generator = SplitMix(state: 0x7C9)
        var reader = Reader()
        for step in 0..<20_000 {
            var frame = Self.segment(
                Array(Self.bytes.prefix(generator.next(below: 80))),
                sequence: UInt32(
                    truncatingIfNeeded: generator.next(below: 4) == 0 ? generator.next(below: 1 << 32) : generator.next(below: 3000)
                ),
                acknowledgement: UInt32(truncatingIfNeeded: generator.next(below: 3000)),
                flags: TCPFlags(rawValue: UInt8(generator.next(below: 8) == 0 ? generator.next(below: 64) : 16)),
                reversed: generator.next(below: 2) == 0
            )
            frame[21] = UInt8(generator.next(below: 4))
            reader.time = Int64(step) * 1_000_000
            reader.take(frame, consuming: generator.next(below: 3) > 0)
            reader.received.removeAll()
        }
        #expect(reader.streams.count <= 8)
    }
}
