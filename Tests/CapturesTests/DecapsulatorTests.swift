import Captures
import Testing
import WireFormat

/// Frames that are built here byte by byte.
@Suite struct DecapsulatorTests {
    /// A UDP datagram from port 1000 to port 2000.
    static func udp(_ payload: [UInt8]) -> [UInt8] {
        let length = 8 + payload.count
        return [0x03, 0xE8, 0x07, 0xD0, UInt8(length >> 8), UInt8(length & 255), 0, 0] + payload
    }

    /// An IPv4 packet from 10.0.0.1 to 10.0.0.2. `offset` is in bytes.
    static func ipv4(_ body: [UInt8], identification: UInt16 = 7, offset: Int = 0, more: Bool = false, next: UInt8 = 17) -> [UInt8] {
        let length = 20 + body.count
        let fragment = UInt16(offset / 8) | (more ? 0x2000 : 0)
        return [
            0x45, 0, UInt8(length >> 8), UInt8(length & 255), UInt8(identification >> 8), UInt8(identification & 255),
            UInt8(fragment >> 8), UInt8(fragment & 255), 64, next, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ] + body
    }

    /// An IPv6 packet from fd00::1 to fd00::2.
    static func ipv6(_ body: [UInt8], next: UInt8) -> [UInt8] {
        let prefix: [UInt8] = [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        return [0x60, 0, 0, 0, UInt8(body.count >> 8), UInt8(body.count & 255), next, 64] + prefix + [1] + prefix + [2] + body
    }

    static let ethernet: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]

    struct Seen: Equatable {
        var kind: Decapsulation.Kind
        var payload: [UInt8] = []
        var problem: FrameProblem?
    }

    static func run(
        _ frames: [[UInt8]],
        linkType: LinkType = .rawIP,
        times: [Int64]? = nil,
        cutTo limit: Int = .max,
        decapsulator: inout Decapsulator
    ) -> [Seen] {
        frames.enumerated().map { index, frame in
            frame.withUnsafeBytes { whole in
                let bytes = UnsafeRawBufferPointer(rebasing: whole.prefix(limit))
                let packet = CapturedPacket(
                    frame: index + 1,
                    time: times?[index] ?? 0,
                    linkType: linkType,
                    originalLength: whole.count,
                    bytes: bytes
                )
                let content = decapsulator.decapsulate(packet)
                return Seen(
                    kind: content.kind,
                    payload: decapsulator.withPayload(of: content, in: packet) { Array($0) },
                    problem: content.problem
                )
            }
        }
    }

    static func run(_ frames: [[UInt8]], linkType: LinkType = .rawIP, cutTo limit: Int = .max) -> [Seen] {
        var decapsulator = Decapsulator()
        return run(frames, linkType: linkType, cutTo: limit, decapsulator: &decapsulator)
    }

    let payload: [UInt8] = (0..<100).map { UInt8($0) }

    @Test func linkLayers() {
        let ip4 = Self.ipv4(Self.udp(payload))
        let ip6 = Self.ipv6(Self.udp(payload), next: 17)
        let expected = [Seen(kind: .datagram, payload: payload)]
        #expect(Self.run([Self.ethernet + [8, 0] + ip4], linkType: .ethernet) == expected)
        #expect(Self.run([Self.ethernet + [0x86, 0xDD] + ip6], linkType: .ethernet) == expected)
        #expect(Self.run([Self.ethernet + [0x81, 0, 0, 5, 8, 0] + ip4], linkType: .ethernet) == expected)
        #expect(Self.run([Self.ethernet + [0x88, 0xA8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xDD] + ip6], linkType: .ethernet) == expected)
        #expect(Self.run([ip4], linkType: .rawIP) == expected)
        #expect(Self.run([ip6], linkType: .rawIP) == expected)
        #expect(Self.run([[2, 0, 0, 0] + ip4], linkType: .loopback) == expected)
        #expect(Self.run([[0, 0, 0, 24] + ip6], linkType: .openBSDLoopback) == expected)
        #expect(Self.run([[0, 0, 0, 1, 0, 6] + [UInt8](repeating: 0, count: 8) + [8, 0] + ip4], linkType: .linuxCooked) == expected)
        #expect(Self.run([[0x86, 0xDD] + [UInt8](repeating: 0, count: 18) + ip6], linkType: .linuxCooked2) == expected)
        #expect(Self.run([Self.ethernet + [8, 6] + [UInt8](repeating: 0, count: 28)], linkType: .ethernet) == [Seen(kind: .arp)])
        #expect(Self.run([Self.ipv4([8, 0, 0, 0], next: 1)]) == [Seen(kind: .icmp)])
        #expect(Self.run([Self.ipv6([128, 0, 0, 0], next: 58)]) == [Seen(kind: .icmp)])
        #expect(Self.run([Self.ipv4([0, 0, 0, 0], next: 132)]) == [Seen(kind: .other)])
    }

    @Test func ethernetPaddingIsNoPayload() {
        let frame = Self.ethernet + [8, 0] + Self.ipv4(Self.udp([1, 2, 3])) + [UInt8](repeating: 0xEE, count: 15)
        #expect(Self.run([frame], linkType: .ethernet) == [Seen(kind: .datagram, payload: [1, 2, 3])])
    }

    @Test func ipv6ExtensionHeaders() {
        let hopByHop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
        let destinationOptions: [UInt8] = [43, 1] + [UInt8](repeating: 0, count: 14)
        let routing: [UInt8] = [17, 0, 0, 0, 0, 0, 0, 0]
        let frame = Self.ipv6(hopByHop + destinationOptions + routing + Self.udp(payload), next: 0)
        #expect(Self.run([frame]) == [Seen(kind: .datagram, payload: payload)])
        let atomic = Self.ipv6([17, 0, 0, 0, 0, 0, 0, 9] + Self.udp(payload), next: 44)
        #expect(Self.run([atomic]) == [Seen(kind: .datagram, payload: payload)])
    }

    /// The fragments of a datagram at every order, with one twice.
    @Test func fragmentsInAnyOrder() {
        let body = Self.udp((0..<200).map { UInt8($0) })
        let parts = [(0, 72), (72, 144), (144, 208)]
        let fragments4 = parts.map { Self.ipv4(Array(body[$0.0..<$0.1]), offset: $0.0, more: $0.1 < body.count) }
        let fragments6 = parts.map { part -> [UInt8] in
            let field = UInt16(part.0) | (part.1 < body.count ? 1 : 0)
            return Self.ipv6([17, 0, UInt8(field >> 8), UInt8(field & 255), 0, 0, 0, 9] + body[part.0..<part.1], next: 44)
        }
        for fragments in [fragments4, fragments6] {
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 0, 2, 1], [2, 1, 2, 0]] {
                let seen = Self.run(order.map { fragments[$0] })
                #expect(seen.dropLast().allSatisfy { $0 == Seen(kind: .fragment) }, "\(order)")
                #expect(seen.last == Seen(kind: .datagram, payload: Array(body.dropFirst(8))), "\(order)")
            }
            #expect(Self.run([fragments[0], fragments[2]]).allSatisfy { $0 == Seen(kind: .fragment) })
        }
    }

    @Test func overlapsMustAgree() {
        let body = Self.udp((0..<200).map { UInt8($0) })
        let first = Self.ipv4(Array(body[0..<104]), offset: 0, more: true)
        let overlapping = Self.ipv4(Array(body[96..<208]), offset: 96)
        #expect(Self.run([first, overlapping]).last == Seen(kind: .datagram, payload: Array(body.dropFirst(8))))
        var other = body
        other[100] ^= 1
        let contradicting = Self.ipv4(Array(other[96..<208]), offset: 96)
        #expect(Self.run([first, contradicting]).last == Seen(kind: .fragment, problem: .contradictoryFragments))
        let beyond = Self.ipv4(Array(body[96..<200]), offset: 65472)
        #expect(Self.run([beyond]).last == Seen(kind: .fragment, problem: .contradictoryFragments))
        let uneven = Self.ipv4(Array(body[0..<99]), offset: 0, more: true)
        #expect(Self.run([uneven]).last == Seen(kind: .fragment, problem: .contradictoryFragments))
    }

    @Test func theFragmentTableIsBounded() {
        let body = Self.udp((0..<200).map { UInt8($0) })
        func part(_ identification: UInt16, last: Bool) -> [UInt8] {
            Self.ipv4(Array(last ? body[104...] : body[..<104]), identification: identification, offset: last ? 104 : 0, more: !last)
        }
        var few = Decapsulator(datagramLimit: 2, byteLimit: 1 << 20, timeLimit: 1000)
        var seen = Self.run([part(1, last: false), part(2, last: false), part(3, last: false)], decapsulator: &few)
        #expect(few.unfinishedDatagrams == 2)
        seen = Self.run([part(3, last: true), part(2, last: true), part(1, last: true)], decapsulator: &few)
        #expect(seen.map(\.kind) == [.datagram, .datagram, .fragment])

        var small = Decapsulator(datagramLimit: 100, byteLimit: 250, timeLimit: 1000)
        _ = Self.run([part(1, last: false), part(2, last: false), part(3, last: false)], decapsulator: &small)
        #expect(small.unfinishedDatagrams == 2)

        var slow = Decapsulator(datagramLimit: 100, byteLimit: 1 << 20, timeLimit: 1000)
        seen = Self.run([part(1, last: false), part(1, last: true)], times: [0, 1001], decapsulator: &slow)
        #expect(seen.map(\.kind) == [.fragment, .fragment])
    }

    @Test func whatTheRecordingCutIsToldApart() {
        let frame = Self.ipv4(Self.udp(payload))
        let seen = Self.run([frame], cutTo: 60)
        #expect(seen == [Seen(kind: .datagram, payload: Array(payload[..<32]), problem: .cut(recorded: 60, original: 128))])
        #expect(Self.run([frame], cutTo: 10).first?.problem == .cut(recorded: 10, original: 128))
    }

    @Test func lengthsThatLie() {
        var long = Self.ipv4(Self.udp(payload))
        long[25] += 1
        #expect(Self.run([long]).first?.problem == .invalidLength(.udp, 109))
        var short = Self.ipv4(Self.udp(payload))
        short[25] = 7
        #expect(Self.run([short]).first?.problem == .invalidLength(.udp, 7))
        var total = Self.ipv4(Self.udp(payload))
        total[3] += 1
        #expect(Self.run([total]).first?.problem == .invalidLength(.ipv4, 129))
        var header = Self.ipv4(Self.udp(payload))
        header[0] = 0x44
        #expect(Self.run([header]).first?.problem == .invalidLength(.ipv4, 128))
    }

    /// Nothing in a frame may crash the reader: every cut and seeded changes of the frames above.
    @Test func hostileFrames() {
        let samples: [(LinkType, [UInt8])] = [
            (.ethernet, Self.ethernet + [0x81, 0, 0, 5, 8, 0] + Self.ipv4(Self.udp(payload))),
            (.rawIP, Self.ipv4(Array(Self.udp(payload)[..<40]), offset: 0, more: true)),
            (.rawIP, Self.ipv6([17, 0, 0, 1, 0, 0, 0, 9] + Self.udp(payload), next: 44)),
            (.rawIP, Self.ipv6([60, 0, 1, 4, 0, 0, 0, 0] + [17, 0, 0, 0, 0, 0, 0, 0] + Self.udp(payload), next: 0)),
            (.linuxCooked2, [0x86, 0xDD] + [UInt8](repeating: 0, count: 18) + Self.ipv6(Self.udp(payload), next: 17)),
        ]
        var generator = SplitMix(state: 0x5EED)
        var decapsulator = Decapsulator()
        for (linkType, frame) in samples {
            for count in 0...frame.count {
                _ = Self.run([Array(frame[..<count])], linkType: linkType, decapsulator: &decapsulator)
                _ = Self.run([frame], linkType: linkType, cutTo: count, decapsulator: &decapsulator)
            }
            for _ in 0..<2000 {
                var changed = frame
                for _ in 0...generator.next(below: 4) { changed[generator.next(below: 60)] = UInt8(generator.next(below: 256)) }
                _ = Self.run([changed], linkType: linkType, decapsulator: &decapsulator)
            }
        }
        #expect(decapsulator.unfinishedDatagrams <= 256)
    }
}

/// A seeded source of numbers (SplitMix64).
struct SplitMix {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ z >> 31) % UInt64(bound))
    }
}
