import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// What is known of clusters that a proxy should not be in.
///
/// After a partition a native member that the others hold dead, and that nobody has restarted yet, goes on with its view and lets joiners
/// in (reference/cman-wire.md 5.12). All proxies belong into one cluster: the one that is quorate, or will be.
struct DeadEnds: Sendable {
    /// Since when proxies have been members of different clusters.
    var contradictedSince: Instant?
    /// The proxy whose word counts as long as they are.
    var leader: UInt32?
    /// When a native member of another cluster, that was quorate while the proxies' was not, was heard of first and last.
    var outsider: (first: Instant, last: Instant)?
    /// When a quorate HELLO was heard last while no proxy was a member.
    var lastQuorateHello: Instant?
}

extension CmanSide {
    /// The longest that members of one cluster differ: a transition, and the HELLO that tells of its end.
    var longestDisagreement: Interval { configuration.cman.timers.transition + configuration.cman.timers.hello * 2 }

    /// When `leaveDeadEnds` has something to do.
    var deadEndDeadline: Instant? { deadEnds.contradictedSince.map { $0 + longestDisagreement } }

    private var settledProxies: [Int] {
        proxies.indices.filter { proxies[$0].isMember && !proxies[$0].isLeaving && proxies[$0].end == nil }
    }

    private func view(_ index: Int) -> Set<UInt32> {
        Set(proxies[index].node.members.lazy.filter { $0.state == .member }.map(\.id))
    }

    /// Of different clusters the quorate one counts, then the largest, then the one of the lowest proxy.
    private func leading(of candidates: [Int]) -> Int? {
        func rank(_ index: Int) -> (Int, Int) { (proxies[index].node.quorum.isQuorate ? 1 : 0, view(index).count) }
        return candidates.max { rank($0) != rank($1) ? rank($0) < rank($1) : $0 > $1 }
    }

    /// Looks whether all proxies that are members are members of one cluster. To be called when membership may have changed.
    mutating func compareProxies(at now: Instant) {
        let settled = settledProxies
        guard let first = settled.first, settled.dropFirst().contains(where: { view($0) != view(first) }) else {
            deadEnds.contradictedSince = nil
            deadEnds.leader = nil
            return
        }
        guard deadEnds.contradictedSince == nil else { return }
        deadEnds.contradictedSince = now
        let present = authority
        deadEnds.leader = (present.map { proxies[$0].node.quorum.isQuorate } == true ? present : leading(of: settled)).map {
            proxies[$0].id
        }
    }

    /// Lets proxies that have been in another cluster than the leading one for too long leave it; the bridge admits them again.
    mutating func leaveDeadEnds(at now: Instant, into effects: inout BridgeEffects) {
        guard let deadline = deadEndDeadline, deadline <= now else { return }
        deadEnds.contradictedSince = now
        let settled = settledProxies
        guard let leading = leading(of: settled) else { return }
        deadEnds.leader = proxies[leading].id
        let members = view(leading)
        abandon(settled.filter { view($0) != members }, at: now, into: &effects)
    }

    /// Lets proxies leave a cluster that the bridge does not want them in, to be admitted again.
    mutating func abandon(_ indices: [Int], at now: Instant, into effects: inout BridgeEffects) {
        for index in indices where proxies[index].isMember {
            run(index, at: now, into: &effects) { $0.leave(reason: .down, at: now, into: &$1) }
            if !proxies[index].isLeaving { proxies[index].end = .inconsistent }
        }
    }

    /// A native host outside the proxies' cluster says HELLO. Where that host's cluster is quorate, and theirs is not, theirs is the dead end.
    mutating func hearOutsider(_ hello: CmanHello, at now: Instant, into effects: inout BridgeEffects) {
        guard let authority, hello.flags & CmanHello.quorateFlag != 0, !proxies[authority].node.quorum.isQuorate else { return }
        let isContinued = deadEnds.outsider.map { now - $0.last <= configuration.cman.timers.hello * 2 } ?? false
        let first = isContinued ? deadEnds.outsider?.first ?? now : now
        deadEnds.outsider = (first, now)
        guard now - first > longestDisagreement else { return }
        deadEnds.outsider = nil
        abandon(settledProxies, at: now, into: &effects)
    }

    /// Whether a datagram is a HELLO that a proxy which asks to be let in must not follow.
    mutating func leadsIntoDeadEnd(_ datagram: UnsafeRawBufferPointer, at now: Instant) -> Bool {
        guard proxies.contains(where: { !$0.isMember }), case .hello = CmanPacket(shapeOf: datagram).body,
            let packet = try? CmanPacket(reading: datagram), case .hello(let hello) = packet.body,
            let sender = UInt32(exactly: packet.header.sourceID)
        else { return false }
        let isQuorate = hello.flags & CmanHello.quorateFlag != 0
        if let authority {
            return !view(authority).contains(sender) && (!isQuorate || proxies[authority].node.quorum.isQuorate)
        }
        if isQuorate { deadEnds.lastQuorateHello = now }
        return !isQuorate && (deadEnds.lastQuorateHello.map { now - $0 <= configuration.cman.timers.hello * 2 } ?? false)
    }
}
