import CPcap
import Glibc

/// Lets a program end what it does in its own time when SIGINT or SIGTERM comes: while this lives, the signals wait instead of ending
/// the program. To be made before there are other threads.
public final class StopSignals {
    private var signals = sigset_t()
    private var before = sigset_t()

    /// Holds the signals back.
    public init() {
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
    }

    /// Whether one of them has come.
    public var isPending: Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1
    }

    /// Forgets those that have come, and lets the next one end the program.
    deinit {
        var none = timespec()
        while sigtimedwait(&signals, nil, &none) > 0 {}
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
