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

/// What docs/replay-totem.md says that each replay gives: `| udpu-form | 1 | started | equal | 162 |`.
private let expected: [String] = {
    let path = CaptureSupport.folder.dropLast("captures".count) + "docs/replay-totem.md"
    guard let text = try? String(contentsOfFile: String(path), encoding: .utf8) else { return [] }
    return text.split(separator: "\n").filter { $0.hasPrefix("| udp") }.map(String.init)
}()

@Test(arguments: captures)
func theEngineSendsWhatTheDaemonSent(capture: String) throws {
    let name = "corosync/3.1.7-\(capture)"
    let recording = try TotemRecording(CaptureSupport.datagrams(of: "\(name).pcap"))
    let truth = try CaptureSupport.text(of: "\(name).truth.txt")
    var rows: [String] = []
    for life in TotemLives.lives(nodes: recording.nodes, truth: truth) {
        let begin = life.begin == nil ? "running" : "started"
        switch try TotemReplay(recording, timers: timers).run(life) {
        case .equal(let packets):
            rows.append("| \(capture) | \(life.node) | \(begin) | equal | \(packets) |")
        case .notReplayable(let reason):
            rows.append("| \(capture) | \(life.node) | \(begin) | not replayable because \(reason) | |")
        case .different(let frame, let packets, let difference):
            Issue.record("\(capture), node \(life.node): frame \(frame) after \(packets) packets: \(difference)")
        }
    }
    #expect(rows == expected.filter { $0.hasPrefix("| \(capture) |") })
    for row in rows { print("REPLAY", row) }
}
