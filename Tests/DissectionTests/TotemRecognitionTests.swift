import CaptureSupport
import Captures
import Dissection
import Testing
import TotemSecurity
import TotemWire
import WireFormat

/// What tells one generation of Totem from another, and from what is none.
@Suite struct TotemRecognitionTests {
    private typealias Datagram = (bytes: [UInt8], source: Endpoint, destination: Endpoint)

    private static func decoded(_ datagrams: [Datagram]) throws -> [DecodedFrame] {
        let file = TemporaryFile()
        let writer = try CaptureWriter(path: file.path)
        for (index, datagram) in datagrams.enumerated() {
            try datagram.bytes.withUnsafeBytes {
                try writer.write($0, from: datagram.source, to: datagram.destination, time: Int64(index) * 1_000_000)
            }
        }
        return try FrameSource(path: file.path).decoded()
    }

    private static func datagrams(_ name: String) throws -> [Datagram] {
        try CaptureSupport.datagrams(of: name).map { ($0.payload, $0.source, $0.destination) }
    }

    /// The layout of 2005 without security, as it was spoken some weeks later: the same messages, their envelopes taken off.
    @Test func messagesOf2005WithoutSecurity() throws {
        var opener = SecurityOpener(keys: [])
        let sealed = try Self.datagrams("openais/cman0-06267550e-join3.pcap")
        let open: [Datagram] = sealed.compactMap { datagram in
            datagram.bytes.withUnsafeBytes { bytes in
                guard case .opened(let content) = opener.open(bytes, from: datagram.source, to: datagram.destination) else { return nil }
                return (Array(content.plaintext), datagram.source, datagram.destination)
            }
        }
        #expect(open.count == sealed.count)
        let frames = try Self.decoded(open)
        let before = try Self.decoded(sealed)
        for (frame, original) in zip(frames, before) {
            guard frame.dialect == .totem2005, frame.problems.isEmpty, frame.summary == original.summary else {
                Issue.record("frame \(frame.frame): \(String(describing: frame.dialect)) \(frame.problems) \(frame.summary)")
                return
            }
        }
        #expect(Set(frames.map(\.message)) == ["token", "mcast", "merge-detect", "join", "commit-token"])
    }

    /// Through a port that is translated nothing is told until a packet tells it by its content; from then on everything is.
    @Test(arguments: [("openais/wt-f5586a7-form3.pcap", Dialect.openais080), ("openais/cman3-da8bc8bc-join3.pcap", .corosync1)])
    func withoutTheSourcePort(_ name: String, _ dialect: Dialect) throws {
        let datagrams = try Self.datagrams(name).map { datagram in
            (datagram.bytes, Endpoint(datagram.source.address, 40_000), datagram.destination)
        }
        var told: Set<IPAddress> = []
        for (frame, datagram) in zip(try Self.decoded(datagrams), datagrams) {
            let other: Dialect = dialect == .corosync1 ? .openais080 : .corosync1
            if frame.message == "mcast", frame.dialect == dialect { told.insert(datagram.1.address) }
            let isRight = frame.dialect == dialect && frame.alternatives == [other]
            let isOpen = frame.dialect == other && frame.alternatives == [dialect] && !told.contains(datagram.1.address)
            #expect(isRight || isOpen, "frame \(frame.frame)")
        }
        #expect(told.count == 3)
    }

    /// A sender whose byte order is the other one says the same.
    @Test func bigEndianSenders() throws {
        try Self.checkBigEndian("openais/wt-f5586a7-stop.pcap", OpenAIS080.self, [.openais080, .corosync1])
        try Self.checkBigEndian("corosync/flatiron1.4-udpu-stop.pcap", Corosync1.self, [.corosync1])
        try Self.checkBigEndian("corosync/needle2.4-udpu-stop.pcap", Corosync2.self, [.corosync2], envelope: 4)
        try Self.checkBigEndian("corosync/3.1.7-udpu-stop.pcap", Corosync3.self, [.corosync3])
    }

    private static func checkBigEndian<D: TotemDialect>(
        _ name: String,
        _: D.Type,
        _ dialects: Set<Dialect>,
        envelope: Int = 0
    ) throws {
        var swapped: [Datagram] = []
        var original: [Datagram] = []
        for datagram in try datagrams(name) {
            let bytes = Array(datagram.bytes[envelope...])
            let mirrored: [UInt8]? = try bytes.withUnsafeBytes { buffer in
                var packet = try TotemPacket<D>(reading: buffer)
                // What an mcast carries would have to be mirrored too.
                if packet.message.kind == .mcast { return nil }
                packet.byteOrder = .big
                return try packet.bytes(of: buffer)
            }
            guard let mirrored else { continue }
            swapped.append((Array(datagram.bytes[..<envelope]) + mirrored, datagram.source, datagram.destination))
            original.append(datagram)
        }
        for (frame, original) in zip(try decoded(swapped), try decoded(original)) {
            guard let dialect = frame.dialect, dialects.contains(dialect), frame.problems.isEmpty, frame.summary == original.summary,
                frame.node == original.node, frame.ring == original.ring
            else {
                Issue.record("\(name) frame \(frame.frame): \(frame.summary), not \(original.summary)")
                return
            }
        }
    }

    /// A legacy message whose sequence number happens to be the mark of Totem's byte order is none of Totem's.
    @Test func aSequenceNumberThatLooksLikeTheMark() throws {
        var hello = try #require(CaptureSupport.datagrams(of: "cman/02-join3-k.pcap").first { $0.frame == 23 })
        for mark in [[0x22, 0xFF] as [UInt8], [0xFF, 0x22]] {
            hello.payload.replaceSubrange(2..<4, with: mark)
            let frames = try Self.decoded([(hello.payload, hello.source, hello.destination)])
            #expect(frames[0].dialect == .cman5)
            #expect(frames[0].message == "hello")
        }
    }

    /// Redundant rings: the same bytes on two networks are one message.
    @Test func copiesOnAnotherRing() throws {
        var source = try FrameSource("corosync/needle2.4-udpu-rrpactive-form.pcap")
        let alone = source.decoded().flatMap(\.carries)
        source.merge(try FrameSource("corosync/needle2.4-udpu-rrpactive-form.ring1.pcap"))
        let frames = source.decoded()
        let carried = frames.flatMap(\.carries)
        #expect(carried.count == alone.count)
        #expect(Set(carried.map(\.bytes)) == Set(alone.map(\.bytes)))
        #expect(frames.contains { $0.message == "token" && $0.notes.contains { $0.hasPrefix("copy on another ring: repeats frame ") } })
    }
}
