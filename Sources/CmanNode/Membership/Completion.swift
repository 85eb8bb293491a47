import CmanWire
import EngineKit
import WireFormat

/// The barrier at the end of a transition, for master and clients alike (reference/cman-wire.md 5.4, 7).
extension CmanNode {
    mutating func awaitCompletion(_ outcome: TransitionOutcome, into effects: inout CmanEffects) {
        change(to: .completing(outcome), into: &effects)
        startBarrier(
            outcome.barrier,
            expected: table.memberCount,
            timeout: configuration.timers.transition,
            isCompletion: true,
            into: &effects
        )
    }

    /// The completion barrier ended.
    mutating func completionBarrierEnded(_ result: CmanBarrierResult, into effects: inout CmanEffects) {
        guard case .completing(let outcome) = role else { return }
        guard result == .completed else {
            completionFailed(outcome, into: &effects)
            return
        }
        finishTransition(
            CmanQuorum(quorum: outcome.quorum, totalVotes: outcome.totalVotes, expectedVotes: membersExpectedVotes),
            into: &effects
        )
    }

    private mutating func completionFailed(_ outcome: TransitionOutcome, into effects: inout CmanEffects) {
        guard outcome.isMaster else {
            change(to: .client(master: outcome.master, view: ViewComparison()), into: &effects)
            timers[.transition] = now + configuration.timers.transition
            return
        }
        change(to: .master(.start), into: &effects)
        // A death that waits starts the transition again by itself.
        guard pendingDeaths.isEmpty else { return }
        restartAfterCompletion(into: &effects)
    }

    private mutating func restartAfterCompletion(into effects: inout CmanEffects) {
        if rules.abandonsBarrier == .always {
            // Clients count the joiner as a member since ENDTRANS. To forget it here would make the views differ; if it is dead, it will
            // not answer the next STARTTRANS.
            transition.joiner = nil
            transition.joinerEndpoint = nil
            transition.reason = .check
        } else {
            removeJoiner(tellingItToWait: false, into: &effects)
        }
        startTransition(.restart, subject: id, into: &effects)
    }

    /// Leaves the barrier before its time because it cannot be completed any more.
    mutating func abandonBarrier(_ outcome: TransitionOutcome, into effects: inout CmanEffects) {
        removeBarrier(outcome.barrier)
        if outcome.isMaster, rules.abandonsBarrier == .always {
            transition.joiner = nil
            transition.joinerEndpoint = nil
            if transition.reason == .newNode { transition.reason = .check }
        } else if outcome.isMaster {
            removeJoiner(tellingItToWait: false, into: &effects)
        }
        if outcome.isMaster {
            change(to: .master(.start), into: &effects)
        } else {
            change(to: .client(master: outcome.master, view: ViewComparison()), into: &effects)
            timers[.transition] = now + configuration.timers.transition
        }
    }

    /// Back in normal operation.
    mutating func finishTransition(_ quorum: CmanQuorum, into effects: inout CmanEffects) {
        transition.joiner = nil
        transition.joinerEndpoint = nil
        transition.overheard = nil
        transition.allowsDecrease = false
        transition.reason = nil
        change(to: .member, into: &effects)
        let now = now
        table.forEach { if $0.state == .member { $0.lastHello = now } }
        transitionEnded = now
        adopt(quorum, into: &effects)
        reportNewMembers(into: &effects)
        effects.report(.transitionEnded(generation: currentGeneration))
        abortBarriersAfterTransition(into: &effects)
        sendWaitingProbes(into: &effects)
    }
}
