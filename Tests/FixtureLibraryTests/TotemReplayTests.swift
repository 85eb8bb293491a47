import CaptureSupport
import EngineKit
import FixtureLibrary
import Foundation
import Testing
import TotemNode
import WireFormat

private let captures = CaptureSupport.captureNames(prefix: "corosync/3.1.7-udp").map { String($0.dropFirst(15).dropLast(5)) }

/// The captures were made with `token: 1000` and three nodes: 1000 + 650 ms.
private let timers = TotemTimers(token: .milliseconds(1650))

/// What docs/replay-totem.md says that each replay gives: `| udpu-form | 1 | started | equal, 162 | equal, 162 |`.
private let expected: [Substring] = {
    let path = CaptureSupport.folder.dropLast("captures".count) + "docs/replay-totem.md"
    let text = try? String(contentsOfFile: String(path), encoding: .utf8)
    return text?.split(separator: "\n").filter { $0.hasPrefix("| udp") } ?? []
}()

private func words(_ outcome: TotemReplay.Outcome) -> String {
    switch outcome {
    case .equal(let packets): "equal, \(packets)"
    case .notReplayable(let reason): "not replayable because \(reason)"
    case .different(let frame, let packets, let difference): "differs at frame \(frame) after \(packets) in \(difference.field)"
    }
}

@Test(arguments: captures)
func theEnginesSendWhatTheDaemonsSent(capture: String) throws {
    let name = "corosync/3.1.7-\(capture)"
    let recording = try TotemRecording(CaptureSupport.datagrams(of: "\(name).pcap"))
    let truth = try CaptureSupport.text(of: "\(name).truth.txt")
    var rows: [String] = []
    for life in TotemLives.lives(nodes: recording.nodes, truth: truth) {
        var cells = [capture, String(life.node), life.begin == nil ? "running" : "started"]
        for engine in TotemReplay.Engine.allCases {
            var replay = TotemReplay(recording, timers: timers)
            replay.engine = engine
            let outcome = try replay.run(life)
            cells.append(words(outcome))
            if case .different(_, _, let difference) = outcome { print("\(name), node \(life.node), \(engine): \(difference)") }
        }
        rows.append("| " + cells.joined(separator: " | ") + " |")
    }
    #expect(rows == expected.filter { $0.hasPrefix("| \(capture) |") }.map(String.init))
    for row in rows { print("REPLAY", row) }
}
