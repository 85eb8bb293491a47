import Foundation
import Testing

/// Rings of real corosync daemons and our own members. docs/interop.md tells what each scenario is and how to run all of them.
@Suite(.enabled(if: Requirements.missing == nil, Comment(rawValue: Requirements.missing ?? "")))
struct RingInteropTests {
    /// The scenarios of this run: those of CI, or what RINGBRIDGE_INTEROP asks for, `all` or words that their names hold.
    static let scenarios: [RingScenario] = {
        guard let wish = ProcessInfo.processInfo.environment["RINGBRIDGE_INTEROP"] else { return RingScenario.inCI }
        guard wish != "all" else { return RingScenario.whole }
        return RingScenario.whole.filter { scenario in
            wish.split(separator: "+").allSatisfy { scenario.testDescription.contains($0) }
        }
    }()

    /// Scenarios wait most of the time, for the loss of a token; more at a time would starve each other.
    private static let lanes = Lanes(Int(ProcessInfo.processInfo.environment["RINGBRIDGE_LANES"] ?? "") ?? 4)

    @Test(arguments: scenarios)
    func membersAgreeAndReceiveTheSame(_ scenario: RingScenario) async {
        let failures = await Self.lanes.run {
            do {
                let ring = try RingUnderTest(scenario)
                try ring.run()
                return ring.failures
            } catch {
                return ["\(error)"]
            }
        }
        for failure in failures { Issue.record(Comment(rawValue: "\(scenario.testDescription): \(failure)")) }
    }
}
