import Foundation
import Testing

@testable import BridgeRuntime

/// `ringbridge node` processes for tests.
final class NodeUnderTest {
    let client: NodeClient
    let name: String
    /// Its files are there as long as it is.
    private let folder: TemporaryFolder

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
            return try #require(
                candidates.first { FileManager.default.isExecutableFile(atPath: $0) },
                "no ringbridge in \(candidates)"
            )
        }
    }

    /// Where the program for network namespaces is.
    static let ip = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].first { FileManager.default.isExecutableFile(atPath: $0) } ?? "/bin/ip"

    /// Starts it, in the network namespace `namespace` if one is named.
    init(_ name: String, configuration: String, in folder: TemporaryFolder, namespace: String? = nil) throws {
        self.name = name
        self.folder = folder
        let path = try folder.write("\(name).yaml", configuration)
        let executable = try Self.executable
        let arguments = ["node", "--config", path]
        client = try NodeClient(
            executable: namespace == nil ? executable : Self.ip,
            arguments: namespace.map { ["netns", "exec", $0, executable] + arguments } ?? arguments,
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
