import EngineKit
import Simulation
import Testing

@Suite struct RingTests {
    @Test(arguments: RingFamilies.all)
    func extendedVirtualSynchronyHolds(scenario: RingScenario) {
        check(scenario, count: 20)
    }

    @Test func oneSeedGivesOneHistory() {
        guard let scenario = RingFamilies.all.last else { return }
        #expect(scenario.run(seed: 4).digest == scenario.run(seed: 4).digest)
        #expect(scenario.run(seed: 4).digest != scenario.run(seed: 5).digest)
    }
}
