import EngineKit

/// Takes one address: probes, then announces. A value without I/O; whoever runs it drops it when somebody else claims the address.
struct AddressClaim {
    /// What is to be done.
    enum Action: Equatable {
        /// Send a probe.
        case probe
        /// Nobody answered: add the address to the interface.
        case take
        /// Send an announcement.
        case announce
    }

    /// Where it is.
    enum State: Equatable {
        /// Probes sent so far.
        case probing(Int)
        /// The address is ours; announcements sent so far.
        case held(Int)
    }

    /// RFC 5227 waits for seconds because a whole network may boot at once; here one bridge takes a handful of addresses, and a
    /// proxy that comes late costs the cluster more. Three probes still bridge the loss of two.
    static let probes = 3
    static let probeInterval = Interval.milliseconds(200)
    /// The first announcement goes out with the address; two more for whoever missed it.
    static let announcements = 3
    static let announceInterval = Interval.seconds(1)

    /// Where it is.
    private(set) var state = State.probing(0)
    /// When `advance` must be called next; nil when there is nothing left to do.
    private(set) var nextDeadline: Instant?

    /// Begins at `now`.
    init(at now: Instant) {
        nextDeadline = now
    }

    /// What is due at `now`.
    mutating func advance(to now: Instant) -> [Action] {
        guard let deadline = nextDeadline, deadline <= now else { return [] }
        switch state {
        case .probing(let sent) where sent < Self.probes:
            state = .probing(sent + 1)
            nextDeadline = now + Self.probeInterval
            return [.probe]
        case .probing:
            state = .held(1)
            nextDeadline = now + Self.announceInterval
            return [.take, .announce]
        case .held(let sent):
            state = .held(sent + 1)
            nextDeadline = sent + 1 < Self.announcements ? now + Self.announceInterval : nil
            return [.announce]
        }
    }
}
