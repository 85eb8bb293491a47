import EngineKit
import Simulation
import Testing

@Suite struct LegacyTests {
    @Test(arguments: LegacyFamilies.all)
    func programsGetWhatTheyMayRelyOn(scenario: LegacyScenario) {
        // Everybody hears everybody: large clusters cost with the square of their size.
        check(scenario, count: scenario.hosts > 8 ? 2 : 20)
    }

    @Test func nobodyIsTakenForDeadInADayOfLosses() {
        check(LegacyFamilies.soak, count: 1)
    }
}
