import Glibc
import Testing

/// A path in a folder of its own that is removed at the end.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/ringbridge-captures-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/tmp"
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ bytes: [UInt8], to name: String) {
        guard let file = fopen(file(name), "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    func bytes(of name: String) -> [UInt8] { Self.contents(of: file(name)) }

    static func contents(of path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 22)
        let count = fread(&buffer, 1, buffer.count, file)
        return Array(buffer[..<count])
    }

    /// The lines that a program writes to its standard output.
    static func output(of command: String) throws -> [String] {
        let pipe = try #require(popen("\(command) 2>/dev/null", "r"))
        defer { pclose(pipe) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 10_000)
        while fgets(&buffer, Int32(buffer.count), pipe) != nil {
            lines.append(String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        return lines
    }

    deinit {
        guard path != "/tmp", let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { unlink(file(name)) }
        }
        closedir(directory)
        rmdir(path)
    }
}
