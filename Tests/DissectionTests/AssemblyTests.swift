import CaptureSupport
import Dissection
import Testing
import TotemWire

/// Messages that totempg split, when packets are lost, come twice, overtake each other, or a recording starts late.
@Suite struct AssemblyTests {
    /// What a message is, wherever it was found.
    struct Identity: Hashable {
        var message: String
        var sender: UInt32
        var bytes: [UInt8]

        init(_ delivered: Delivered) {
            message = delivered.message
            sender = delivered.sender
            bytes = delivered.bytes
        }
    }

    static let names = [
        "corosync/3.1.7-udpu-large.pcap", "corosync/3.1.7-udp-cpg.pcap", "corosync/3.1.7-udp-recovery.pcap", "corosync/3.1.7-udp-loss.pcap",
    ]

    static func identities(_ frames: [DecodedFrame]) -> [Identity: Int] {
        frames.flatMap(\.carries).reduce(into: [:]) { $0[Identity($1), default: 0] += 1 }
    }

    @Test(arguments: names)
    func packetsThatOvertakeEachOther(name: String) throws {
        let source = try FrameSource(name)
        let expected = Self.identities(source.decoded())
        for seed in 1...8 as ClosedRange<UInt64> {
            var generator = SplitMix(state: seed)
            var shuffled = source
            // Every packet may be overtaken by the next twenty.
            for index in shuffled.frames.indices.dropLast() {
                let other = min(shuffled.frames.count - 1, index + generator.next(below: 20))
                shuffled.frames.swapAt(index, other)
            }
            #expect(Self.identities(shuffled.decoded()) == expected, "seed \(seed)")
        }
    }

    @Test(arguments: names)
    func packetsThatComeTwice(name: String) throws {
        let source = try FrameSource(name)
        let expected = Self.identities(source.decoded())
        var doubled = source
        doubled.frames = source.frames.flatMap { [$0, $0] }
        let frames = doubled.decoded()
        #expect(Self.identities(frames) == expected)
        for (index, frame) in frames.enumerated() where index % 2 == 1 && frame.message == "mcast" {
            #expect(frame.carries.isEmpty)
            #expect(frame.notes.contains { $0.contains("repeats frame") }, "frame \(frame.frame): \(frame.notes)")
        }
    }

    /// Where packets are missing, messages are missing, but none is made up.
    @Test(arguments: names)
    func lostPackets(name: String) throws {
        let source = try FrameSource(name)
        let expected = Self.identities(source.decoded())
        for seed in 1...8 as ClosedRange<UInt64> {
            var generator = SplitMix(state: seed)
            var thinned = source
            thinned.frames.removeAll { _ in generator.next(below: 5) == 0 }
            let found = Self.identities(thinned.decoded())
            for (identity, count) in found { #expect(count <= expected[identity] ?? 0, "seed \(seed): \(identity.message)") }
            // Whole messages never wait for packets that are missing.
            #expect(found.count * 2 > expected.count, "seed \(seed)")
        }
    }

    @Test(arguments: names)
    func lateStart(name: String) throws {
        let source = try FrameSource(name)
        let expected = Self.identities(source.decoded())
        for start in stride(from: 0, to: source.frames.count, by: max(1, source.frames.count / 12)) {
            var rest = source
            rest.frames.removeFirst(start)
            let found = Self.identities(rest.decoded())
            for (identity, count) in found { #expect(count <= expected[identity] ?? 0, "from frame \(start)") }
        }
    }

    /// A message of 100,000 bytes appears once, in the frame that brings its last byte (captures/corosync/README.md, udpu-large).
    @Test func aMessageOverManyPacketsAppearsOnce() throws {
        let frames = try FrameSource("corosync/3.1.7-udpu-large.pcap").decoded()
        let large = frames.flatMap(\.carries).filter { $0.multicast?.msglen == 100_000 }
        #expect(large.count == 1)
        let last = try #require(large.first)
        #expect(frames[last.frame - 1].ring == last.order.ring)
        #expect(frames[last.frame - 1].summary.contains(" seq \(last.order.sequence) "))
    }
}
