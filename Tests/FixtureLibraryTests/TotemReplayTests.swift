import CaptureSupport
import EngineKit
import FixtureLibrary
import Foundation
import Testing
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

/// Names of captures without folder and ending, and the generation of their daemons. knet carries other packets.
private let generations: [(prefix: String, generation: TotemGeneration)] = [
    ("openais/cman0-", .totem2005), ("openais/wt-", .openais080), ("openais/cman2-", .openais080), ("openais/mixed-", .openais080),
    ("openais/cman3-", .corosync1), ("corosync/flatiron", .corosync1), ("corosync/needle", .corosync2), ("corosync/3.1.7-udp", .corosync3),
]

private let captures = generations.flatMap { CaptureSupport.captureNames(prefix: $0.prefix) }
    .filter { !$0.contains(".ring1.") }.map { String($0.dropLast(".pcap".count)) }

/// What docs/replay-totem.md says that each replay gives: `| udpu-form | 1 | started | equal, 162 | equal, 162 |`, before corosync 3
/// without the last column.
private let expected: [Substring] = {
    let path = CaptureSupport.folder.dropLast("captures".count) + "docs/replay-totem.md"
    let text = try? String(contentsOfFile: String(path), encoding: .utf8)
    return text?.split(separator: "\n").filter { $0.hasPrefix("| ") } ?? []
}()

private let keys: [SecurityKey] = {
    let files = ["authkey-256.bin", "authkey14-128ascii.bin", "authkey14-127ascii-nul.bin"].map { "corosync/keys/\($0)" }
    return [SecurityKey(clusterName: "oacluster")] + files.compactMap(key)
}()

private func key(_ name: String) -> SecurityKey? {
    (try? SecurityKeyFile.load(path: CaptureSupport.path(of: name)))?.key
}

private func words(_ outcome: TotemReplayOutcome) -> String {
    switch outcome {
    case .equal(let packets): "equal, \(packets)"
    case .notReplayable(let reason): "not replayable because \(reason)"
    case .different(let frame, let packets, let difference): "differs at frame \(frame) after \(packets) in \(difference.field)"
    }
}

@Test(arguments: captures)
func theEnginesSendWhatTheDaemonsSent(capture: String) throws {
    let generation = try #require(generations.first { capture.hasPrefix($0.prefix) }?.generation)
    var replay = TotemReplayCase(
        generation,
        datagrams: try CaptureSupport.datagrams(of: "\(capture).pcap"),
        truth: try CaptureSupport.text(of: "\(capture).truth.txt"),
        keys: keys + [key("\(capture).authkey")].compactMap { $0 }
    )
    // In the mixed rings node 3 runs corosync 1; its id is a number, or its address as a little-endian word.
    if capture.contains("/mixed-") { for node: UInt32 in [3, 0x0304_4D0A] { replay.exceptions[node] = .corosync1 } }
    let name = capture.split(separator: "/")[1].replacing("3.1.7-", with: "")
    var rows: [String] = []
    for row in try replay.rows() {
        let cells = [String(name), String(row.life.node), row.life.begin == nil ? "running" : "started"] + row.outcomes.map(words)
        for case .different(_, _, let difference) in row.outcomes { print("\(capture), node \(row.life.node): \(difference)") }
        rows.append("| " + cells.joined(separator: " | ") + " |")
    }
    #expect(rows == expected.filter { $0.hasPrefix("| \(name) |") }.map(String.init))
    for row in rows { print("REPLAY", row) }
}
