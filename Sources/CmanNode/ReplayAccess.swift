import EngineKit

/// What replaying a recorded daemon needs to know and to set. A daemon's timers run on its own clock; replay moves a timer to the moment
/// at which the daemon's ran out, if both are close together.
extension CmanNode {
    /// When `timer` is due.
    package func deadline(of timer: CmanTimer) -> Instant? { timers[timer] }

    /// Moves a timer that runs.
    package mutating func setDeadline(of timer: CmanTimer, to deadline: Instant) {
        guard timers[timer] != nil else { return }
        timers[timer] = deadline
    }

    /// Sequence number of the last message that was numbered.
    package var lastSequence: UInt16 { sequence }

    /// Sequence number of the message that waits for acknowledgements.
    package var outstandingSequence: UInt16? { outstanding?.sequence }

    /// The value of NEWCLUSTER, which the daemon takes from a pointer (reference/cman-wire.md 4.15). To be set after `join`.
    package mutating func setNewClusterValue(_ value: UInt32) { newClusterValue = value }

    /// A program stopped listening without having been bound, which nobody is told.
    package mutating func forgetPort(_ port: UInt8) { ports.remove(port) }
}
