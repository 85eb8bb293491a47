import Glibc

/// A `ringbridge node` process as its starter sees it: commands in, lines out. For the demonstration and for tests.
final class NodeClient {
    /// The process.
    let process: ChildProcess
    /// Every line that it wrote so far.
    private(set) var lines: [String] = []
    private var input = LineInput()

    /// Starts `ringbridge node` with `arguments`; what it logs goes to the end of the file `log`.
    init(executable: String, arguments: [String], log: String) throws(SystemCallError) {
        process = try ChildProcess(executable, arguments, input: .pipe, output: .pipe, error: .file(log))
    }

    /// Writes a command. False when the process no longer reads.
    @discardableResult
    func send(_ command: String) -> Bool {
        guard let number = process.input?.descriptor.number else { return false }
        var rest = Array((command + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Reads what has come without waiting.
    func poll() {
        guard let number = process.output?.descriptor.number else { return }
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        while !input.isAtEnd, Glibc.poll(&entry, 1, 0) > 0 { lines += input.read(from: number) }
    }
}
