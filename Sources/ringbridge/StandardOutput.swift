import Captures
import Dissection
import Glibc

/// Text for the standard output, written in large pieces.
struct StandardOutput {
    /// The reader of the output is gone.
    struct Closed: Error {}

    private static let pieceSize = 1 << 16

    /// What is to be written next.
    var text = TextBuffer()

    init() {
        // A closed pipe is an error of write(2), not a signal.
        signal(SIGPIPE, SIG_IGN)
        text.reserve(2 * Self.pieceSize)
    }

    var isFull: Bool { text.count >= Self.pieceSize }

    /// Writes what has gathered. Throws `Closed` when nobody reads it.
    mutating func flush() throws {
        defer { text.removeAll() }
        var written = 0
        while written < text.count {
            let count = text.bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress.map { $0 + written }, $0.count - written) }
            if count > 0 {
                written += count
            } else if errno == EPIPE {
                throw Closed()
            } else if errno != EINTR {
                throw CaptureError(path: "standard output", reason: String(cString: strerror(errno)))
            }
        }
    }
}
