import CaptureSupport
import Captures
import Dissection
import Testing
import WireFormat

/// Nothing that a packet holds may crash the decoder, and whatever it makes of it can be rendered.
@Suite struct HostileInputTests {
    static let samples = [
        "cman/02-join3.pcap", "cman/07-userdata.pcap", "cman/08-barrier-k.pcap", "cman/12b-ipv6.pcap",
        "corosync/3.1.7-udp-form.pcap", "corosync/3.1.7-udp-recovery.pcap", "corosync/3.1.7-udpu6-kill.pcap",
        "corosync/3.1.7-udp-loss.pcap", "openais/cman0-06267550e-join3.pcap", "openais/cman2-02a34df25-messages.pcap",
        "openais/mixed-cman2-cman3-off.pcap", "corosync/flatiron1.4-udp-rrppassive-cutring0.pcap", "corosync/flatiron1.4-udp-nss-form.pcap",
        "corosync/needle2.4-udpu-cpg.pcap", "corosync/needle2.4-udpu-secauth-form.pcap", "corosync/needle2.4-udpu6-form.pcap",
        "corosync/3.1.7-knet-cpg.pcap", "corosync/3.1.7-knet-loss.pcap",
    ]

    /// The packets of a capture, with the keys that they need.
    static func frames(_ name: String) throws -> FrameSource {
        try TotemCapture(name: name).source()
    }

    /// One frame of every message and length of a capture.
    static func picks(_ source: FrameSource) -> [Int] {
        var seen: Set<String> = []
        var picks: [Int] = []
        source.dissect { dissection in
            if seen.insert("\(dissection.message) \(dissection.content.length / 200)").inserted { picks.append(dissection.frame - 1) }
        }
        return picks
    }

    static func renderAll(_ source: FrameSource, _ body: (Dissection) -> Void = { _ in }) throws {
        var json = NDJSONRenderer()
        var text = TextBuffer()
        try source.dissect { dissection in
            body(dissection)
            text.removeAll()
            json.append(dissection, to: &text)
            // The parser is slow: every tenth is judged by it.
            if dissection.frame % 10 == 0 { _ = try JSONValue(parsing: text.bytes.dropLast()) }
            text.removeAll()
            TreeRenderer().append(dissection, to: &text)
            #expect(String(validating: text.bytes, as: UTF8.self) != nil)
        }
    }

    /// Every packet cut by the recording at every length.
    @Test(arguments: samples)
    func everyCut(name: String) throws {
        let whole = try Self.frames(name)
        var cut = whole
        cut.frames = Self.picks(whole).flatMap { index in
            let frame = whole.frames[index]
            return stride(from: 0, to: frame.bytes.count, by: max(1, frame.bytes.count / 60)).map { count in
                FrameSource.Frame(time: frame.time, originalLength: frame.bytes.count, bytes: Array(frame.bytes[..<count]))
            }
        }
        try Self.renderAll(cut) { dissection in
            // What is known of a cut packet is said, and that it is cut.
            if dissection.dialect != nil { #expect(!dissection.problems.isEmpty) }
        }
    }

    /// Every datagram that was sent shorter than it should be: lengths are right, content is missing.
    @Test(arguments: samples)
    func everyShortDatagram(name: String) throws {
        let folder = TemporaryFile()
        let datagrams = try CaptureSupport.datagrams(of: name)
        let numbers = Set(Self.picks(try Self.frames(name)).map { $0 + 1 })
        let writer = try CaptureWriter(path: folder.path)
        for datagram in datagrams where numbers.contains(datagram.frame) {
            for count in stride(from: 0, through: datagram.payload.count, by: max(1, datagram.payload.count / 50)) {
                try datagram.payload[..<count].withUnsafeBytes {
                    try writer.write($0, from: datagram.source, to: datagram.destination, time: datagram.time)
                }
            }
        }
        var source = try FrameSource(path: folder.path)
        source.keys = try Self.frames(name).keys
        #expect(source.frames.count > 100)
        try Self.renderAll(source)
    }

    /// 23,400 seeded changes of sampled packets.
    @Test(arguments: samples)
    func changedBytes(name: String) throws {
        let whole = try Self.frames(name)
        let picks = Self.picks(whole)
        var generator = SplitMix(state: 0xC0FF_EE00)
        var changed = whole
        changed.frames = (0..<1300).map { _ in
            var frame = whole.frames[picks[generator.next(below: picks.count)]]
            for _ in 0...generator.next(below: 6) {
                // Headers are hit more often than contents.
                let limit = generator.next(below: 2) == 0 ? min(140, frame.bytes.count) : frame.bytes.count
                frame.bytes[generator.next(below: limit)] = UInt8(truncatingIfNeeded: generator.next(below: 256))
            }
            return frame
        }
        try Self.renderAll(changed)
    }

    /// Counts and lengths at their extremes, in every byte of the cluster protocols' headers.
    @Test(arguments: samples)
    func extremeValues(name: String) throws {
        let whole = try Self.frames(name)
        var changed = whole
        changed.frames = Self.picks(whole).prefix(5).flatMap { index -> [FrameSource.Frame] in
            let frame = whole.frames[index]
            return (42..<min(170, frame.bytes.count)).flatMap { offset in
                [UInt8(0x7F), 0xFF].map { value in
                    var copy = frame
                    copy.bytes[offset] = value
                    return copy
                }
            }
        }
        try Self.renderAll(changed)
    }
}
