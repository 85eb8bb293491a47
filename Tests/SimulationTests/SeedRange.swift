import Foundation
import Simulation
import Testing

/// How many seeds of each family a test runs. `SIMULATION_SEEDS` raises the number, `SIMULATION_SEED` picks a single one, and
/// `SIMULATION_SCENARIO` picks a single family (docs/simulation.md).
enum SeedRange {
    private static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    /// The seeds to run of a family of which a run by itself takes `count`.
    static func seeds(of scenario: String, count: Int) -> [UInt64] {
        if let wanted = environment("SIMULATION_SCENARIO"), wanted != scenario { return [] }
        if let seed = environment("SIMULATION_SEED").flatMap({ UInt64($0) }) { return [seed] }
        let first = environment("SIMULATION_FIRST_SEED").flatMap { UInt64($0) } ?? 1
        let wanted = environment("SIMULATION_SEEDS").flatMap { Int($0) } ?? count
        return (0..<wanted).map { first + UInt64($0) }
    }
}

/// Runs seeds of a scenario and records an issue for the first that fails, with how to rerun it.
func check(_ scenario: some Scenario, count: Int) {
    var deliveries = 0
    for seed in SeedRange.seeds(of: scenario.name, count: count) {
        if let failure = scenario.failure(seed: seed, attempts: 100, deliveries: &deliveries) {
            Issue.record("\(failure)")
            return
        }
    }
}
