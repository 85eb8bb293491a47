import CZlib
import Foundation

/// Reading and writing the library's files.
enum LibraryFile {
    /// Texts of the library are far smaller; more is refused, whatever a compressed file grows to.
    static let sizeLimit = 64 << 20

    /// The text of `path`, inflated when it is gzip'd.
    static func text(_ path: String) throws(FixtureError) -> String {
        guard let file = gzopen(path, "r") else { throw FixtureError(path, String(cString: strerror(errno))) }
        defer { gzclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = gzread(file, &chunk, UInt32(chunk.count))
            guard count >= 0 else { throw FixtureError(path, "cannot be inflated") }
            if count == 0 { break }
            guard content.count < sizeLimit else { throw FixtureError(path, "is larger than \(sizeLimit >> 20) MiB") }
            content.append(contentsOf: chunk[..<Int(count)])
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// Writes `text` to `path`, whose folder is made when it is not there.
    static func write(_ text: String, to path: String) throws(FixtureError) {
        do {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw FixtureError(path, "cannot be written: \(error.localizedDescription)")
        }
    }
}
