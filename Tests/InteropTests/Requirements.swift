import Foundation

/// What interop tests need of the machine. In CI all of it is there; elsewhere the tests are skipped and say why.
enum Requirements {
    /// Why the tests cannot run here, or nil.
    static let missing: String? = {
        guard geteuid() == 0 else { return "needs root for network namespaces" }
        for program in ["ip", "corosync", "nft", "nsenter", "unshare", "chrt", "tcpdump", "cc"] where !isOnPath(program) {
            return "needs the program \(program)"
        }
        guard FileManager.default.fileExists(atPath: "/usr/include/corosync/cpg.h") else { return "needs libcpg-dev" }
        let probe = "rbprobe\(getpid())"
        guard (try? run(["ip", "netns", "add", probe])) != nil else { return "network namespaces cannot be made here" }
        _ = try? run(["ip", "netns", "delete", probe])
        return nil
    }()

    /// Whether CI demands that nothing is skipped.
    static let mustRun = ProcessInfo.processInfo.environment["CI"] != nil

    private static func isOnPath(_ program: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }
}
