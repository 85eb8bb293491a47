import EngineKit

/// A family of runs: which cluster, which workload, which faults. A seed picks one run of the family.
public protocol Scenario: Sendable, CustomStringConvertible {
    /// What the workload tells the engines to do.
    associatedtype Command: Sendable & CustomStringConvertible

    /// Its name in reports and in the list of regression seeds.
    var name: String { get }

    /// What the run of `seed` does from outside.
    func script(seed: UInt64) -> Script<Command>

    /// Runs `script` with everything else drawn from `seed`, then waits for convergence and checks the invariants.
    /// - Parameter tap: sees every datagram that is sent.
    func run(seed: UInt64, script: Script<Command>, tap: VirtualNetwork.Tap?) -> RunResult
}

extension Scenario {
    public var description: String { name }

    /// The run of `seed`.
    public func run(seed: UInt64) -> RunResult {
        run(seed: seed, script: script(seed: seed), tap: nil)
    }

    /// Runs `seed`; when it fails, says how to rerun it and what the shortest script is that fails in the same way.
    /// - Parameters:
    ///   - attempts: how many runs shortening may cost.
    ///   - deliveries: is raised by the number of datagrams that reached a host.
    public func failure(seed: UInt64, attempts: Int, deliveries: inout Int) -> SimulationFailure? {
        let script = script(seed: seed)
        let result = run(seed: seed, script: script, tap: nil)
        deliveries += result.deliveries
        guard let first = result.violations.first else { return nil }
        let shortest = script.minimised(attempts: attempts) { candidate in
            run(seed: seed, script: candidate, tap: nil).violations.contains { $0.invariant == first.invariant }
        }
        let again = run(seed: seed, script: shortest, tap: nil)
        return SimulationFailure(
            scenario: name,
            seed: seed,
            violations: result.violations,
            script: shortest.description,
            shortestViolations: again.violations,
            trace: again.trace
        )
    }
}

/// A failing run, reduced.
public struct SimulationFailure: Error, Sendable, CustomStringConvertible {
    /// The scenario's name.
    public var scenario: String
    /// Its seed.
    public var seed: UInt64
    /// What the whole run broke.
    public var violations: [Violation]
    /// The shortest script that still breaks the first of them.
    public var script: String
    /// What that shortest run broke.
    public var shortestViolations: [Violation]
    /// What the engines reported in the shortest run.
    public var trace: [String]

    /// How many lines of the trace are printed.
    private static let traceLimit = 200

    public var description: String {
        """
        scenario \(scenario), seed \(seed): \(violations.count) broken
          \(violations.prefix(10).map(\.description).joined(separator: "\n  "))
        run it again with: SIMULATION_SCENARIO=\(scenario) SIMULATION_SEED=\(seed) swift test --filter SimulationTests
        shortest script, which breaks:
          \(shortestViolations.prefix(5).map(\.description).joined(separator: "\n  "))
        \(script)
        and then:
        \(trace.suffix(Self.traceLimit).joined(separator: "\n"))
        """
    }
}
