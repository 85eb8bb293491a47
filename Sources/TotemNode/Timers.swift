/// The timers of a Totem processor (reference/totem-engine.md 1). Where two are due at the same time the one declared first goes first.
enum TotemTimer: Int, CaseIterable, Sendable {
    /// A token that this processor sent to itself, alone in its ring, arrives.
    case ownToken
    /// Resend the token.
    case tokenRetransmit
    /// Let a held token go.
    case hold
    /// Multicast a merge detect.
    case mergeDetect
    /// Repeat JOIN.
    case join
    /// Give up on silent processors.
    case consensus
    /// The token is lost.
    case token
    /// The token of a ring that is not idle is late.
    case heartbeat
    /// Notice that the process was paused.
    case pause
}
