import CaptureSupport
import Captures
import Dissection
import Testing
import TotemWire

/// What the decoder shows of messages above totempg, where the tests of the layouts do not reach.
@Suite struct CarriedDissection {
    /// Every message of every recording is a known one, and has no bytes behind it; and the decoder finds those that are found without
    /// it, each once.
    @Test(arguments: TotemCapture.all)
    func nothingIsUnknownOrMissing(_ capture: TotemCapture) throws {
        var found: [String: Int] = [:]
        var odd: [String] = []
        try capture.source().dissect { packet in
            for carried in packet.carries {
                found[carried.message.description, default: 0] += 1
                if carried.kind == nil { odd.append("frame \(packet.frame): \(carried.message)") }
            }
            odd += packet.notes.strings.filter { $0.contains("bytes behind") }
        }
        #expect(odd.isEmpty)
        guard let recording = TotemRecording.all.first(where: { $0.name == capture.name }) else {
            #expect(capture.isKnet)
            return
        }
        var expected: [String: Int] = [:]
        for message in try recording.messages() { expected[try #require(message.read()?.kind).name.description, default: 0] += 1 }
        #expect(found == expected)
    }

    /// Every frame of a capture of each generation, cut as a snap length does: a prefix of the fields is shown, nothing crashes, and
    /// where nothing is cut no problem is found.
    @Test(arguments: ["openais/cman2-02a34df25-ports.pcap", "openais/wt-f5586a7-services.pcap", "corosync/needle2.4-udp-stop.pcap"])
    func cutMessagesShowWhatIsThere(_ name: String) throws {
        let source = try FrameSource(name)
        var whole: [Int: [(name: String, fields: Int)]] = [:]
        source.dissect { whole[$0.frame] = Self.carried($0) }
        #expect(whole.values.contains { !$0.isEmpty })
        var parts = 0
        for cut in [100, 150, 180, 230, 300] {
            var short = source
            for index in short.frames.indices { short.frames[index].bytes.removeLast(max(0, short.frames[index].bytes.count - cut)) }
            short.dissect { dissection in
                for part in Self.carried(dissection) where !dissection.problems.isEmpty {
                    parts += 1
                    let original = (whole[dissection.frame] ?? []).first { $0.name == part.name }
                    #expect(
                        part.fields <= original?.fields ?? 0 || part.name.hasSuffix("unknown") || original == nil,
                        "frame \(dissection.frame)"
                    )
                }
            }
        }
        #expect(parts > 0)
    }

    private static func carried(_ dissection: Dissection) -> [(name: String, fields: Int)] {
        dissection.carries.map { carried in
            (
                carried.message.description,
                dissection.tree.nodes[carried.contentNodes].count { if case .field = $0.kind { true } else { false } }
            )
        }
    }
}
