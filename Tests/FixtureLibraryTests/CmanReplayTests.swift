import CaptureSupport
import CmanNode
import FixtureLibrary
import Foundation
import Testing

/// Our engine in the role of each recorded cman daemon.
@Suite struct CmanReplays {
    static func page() throws -> String {
        try String(contentsOfFile: "\(CaptureSupport.folder)/cman/README.md", encoding: .utf8)
    }

    @Test(arguments: CaptureSupport.captureNames(prefix: "cman/"))
    func sendsWhatTheDaemonSent(_ name: String) throws {
        let capture = String(name.dropFirst("cman/".count))
        let recording = CmanRecording(name: capture, datagrams: try CaptureSupport.datagrams(of: name))
        let replay = CmanReplay(recording: recording, actions: CmanActions(page: try Self.page(), capture: capture))
        for life in replay.lives {
            switch replay.run(life) {
            case .equal(let messages, let acks): print("ROW|\(capture)|\(life)|equal|\(messages)/\(acks)")
            case .differs(let difference): print("ROW|\(capture)|\(life)|differs|\(difference)")
            }
        }
    }
}
