import Dispatch
import Synchronization

/// Verifies many fixtures.
public struct VerificationRun: Sendable {
    private let fixtures: [Fixture]
    private let verifier: FixtureVerifier

    /// A run over `fixtures`.
    public init(fixtures: [Fixture], requirements: RequirementCatalogue?, replays: Bool) {
        self.fixtures = fixtures
        var verifier = FixtureVerifier(requirements: requirements)
        verifier.replays = replays
        self.verifier = verifier
    }

    /// The results in the order of the fixtures; `report` is called with each as soon as all before it are there too.
    public func results(jobs: Int, report: (FixtureResult) -> Void) -> [FixtureResult] {
        var results: [FixtureResult] = []
        var start = 0
        // A batch at a time, so that lines come while the rest is checked, and in order.
        while start < fixtures.count {
            let batch = Array(fixtures[start..<min(start + jobs * 4, fixtures.count)])
            let found = Mutex<[Int: FixtureResult]>([:])
            let next = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: min(jobs, batch.count)) { _ in
                while true {
                    let index = next.withLock { value -> Int in
                        defer { value += 1 }
                        return value
                    }
                    guard index < batch.count else { return }
                    let result = verifier.verify(batch[index])
                    found.withLock { $0[index] = result }
                }
            }
            for result in found.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
                report(result.value)
                results.append(result.value)
            }
            start += batch.count
        }
        return results
    }

    /// Writes a report to a file.
    public static func write(_ text: String, to path: String) throws {
        try LibraryFile.write(text, to: path)
    }
}
