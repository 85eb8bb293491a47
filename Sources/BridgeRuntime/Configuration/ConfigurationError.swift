/// A place in a configuration file.
public struct ConfigurationPlace: Sendable, Hashable, CustomStringConvertible {
    /// The file as the operator named it.
    public var file: String
    /// The line, from 1; nil where the whole file is meant.
    public var line: Int?

    /// Line `line` of `file`.
    public init(file: String, line: Int? = nil) {
        self.file = file
        self.line = line
    }

    /// `file:line`, as compilers write it.
    public var description: String { line.map { "\(file):\($0)" } ?? file }
}

/// A configuration that cannot be used. Its description is one line: where, what, and what to do.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where.
    public var place: ConfigurationPlace
    /// What is wrong.
    public var problem: String
    /// What to do about it.
    public var remedy: String

    /// `problem` at `place`, to be mended by `remedy`.
    public init(_ place: ConfigurationPlace, _ problem: String, remedy: String) {
        self.place = place
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "\(place): \(problem); \(remedy)" }
}

/// Something in a configuration file that has no effect, and that the operator ought to know about.
public struct ConfigurationWarning: Sendable, Hashable, CustomStringConvertible {
    /// Where.
    public var place: ConfigurationPlace
    /// What has no effect.
    public var message: String

    /// `message` about `place`.
    public init(_ place: ConfigurationPlace, _ message: String) {
        self.place = place
        self.message = message
    }

    public var description: String { "\(place): \(message)" }
}
