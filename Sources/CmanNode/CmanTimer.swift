/// The timers of a node, in the order in which they expire when they are due at once.
package enum CmanTimer: Int, CaseIterable, Sendable {
    /// Acknowledgements are missing.
    case retransmit
    /// Stays in STARTING, NEWCLUSTER, JOINING, JOINWAIT, JOINACK.
    case membership
    /// NEWCLUSTER is due.
    case announcement
    /// Watchdog of a transition, and of JOINCONF.
    case transition
    /// The first timeout of a barrier.
    case barrier
    /// A leave command that waits for the end of a transition.
    case leave
    /// HELLO is due.
    case hello
}
