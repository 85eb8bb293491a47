/// What originals do that breaks an invariant. Each case is as narrow as the history allows, and each has a seed of a cluster without ours
/// that shows it (docs/simulation.md, which also lists the seeds that no case explains). B-numbers are those of
/// reference/cman-behaviour.md 14.
public enum HistoricalException: String, Sendable, Hashable, CaseIterable {
    /// An original delivers a message again: it recognises copies of the last reliable message only (reference/cman-behaviour.md 3).
    case lateCopy
    /// An original delivers what a node sends that it has given up, each copy anew and in the order of arrival
    /// (reference/cman-behaviour.md 3).
    case messageOfStranger
    /// B7: an original counts an acknowledgement that comes late, or again, for the message that it waits for, which is then lost for some,
    /// or comes late for others.
    case staleAcknowledgement
    /// B15: an original obeys a NODEDOWN of a node that is no member, and misses the named one in a view that others agree on.
    case nodeDownOfStranger
    /// B6: an original forgets the joiner of a transition that began anew, and misses it in a view that others agree on.
    case forgottenJoiner
    /// An original takes the end of a transition that is not about it for its own, and is a member without an id
    /// (reference/cman-wire.md 5.4).
    case memberWithoutID
    /// An original lets quorum go down for a node that is removed even where quorum is lost (reference/cman-wire.md 6).
    case decreasedQuorum
    /// A kernel holds that CHECK loses against another transition, a daemon that the lowest id wins: two such masters both give way, or
    /// neither does, and the cluster stays in transition (reference/cman-behaviour.md 11).
    case disputedElection
}
