import Foundation
import Testing

@testable import BridgeRuntime

/// `ringbridge node` processes for tests.
final class NodeUnderTest {
    let client: NodeClient
    let name: String

    /// The command that was built with these tests.
    static var executable: String {
        get throws {
            // The test runner stands beside it, or the test bundle does.
            let folders =
                [Bundle.main.executablePath, CommandLine.arguments.first].compactMap(\.self)
                .map { URL(fileURLWithPath: $0).deletingLastPathComponent() }
                + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let builds = ["debug", "release"].map { root.appendingPathComponent(".build/\($0)") }
            let candidates = (folders + builds).map { $0.appendingPathComponent("ringbridge").path }
            return try #require(candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "no ringbridge in \(candidates)")
        }
    }

    init(_ name: String, configuration: String, in folder: TemporaryFolder) throws {
        self.name = name
        let path = try folder.write("\(name).yaml", configuration)
        client = try NodeClient(
            executable: try Self.executable,
            arguments: ["node", "--config", path],
            log: "\(folder.path)/\(name).log"
        )
    }

    var messages: [String] { client.lines.filter { $0.hasPrefix("message ") } }

    /// Waits until `condition` holds for what the node has said; the bound only serves to fail instead of hanging.
    func wait(_ what: String, seconds: Double = 40, until condition: ([String]) -> Bool) throws {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            client.poll()
            if condition(client.lines) { return }
            usleep(5000)
        }
        throw Timeout(description: "\(name) never said: \(what). It said: \(client.lines.suffix(30).joined(separator: " | "))")
    }

    struct Timeout: Error, CustomStringConvertible {
        var description: String
    }
}
