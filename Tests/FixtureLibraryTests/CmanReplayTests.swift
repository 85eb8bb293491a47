import CaptureSupport
import Captures
import FixtureLibrary
import Foundation
import Testing

/// Our engine in the role of each recorded cman daemon. docs/replay-cman.md keeps what comes out, a row for each process.
@Suite struct CmanReplays {
    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(CaptureSupport.folder)/\(path)", encoding: .utf8)
    }

    @Test(arguments: CaptureSupport.captureNames(prefix: "cman/"))
    func sendsWhatTheDaemonSent(_ name: String) throws {
        let capture = String(name.dropFirst("cman/".count))
        let recording = CmanRecording(name: capture, datagrams: try CaptureSupport.datagrams(of: name))
        let replay = CmanReplay(recording: recording, actions: CmanActions(page: try Self.text("cman/README.md"), capture: capture))
        let page = try Self.text("../docs/replay-cman.md")
        #expect(!replay.lives.isEmpty)
        for life in replay.lives {
            let result: String
            switch CmanReplayCatalogue.note(capture: capture, life: "\(life)") {
            case .notReplayable(let reason):
                result = "not replayable: \(reason)"
            case .differs(let reason):
                guard case .differs(let difference) = replay.run(life) else {
                    Issue.record("\(capture), \(life): is equal now; take it out of the catalogue")
                    continue
                }
                result = "differs in frame \(difference.frame.map(String.init) ?? "past the last"): \(reason)"
            case nil:
                guard case .equal(let messages, let acknowledgements) = replay.run(life) else {
                    if case .differs(let difference) = replay.run(life) { Issue.record("\(difference)") }
                    continue
                }
                result = "equal: \(messages) messages, \(acknowledgements) acknowledgements"
            }
            let node = "\(life)".split(separator: ".").first.map(String.init) ?? ""
            let row = "| \(capture.dropLast(".pcap".count)) | \("\(life)".contains("life") ? "\(life)" : node) | \(result) |"
            print(row)
            #expect(page.contains(row + "\n"), "docs/replay-cman.md lacks: \(row)")
        }
    }

    /// A replay that could not fail would prove nothing: one changed field is found, with its place and both values.
    @Test func findsTheFieldThatDiffers() throws {
        var datagrams = try CaptureSupport.datagrams(of: "cman/02-join3-k.pcap")
        let index = try #require(datagrams.firstIndex { $0.frame == 40 })
        // Total votes of the ENDTRANS of node1.
        datagrams[index].payload[20 + 8] += 1
        let recording = CmanRecording(name: "02-join3-k.pcap", datagrams: datagrams)
        let actions = CmanActions(page: try Self.text("cman/README.md"), capture: "02-join3-k.pcap")
        let replay = CmanReplay(recording: recording, actions: actions)
        let life = try #require(replay.lives.first { "\($0)" == "node1" })
        guard case .differs(let difference) = replay.run(life) else {
            Issue.record("equal")
            return
        }
        #expect(difference.frame == 40)
        #expect(difference.message == "endtrans")
        #expect(difference.difference == CmanPacketDifference(field: "cman.total_votes", recorded: "4", replayed: "3"))
    }
}
