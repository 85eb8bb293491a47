import Glibc

/// A system call failed.
public struct SystemCallError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried, e.g. `bind UDP socket to 10.0.0.1:6809`.
    public var operation: String
    /// The errno.
    public var code: Int32

    /// `operation` failed with `code`.
    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// What was tried, and the system's word for why it failed.
    public var description: String { "cannot \(operation): \(reason)" }

    /// The system's word for why it failed.
    public var reason: String {
        guard let text = strerror(code) else { return "error \(code)" }
        return String(cString: text)
    }

    /// `result` when it is not negative; otherwise the error it stands for.
    @discardableResult
    static func check(_ result: Int32, _ operation: @autoclosure () -> String) throws(SystemCallError) -> Int32 {
        guard result < 0 else { return result }
        throw SystemCallError(operation(), code: -result)
    }
}
