import EngineKit
import Glibc

/// The clock that engines are driven by: it never goes back and does not stand still while the process waits.
public enum MonotonicClock {
    /// The present time, counted from the start of the machine.
    public static func now() -> Instant { read(CLOCK_MONOTONIC) }

    static func read(_ clock: clockid_t) -> Instant {
        var time = timespec()
        clock_gettime(clock, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// The clock of logs and captures.
public enum WallClock {
    /// The present time in nanoseconds since 1970.
    public static func now() -> Int64 { MonotonicClock.read(CLOCK_REALTIME).nanoseconds }
}
