import Glibc

/// Lines that come in on a descriptor, without blocking and without taking more than is there.
struct LineInput {
    private var pending: [UInt8] = []
    /// Set when the other end has closed.
    private(set) var isAtEnd = false

    /// No line is longer; a longer one is dropped and counted.
    static let limit = 4 << 20
    /// Lines that were too long.
    private(set) var dropped = 0

    /// Reads once from `descriptor`, which is ready, and returns the lines that are complete.
    mutating func read(from descriptor: Int32) -> [String] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count <= 0 {
            guard count == 0 || (errno != EAGAIN && errno != EINTR) else { return [] }
            isAtEnd = true
            defer { pending.removeAll() }
            return pending.isEmpty ? [] : [String(decoding: pending, as: UTF8.self)]
        }
        pending += buffer[..<count]
        var lines: [String] = []
        var start = 0
        while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(String(decoding: pending[start..<end], as: UTF8.self))
            start = end + 1
        }
        pending.removeFirst(start)
        if pending.count > Self.limit {
            pending.removeAll()
            dropped += 1
        }
        return lines
    }
}
