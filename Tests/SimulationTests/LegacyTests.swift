import EngineKit
import Simulation
import Testing

@Suite struct LegacyTests {
    @Test(arguments: LegacyFamilies.all)
    func programsGetWhatTheyMayRelyOn(scenario: LegacyScenario) {
        // Everybody hears everybody: large clusters cost with the square of their size.
        check(scenario, count: scenario.hosts.upperBound > 8 ? 2 : 20)
    }

    @Test(arguments: LegacyFamilies.mixed + LegacyFamilies.historicalOnly)
    func oursKeepTheirPromisesAmongOriginals(scenario: LegacyScenario) {
        check(scenario, count: scenario.hosts.upperBound > 8 ? 1 : 15)
    }

    @Test func nobodyIsTakenForDeadInADayOfLosses() {
        check(LegacyFamilies.soak, count: 1)
    }
}
