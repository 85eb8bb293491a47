import EngineKit

/// Which refused packets get a line in the log: anybody on the network can send as many as he likes, and the counters tell them all.
struct RefusalLog {
    private var next = Instant.zero
    private var withheld: UInt64 = 0

    static let interval = Interval.seconds(10)

    /// A packet is refused at `now`: how many others were since the last line, or nil when this one gets none.
    mutating func admit(at now: Instant) -> UInt64? {
        guard next <= now else {
            withheld += 1
            return nil
        }
        defer {
            next = now + Self.interval
            withheld = 0
        }
        return withheld
    }
}
