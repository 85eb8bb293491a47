import EngineKit

extension TotemNode {
    /// The token timer ran out (timer_function_orf_token_timeout totemsrp.c:1761).
    mutating func tokenIsLost(at now: Instant, into effects: inout Output) {
        counters.tokenLosses += 1
        switch state {
        case .operational, .commit:
            enterGather(at: now, into: &effects)
        case .gather:
            giveUpOnSilentProcessors(at: now, into: &effects)
            enterGather(at: now, into: &effects)
        case .recovery:
            abandonRecovery(at: now, into: &effects)
        case .idle, .left:
            break
        }
    }
}
