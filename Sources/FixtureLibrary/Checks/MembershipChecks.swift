import TotemWire

/// Compares what the packets say about members with what the daemons reported.
struct MembershipChecks {
    /// How long before its answer a question to a daemon was written down, and how late a program hears of a change, in seconds.
    static let slack = 1.0
    /// A legacy member tells in HELLO, every 5 s, whether it has quorum.
    private static let helloPeriod = 6.0

    let timeline: CaptureTimeline

    /// Every reported view is the one that the packets give.
    func views(_ expected: [MembershipView]) -> CheckOutcome {
        guard !expected.isEmpty else { return .skipped("the daemons' reports hold no member list") }
        var invisible = 0
        for view in expected {
            let isVisible: Bool?
            if !timeline.cman.views.isEmpty {
                isVisible = cmanView(view)
            } else {
                isVisible = totemView(view)
            }
            switch isVisible {
            case true?: continue
            case nil: invisible += 1
            case false?: return .failed("\(Self.describe(view)), but the packets say \(packetsSay(view))")
            }
        }
        let compared = expected.count - invisible
        let rest = invisible == 0 ? "" : ", \(invisible) of nodes alone, which the packets do not show"
        return .passed("\(compared) reported views\(rest)")
    }

    private static func describe(_ view: MembershipView) -> String {
        var text = "at \(yamlSeconds(view.at)) s node \(view.node) reported members \(view.members)"
        if let generation = view.generation { text += " generation \(generation)" }
        if let ring = view.ring { text += " ring \(ring)" }
        if let isQuorate = view.isQuorate { text += isQuorate ? " quorate" : " inquorate" }
        return text
    }

    private func packetsSay(_ view: MembershipView) -> String {
        if let latest = timeline.cman.views.last(where: { $0.node == view.node && $0.at <= view.at + Self.slack }) {
            let quorum = latest.isQuorate.map { $0 ? " quorate" : " inquorate" } ?? ""
            return "\(latest.members) generation \(latest.generation.map { String($0) } ?? "?")\(quorum) at \(yamlSeconds(latest.at)) s"
        }
        guard let presence = timeline.presences(of: view.node).last(where: { $0.begin <= view.at + Self.slack }) else {
            return "nothing of that node"
        }
        return
            "\(members(of: presence.ring, seenBy: view.node, at: view.at).sorted()) ring \(presence.ring) until \(yamlSeconds(presence.end)) s"
    }

    private func cmanView(_ expected: MembershipView) -> Bool? {
        let own = timeline.cman.views.filter { $0.node == expected.node }
        let last = own.last { $0.at <= expected.at }
        let candidates = (last.map { [$0] } ?? []) + own.filter { $0.at > expected.at && $0.at <= expected.at + Self.slack }
        guard candidates.contains(where: { $0.members == expected.members && $0.generation == expected.generation }) else { return false }
        guard let isQuorate = expected.isQuorate else { return true }
        let told = own.filter { $0.isQuorate != nil && $0.generation == expected.generation && $0.members == expected.members }
        let near = [told.last { $0.at <= expected.at }, told.first { $0.at > expected.at && $0.at < expected.at + Self.helloPeriod }]
        let opinions = near.compactMap { $0?.isQuorate }
        return opinions.isEmpty || opinions.contains(isQuorate)
    }

    private func totemView(_ expected: MembershipView) -> Bool? {
        let own = timeline.presences(of: expected.node)
        let last = own.last { $0.begin <= expected.at }
        let later = own.filter { $0.begin > expected.at && $0.begin <= expected.at + Self.slack }
        // A report can come just after the ring that it tells of is over.
        var earlier = own.filter { $0.end >= expected.at - Self.slack && $0.begin <= expected.at }
        // And a new ring is not told of before it is in use.
        for (before, after) in zip(own, own.dropFirst()) where before.begin <= expected.at {
            if (timeline.totem.rings[after.ring]?.usedFrom ?? .infinity) >= expected.at - Self.slack { earlier.append(before) }
        }
        for presence in (last.map { [$0] } ?? []) + later + earlier {
            guard expected.ring.map({ $0 == "\(presence.ring)" }) ?? true,
                expected.generation.map({ $0 == UInt64(presence.ring.sequence) }) ?? true
            else { continue }
            for time in [expected.at, expected.at + Self.slack]
            where members(of: presence.ring, seenBy: expected.node, at: time).sorted() == expected.members {
                return true
            }
        }
        // Who is alone passes its token to itself, and over udpu its messages too.
        if expected.members == [expected.node], last.map({ $0.end <= expected.at + Self.slack }) ?? true { return nil }
        return false
    }

    /// The members of a ring; for cman above it those that cman counts.
    private func members(of ring: RingID, seenBy node: UInt32, at time: Double) -> Set<UInt32> {
        let processors = timeline.members(of: ring)
        return timeline.totem.cmanChanges.isEmpty
            ? processors : timeline.totem.cmanMembers(of: ring, seenBy: node, processors: processors, at: time)
    }

    /// Every ring that a daemon took into use is in the packets, with its members, and no others are.
    func formations(_ expected: [RingFormation], incompleteLogs: [UInt32]) -> CheckOutcome {
        guard !expected.isEmpty else { return .skipped("the daemons' logs tell of no new ring") }
        var compared = 0
        for node in Set(expected.map(\.node)).sorted() {
            // The ring in which the capture begins was formed before it; a ring of one has no commit token on the network.
            var seen = timeline.ringsInUse(by: node).filter { $0.isFormedHere || $0.formation.members.count == 1 }[...]
            for formation in expected where formation.node == node {
                if let next = seen.first, !next.isFormedHere, !Self.agree(next.formation, formation) { seen = seen.dropFirst() }
                guard let next = seen.first?.formation, Self.agree(next, formation) else {
                    // A ring of one is used without a packet on the network where messages are unicasts.
                    if formation.members == [node] { continue }
                    return .failed(
                        "node \(node) reported ring \(formation.ring ?? "?") of \(formation.members), but the packets show "
                            + (seen.first.map { "ring \($0.formation.ring ?? "?") of \($0.formation.members)" } ?? "no further ring")
                    )
                }
                seen = seen.dropFirst()
                compared += 1
            }
            // What came at the very end may not have been written down.
            if let last = seen.first, !incompleteLogs.contains(node), last.from < timeline.duration - Self.slack {
                let more = last.formation
                return .failed("the packets show ring \(more.ring ?? "?") of \(more.members), which node \(node) does not report")
            }
        }
        return .passed("\(compared) rings taken into use")
    }

    private static func agree(_ one: RingFormation, _ other: RingFormation) -> Bool {
        one.members == other.members && (one.ring == nil || other.ring == nil || one.ring == other.ring)
    }
}
