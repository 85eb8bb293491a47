import Glibc

/// Writes reports to a descriptor, many lines with one call.
final class ReportOutput {
    private let descriptor: Int32
    private let asJSON: Bool
    private var pending: [UInt8] = []

    /// Writes to `descriptor`, as JSON lines or as text.
    init(descriptor: Int32, asJSON: Bool) {
        self.descriptor = descriptor
        self.asJSON = asJSON
    }

    /// Adds a line.
    func report(_ report: NodeReport) {
        pending += Array((asJSON ? report.json(time: WallClock.now()) : report.line).utf8)
        pending.append(UInt8(ascii: "\n"))
    }

    /// Writes what was added. A reader that has gone is no error: the member still has to leave in order.
    func flush() {
        var start = 0
        while start < pending.count {
            let count = pending[start...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                start += count
            } else if errno == EAGAIN {
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                Glibc.poll(&poll, 1, 1000)
            } else if errno != EINTR {
                break
            }
        }
        pending.removeAll(keepingCapacity: true)
    }
}
