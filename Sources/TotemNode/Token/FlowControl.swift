import TotemWire

/// How many messages a processor may send at a visit of the token (reference/totem-engine.md 5.6; fcc_calculate totemsrp.c:3613).
struct FlowControl: Sendable {
    /// Messages sent at the last visit (my_trc).
    private var transmitted: UInt32 = 0
    /// Messages that wait now (my_cbl).
    private var currentBacklog: UInt32 = 0
    /// Messages that waited at the last visit (my_pbl).
    private var previousBacklog: UInt32 = 0

    /// Messages allowed at this visit while `backlog` messages wait.
    mutating func allowance<Dialect>(for token: borrowing OrfToken<Dialect>, backlog: Int, limits: TotemTimers) -> UInt32 {
        // A count above the window wraps, and the limit per visit decides, as in the daemons.
        var allowed = min(limits.maxMessages, limits.windowSize &- token.flowControlCount)
        currentBacklog = UInt32(backlog)
        let everyone = token.backlog &+ currentBacklog &- previousBacklog
        if everyone > 0 {
            let share = limits.windowSize &* previousBacklog / everyone
            if share > 0 { allowed = min(allowed, share) }
        }
        return allowed
    }

    /// Puts this processor's part into the token (fcc_token_update totemsrp.c:3664).
    mutating func update<Dialect>(_ token: inout OrfToken<Dialect>, transmitted count: UInt32) {
        token.flowControlCount &+= count &- transmitted
        token.backlog &+= currentBacklog &- previousBacklog
        transmitted = count
        previousBacklog = currentBacklog
    }
}
