import Foundation
import Testing

@testable import BridgeRuntime

/// The whole of it: seven processes, real sockets, an upgrade.
@Suite struct DemonstrationTests {
    @Test func everythingHoldsAndTheFolderHasItAll() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/demo"
        let output = "\(folder.path)/output"
        let child = try ChildProcess(try NodeUnderTest.executable, ["demo", "--folder", path], output: .file(output), error: .file(output))
        let end = Date().addingTimeInterval(150)
        while child.exitStatus() == nil, Date() < end { usleep(50_000) }
        let text = try String(contentsOfFile: output, encoding: .utf8)
        #expect(child.exitStatus() == 0, "\(text)")
        let files = Set(try FileManager.default.contentsOfDirectory(atPath: path))
        for name in [
            "cluster.conf", "corosync.conf", "bridge.yaml", "bridge.log", "node3-legacy.events", "node3-corosync.events", "demo.pcap",
        ] {
            #expect(files.contains(name), "\(name) is missing")
        }
        // What it says is worth nothing unless it can also fail: a folder in use is refused.
        let again = try ChildProcess(try NodeUnderTest.executable, ["demo", "--folder", path], output: .null, error: .file(output))
        while again.exitStatus() == nil, Date() < end { usleep(10_000) }
        #expect(again.exitStatus() == 2)
    }
}
