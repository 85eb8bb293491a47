import EngineKit
import Simulation
import Testing

/// Seeds that once showed a fault, with what they showed. They are run for ever.
@Suite struct RegressionSeeds {
    private func check(_ family: String, _ seeds: [UInt64]) throws {
        let scenario = try #require(Families.all.first { $0.name == family })
        for seed in seeds {
            let violations = scenario.run(seed: seed).violations
            #expect(violations.isEmpty, "\(family) \(seed)")
        }
    }

    @Test("Two processors that did not believe each other about who failed answered JOIN with JOIN without end")
    func gatheringWithoutNews() throws { try check("ring-crashes", [2, 3, 6, 14, 18]) }

    @Test("Messages of recovery went to the members of the old ring over udpu, and those that were new to it waited for them for ever")
    func recoveryForNewMembers() throws { try check("ring-partitions-corosync-1", [2]) }

    @Test("A member that had given up a peer delivered each retransmission that still waited in its socket")
    func messagesOfStrangers() throws {
        try check("legacy-pauses", [1, 3, 4, 9])
        try check("legacy-partitions", [7])
    }

    @Test("A copy that the next message had overtaken was delivered again")
    func lateCopies() throws { try check("legacy-everything", [7]) }

    @Test("A client forgot a joiner that ENDTRANS had made a member, when its master began again because another node had died")
    func confirmedJoiners() throws {
        try check("legacy-start", [602, 704])
        try check("legacy-large", [3])
    }

    @Test("One of a partition left as removed, which let the quorum of the others go down, and a second component be quorate")
    func quorumAfterRemoval() throws { try check("legacy-everything", [165, 377, 514, 788, 876, 965]) }

    @Test("Originals that wait for each other's end of a transition: the lowest of ours waited with them until it left")
    func stuckTransitions() throws { try check("mixed-partitions", [73, 391, 425]) }

    @Test("A joiner that a node heard of while it was master itself was unknown to it when the other master let it in")
    func overheardJoiners() throws { try check("mixed-large", [36]) }

    @Test("A proxy joined what a partition had left of the legacy cluster, and stayed there when the others were in a quorate one")
    func deadEnds() throws { try check("bridge-everything", [44, 54, 55, 63]) }

    @Test("A proxy that began alone was the only synchronised one, and hid that natives of its side listen: messages were not carried")
    func listenersWhileTheRingChanges() throws {
        try check("bridge-kernel", [25, 76])
        try check("bridge-crashes", [175, 204, 287])
        try check("bridge-moves", [183])
    }
}
