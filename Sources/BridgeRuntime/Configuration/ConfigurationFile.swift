import Glibc

/// Reads small text files.
enum ConfigurationFile {
    /// No configuration is longer.
    static let limit = 4 << 20

    /// The text of the file at `path`.
    static func text(of path: String) throws(ConfigurationError) -> String {
        let place = ConfigurationPlace(file: path)
        guard let file = fopen(path, "rbe") else {
            throw ConfigurationError(
                place,
                SystemCallError("read", code: errno).reason,
                remedy: "check the name and who may read it"
            )
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        guard ferror(file) == 0 else {
            throw ConfigurationError(place, "cannot be read", remedy: "check that it is a file and not a directory")
        }
        guard bytes.count <= limit else {
            throw ConfigurationError(place, "is larger than \(limit) bytes", remedy: "check that it is a configuration file")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(place, "is not UTF-8 text", remedy: "convert it")
        }
        return text
    }
}
