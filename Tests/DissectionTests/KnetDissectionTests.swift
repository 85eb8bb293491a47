import CaptureSupport
import Captures
import Dissection
import Testing
import TotemWire
import WireFormat

/// What the recordings do not have: copies over two links at once (`link_mode: active`), and compression. Both are made from recorded
/// packets.
@Suite struct KnetDissectionTests {
    private static let capture = "corosync/3.1.7-knet-cpg.pcap"
    /// Where things stand in a frame of these recordings: Ethernet, IPv4 without options, UDP.
    private static let ip = 14
    private static let udp = 34
    private static let knet = 42
    private static let knetData = 56

    private func isKnet(_ frame: FrameSource.Frame) -> Bool {
        frame.bytes.count > Self.knetData && frame.bytes[12] == 8 && frame.bytes[Self.ip + 9] == 17 && frame.bytes[Self.knet] == 1
    }

    /// Every packet comes a second time over a second network, 10.77.3.0.
    @Test func copiesOverASecondLinkCarryNothing() throws {
        let single = try FrameSource(Self.capture)
        var double = single
        double.frames = single.frames.flatMap { frame -> [FrameSource.Frame] in
            guard isKnet(frame) else { return [frame] }
            var copy = frame
            copy.bytes[Self.ip + 14] = 3
            copy.bytes[Self.ip + 18] = 3
            return [frame, copy]
        }
        var carried: [[UInt8]] = []
        single.dissect { carried += DecodedFrame($0).carries.map(\.bytes) }
        var carriedTwice: [[UInt8]] = []
        var copies = 0
        var untold = 0
        double.dissect { packet in
            let frame = DecodedFrame(packet)
            #expect(frame.problems.isEmpty, "frame \(frame.frame)")
            carriedTwice += frame.carries.map(\.bytes)
            let isCopy = packet.content.sourceEndpoint?.description.hasPrefix("10.77.3.") == true
            guard isCopy, !["ping", "pong", "pmtud", "pmtud-reply"].contains(frame.message) else { return }
            if frame.notes.contains(where: { $0.hasPrefix("copy of ") }) { copies += 1 } else { untold += 1 }
        }
        #expect(carriedTwice == carried && carried.count > 50)
        // Until the nodes have been heard on both links, nobody knows that two addresses are one node.
        #expect(copies > 2_500 && untold < 20)
    }

    @Test func compressedMessagesAreInflated() throws {
        let plain = try FrameSource(Self.capture)
        var compressed = plain
        var changed = 0
        for index in compressed.frames.indices where isKnet(compressed.frames[index]) {
            let bytes = compressed.frames[index].bytes
            // Only whole messages: a fragment is a part of what would be compressed.
            let length = Int(bytes[Self.udp + 4]) << 8 | Int(bytes[Self.udp + 5])
            guard bytes[Self.knet + 1] == 0, bytes[Self.knet + 11] == 1, bytes.count == Self.udp + length else { continue }
            let message = CaptureSupport.compressed(Array(bytes[Self.knetData...]))
            var packet = Array(bytes[..<Self.knetData]) + message
            packet[Self.knet + 8] = KnetCompression.zlib.rawValue
            for (offset, size) in [(Self.ip + 2, packet.count - Self.ip), (Self.udp + 4, packet.count - Self.udp)] {
                packet[offset] = UInt8(size >> 8)
                packet[offset + 1] = UInt8(size & 0xFF)
            }
            compressed.frames[index].bytes = packet
            compressed.frames[index].originalLength = packet.count
            changed += 1
        }
        #expect(changed > 2_000)
        let expected = plain.decoded()
        for (frame, plain) in zip(compressed.decoded(), expected) {
            #expect(frame.message == plain.message && frame.summary == plain.summary, "frame \(frame.frame)")
            #expect(frame.carries == plain.carries && frame.problems.isEmpty, "frame \(frame.frame)")
        }
    }

    @Test(arguments: KnetCompression.allCases.filter { $0 != .none && $0 != .zlib })
    func otherCompressionsAreNamed(_ compression: KnetCompression) throws {
        var source = try FrameSource(Self.capture)
        let index = try #require(source.frames.firstIndex { isKnet($0) && $0.bytes[Self.knet + 1] == 0 })
        source.frames = [source.frames[index]]
        source.frames[0].bytes[Self.knet + 8] = compression.rawValue
        let frame = try #require(source.decoded().first)
        #expect(frame.message == "data" && frame.problems.isEmpty)
        #expect((frame.notes + [frame.summary]).contains { $0.contains(compression.name.description) }, "\(frame)")
    }
}
