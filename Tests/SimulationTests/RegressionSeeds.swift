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

    @Test("A member that had given up a peer delivered each retransmission that still waited in its socket")
    func messagesOfStrangers() throws {
        try check("legacy-pauses", [1, 3, 4, 9])
        try check("legacy-partitions", [7])
    }

    @Test("A copy that the next message had overtaken was delivered again")
    func lateCopies() throws { try check("legacy-everything", [7]) }

    @Test("A proxy that began alone was the only synchronised one, and hid that natives of its side listen: messages were not carried")
    func listenersWhileTheRingChanges() throws {
        try check("bridge-kernel", [25, 76])
        try check("bridge-crashes", [175, 204, 287])
        try check("bridge-moves", [183])
    }
}
