import CaptureSupport
import EngineKit
import FixtureLibrary
import Testing
import TotemNode
import WireFormat

private let captures = [
    "udpu-form", "udp-form", "udpu-idle", "udp-idle", "udpu-stop", "udp-stop", "udpu-kill", "udp-kill", "udpu-cpg", "udp-cpg",
]

/// The captures were made with `token: 1000` and three nodes: 1000 + 650 ms.
private let timers = TotemTimers(token: .milliseconds(1650))

@Test(arguments: captures)
func theEngineSendsWhatTheDaemonSent(capture: String) throws {
    let name = "corosync/3.1.7-\(capture)"
    let recording = try TotemRecording(CaptureSupport.datagrams(of: "\(name).pcap"))
    let truth = try CaptureSupport.text(of: "\(name).truth.txt")
    for life in TotemLives.lives(nodes: recording.nodes, truth: truth) {
        let outcome = try TotemReplay(recording, timers: timers).run(life)
        print("REPLAY", capture, life.node, life.begin == nil ? "running" : "started", outcome)
        guard case .equal = outcome else {
            Issue.record("\(capture), node \(life.node): \(outcome)")
            continue
        }
    }
}
