/// Why a capture file could not be read or written. Its description is one line.
public struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, as the caller named it.
    public var path: String
    /// What is wrong with it.
    public var reason: String

    /// Makes an error about the file `path`.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(path): \(reason)" }
}
