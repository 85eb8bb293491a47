import EngineKit
import Simulation
import Testing
import TotemNode

/// The checker must see every kind of fault, or a silent run proves nothing: each test breaks one good history in one way.
@Suite struct ExtendedVirtualSynchronyTests {
    private typealias Fact = RingHistory.Fact

    private let ringOne = TotemRingID(representative: 1, sequence: 4)
    private let ringTwo = TotemRingID(representative: 1, sequence: 8)

    private func label(_ host: Int, _ number: Int) -> MessageLabel { MessageLabel(host: host, incarnation: 1, number: number) }

    private func configuration(
        _ ring: TotemRingID,
        _ members: [UInt32],
        transitional: Bool = false,
        joined: [UInt32] = [],
        left: [UInt32] = []
    ) -> Fact {
        .configuration(TotemMembership(isTransitional: transitional, ring: ring, members: members, joined: joined, left: left))
    }

    /// Nodes 1, 2, 3 form a ring; node 3 vanishes after two messages.
    private func good() -> [[Fact]] {
        let begin = [configuration(ringOne, [], transitional: true), configuration(ringOne, [1, 2, 3], joined: [1, 2, 3])]
        let end = [
            configuration(ringTwo, [1, 2], transitional: true, left: [3]), .delivered(label(1, 2)), configuration(ringTwo, [1, 2]),
        ]
        return [
            [.sent(label(0, 1))] + begin + [.delivered(label(0, 1)), .delivered(label(1, 1))] + end,
            [.sent(label(1, 1)), .sent(label(1, 2))] + begin + [.delivered(label(0, 1)), .delivered(label(1, 1))] + end,
            begin + [.delivered(label(0, 1)), .delivered(label(1, 1)), .delivered(label(1, 2))],
        ]
    }

    private func invariants(_ facts: [[Fact]]) -> Set<String> {
        var history = RingHistory(nodeIDs: [1, 2, 3])
        for (host, list) in facts.enumerated() {
            for (index, fact) in list.enumerated() {
                // The ring forms, then everything is sent, then the rest happens.
                let time: Int64 =
                    switch fact {
                    case .sent: 10
                    case .configuration(let configuration) where configuration.ring == ringOne: 0
                    default: 20 + Int64(index)
                    }
                history.add(fact, of: ProcessID(host: host, incarnation: 1), at: Instant(nanoseconds: time))
            }
        }
        history.end(ProcessID(host: 2, incarnation: 1))
        return Set(ExtendedVirtualSynchrony.violations(of: history, expectsSelfDelivery: true).map(\.invariant))
    }

    @Test func aGoodHistoryPasses() {
        #expect(invariants(good()).isEmpty)
    }

    @Test func anotherOrderIsSeen() {
        var facts = good()
        facts[2].swapAt(2, 3)
        #expect(invariants(facts) == ["one total order"])
    }

    @Test func aMissingMessageIsSeen() {
        var facts = good()
        facts[1].remove(at: 7)
        #expect(invariants(facts).contains("those that move together deliver the same messages"))
        facts = good()
        facts[0].remove(at: 3)
        #expect(invariants(facts).contains("self delivery"))
        #expect(invariants(facts).contains("those that move together deliver the same messages"))
    }

    @Test func aMessageTwiceIsSeen() {
        var facts = good()
        facts[2].append(.delivered(label(1, 2)))
        #expect(invariants(facts).contains("nothing is delivered twice"))
    }

    @Test func aMessageInTwoConfigurationsIsSeen() {
        var facts = good()
        for host in 0..<2 { facts[host].swapAt(facts[host].count - 2, facts[host].count - 1) }
        #expect(invariants(facts).contains("a message is delivered in one configuration"))
    }

    @Test func aGapIsSeen() {
        var facts = good()
        facts[2].remove(at: 3)
        facts[1].append(.sent(label(1, 3)))
        facts[2].append(.delivered(label(1, 3)))
        facts[2].remove(at: 3)
        facts[2].insert(.delivered(label(1, 1)), at: 3)
        #expect(invariants(facts).contains("messages of a sender have no gap in a configuration"))
    }

    @Test func whatNobodySentIsSeen() {
        var facts = good()
        facts[2].append(.delivered(label(0, 9)))
        #expect(invariants(facts).contains("only what was sent is delivered"))
        facts = good()
        facts[2].append(.deliveredDamaged(from: 1))
        #expect(invariants(facts).contains("only what was sent is delivered"))
    }

    @Test func twoMembershipsOfOneRingAreSeen() {
        var facts = good()
        facts[2][1] = configuration(ringOne, [1, 3], joined: [1, 3])
        #expect(invariants(facts).contains("a configuration's id is unique"))
    }

    @Test func aRingSequenceThatFallsIsSeen() {
        var facts = good()
        let old = TotemRingID(representative: 1, sequence: 2)
        for host in 0..<2 {
            facts[host][facts[host].count - 3] = configuration(old, [1, 2], transitional: true, left: [3])
            facts[host][facts[host].count - 1] = configuration(old, [1, 2])
        }
        #expect(invariants(facts) == ["ring sequences grow"])
    }

    @Test func disagreementAboutWhoMovesTogetherIsSeen() {
        var facts = good()
        facts[1][facts[1].count - 3] = configuration(ringTwo, [2], transitional: true, left: [1, 3])
        facts[1][facts[1].count - 1] = configuration(ringTwo, [1, 2], joined: [1])
        #expect(invariants(facts) == ["those that move together agree on who does"])
    }
}
