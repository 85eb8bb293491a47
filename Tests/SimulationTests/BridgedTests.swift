import EngineKit
import Simulation
import Testing

@Suite struct BridgedTests {
    @Test(arguments: BridgedFamilies.all)
    func theBridgeKeepsItsPromises(scenario: BridgedScenario) {
        check(scenario, count: 3)
    }
}
