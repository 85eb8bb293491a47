import EngineKit
import Simulation
import Testing

@Suite struct LegacyTests {
    @Test(arguments: LegacyFamilies.all)
    func programsGetWhatTheyMayRelyOn(scenario: LegacyScenario) {
        check(scenario, count: 20)
    }
}
