/// Why a capture could not be read or written. Its description is one line.
public struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where in a capture file reading ended.
    public struct Place: Hashable, Sendable {
        /// How many frames were read before, which is the number of the last one.
        public var framesBefore: Int
        /// Bytes before the place, counted as they are when a gzip'd file is inflated.
        public var offset: Int
    }

    /// The file or interface, as the caller named it.
    public var path: String
    /// Where in the file it is wrong; nil when it could not be opened.
    public var place: Place?
    /// What is wrong with it.
    public var reason: String

    /// Makes an error about the file or interface `path`.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    init(path: String, place: Place, reason: String) {
        self.path = path
        self.place = place
        self.reason = reason
    }

    public var description: String {
        guard let place else { return "\(path): \(reason)" }
        return "\(path): after frame \(place.framesBefore), at byte \(place.offset): \(reason)"
    }
}
