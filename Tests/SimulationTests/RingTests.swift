import EngineKit
import Simulation
import Testing
import TotemWire

@Suite struct RingTests {
    @Test(arguments: RingFamilies.all)
    func extendedVirtualSynchronyHolds(scenario: RingScenario) {
        // A ring of many takes as long as twenty small ones.
        check(scenario, count: scenario.hosts > 8 ? 1 : scenario.generation == .corosync3 ? 20 : 5)
    }

    @Test func oneSeedGivesOneHistory() {
        guard let scenario = RingFamilies.all.first(where: { $0.name == "ring-everything" }) else { return }
        #expect(scenario.run(seed: 4).digest == scenario.run(seed: 4).digest)
        #expect(scenario.run(seed: 4).digest != scenario.run(seed: 5).digest)
    }
}
