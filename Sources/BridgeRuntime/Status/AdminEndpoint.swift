import CLinuxNet
import Foundation
import Glibc
import Synchronization

/// Answers `ringbridge status` on a Unix socket, from a thread of its own that sees snapshots only.
///
/// The protocol is one JSON object per connection: whoever may connect (mode 0600) is told, and nothing is read from it. A privileged
/// daemon needs no web server for that.
final class AdminEndpoint: Sendable {
    /// What does not change while the process lives.
    struct Process: Sendable {
        var id: Int32
        /// Nanoseconds since 1970.
        var started: Int64
    }

    let process: Process
    private let path: String
    private let snapshot: SnapshotBox

    private final class SnapshotBox: Sendable {
        let latest = Mutex<StatusDocument?>(nil)
    }

    /// Listens at `path`. A socket that an earlier process left behind is replaced; one that answers is an error.
    init(path: String) throws(SystemCallError) {
        self.path = path
        process = Process(id: getpid(), started: WallClock.now())
        snapshot = SnapshotBox()
        let other = linuxnet_unix_connect(path)
        if other >= 0 {
            close(other)
            throw SystemCallError("listen at \(path): another bridge answers there", code: EADDRINUSE)
        }
        // A file of another kind refuses too.
        var found = stat()
        if -other == ECONNREFUSED, lstat(path, &found) == 0, found.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        let listener = FileDescriptor(owning: try SystemCallError.check(linuxnet_unix_listen(path), "listen at \(path)"))
        let endpoint = ListeningEnd(listener, snapshot)
        Thread { endpoint.serve() }.start()
    }

    deinit {
        unlink(path)
    }

    /// Replaces the snapshot.
    func publish(_ document: StatusDocument) {
        snapshot.latest.withLock { $0 = document }
    }

    private final class ListeningEnd: Sendable {
        let listener: FileDescriptor
        let snapshot: SnapshotBox

        init(_ listener: consuming FileDescriptor, _ snapshot: SnapshotBox) {
            self.listener = listener
            self.snapshot = snapshot
        }

        /// Serves one client after the other, for as long as the process lives.
        func serve() {
            while true {
                let client = accept(listener.number, nil, nil)
                guard client >= 0 else {
                    // Out of descriptors, perhaps: it passes.
                    usleep(100_000)
                    continue
                }
                answer(client)
                close(client)
            }
        }

        private func answer(_ client: Int32) {
            guard let document = snapshot.latest.withLock({ $0 }), let json = try? StatusCoding.encode(document) else { return }
            // A client that does not read must not keep the next one waiting.
            var patience = timeval(tv_sec: 2, tv_usec: 0)
            setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            var rest = Array(json)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}

/// The JSON of a status.
enum StatusCoding {
    static func encode(_ document: StatusDocument) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(document) + Data("\n".utf8)
    }

    static func decode(_ data: Data) throws -> StatusDocument { try JSONDecoder().decode(StatusDocument.self, from: data) }
}
