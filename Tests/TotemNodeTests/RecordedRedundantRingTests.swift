import EngineKit
import Testing
import TotemNode
import TotemWire

/// Our redundant ring protocol in the place of every daemon of the captures with two networks: it uses the networks that the daemon
/// used, and has the troubles that the daemon's own log tells of.
@Suite struct RecordedRedundantRingTests {
    private static let nodes: [UInt32] = [1, 2, 3]

    @Test(arguments: ["ring", "cutring0", "small", "form"], nodes)
    func passiveOfCorosync1(name: String, node: UInt32) throws {
        try checkPassive(RecordedRedundantRing<Corosync1>("flatiron1.4-udp-rrppassive-\(name)", .passive), node)
    }

    @Test(arguments: ["ring", "cutring0", "small", "form"], nodes)
    func passiveOfCorosync2(name: String, node: UInt32) throws {
        try checkPassive(RecordedRedundantRing<Corosync2>("needle2.4-udp-rrppassive-\(name)", .passive), node)
    }

    @Test(arguments: ["small", "form"], nodes)
    func activeOfCorosync1(name: String, node: UInt32) throws {
        try checkActive(RecordedRedundantRing<Corosync1>("flatiron1.4-udpu-rrpactive-\(name)", .active), node)
    }

    @Test(arguments: ["ring", "cutring0", "form"], nodes)
    func activeOfCorosync2(name: String, node: UInt32) throws {
        try checkActive(RecordedRedundantRing<Corosync2>("needle2.4-udpu-rrpactive-\(name)", .active), node)
    }

    /// Every packet went over the network that ours would have chosen, and networks became faulty and useful again when the log says so.
    private func checkPassive<Dialect: TotemDialect>(_ recorded: RecordedRedundantRing<Dialect>, _ node: UInt32) throws {
        let leads = [(0, 0)] + (1...4).flatMap { [(0, $0), (1, $0)] }
        let replays = leads.lazy.map { recorded.replay(as: node, lead: $0) }
        let replay = replays.first { $0.differences.isEmpty && $0.hasSentItsTests(node) } ?? recorded.replay(as: node)
        #expect(replay.packetsSent > 50)
        #expect(replay.differences == [])
        let marks = recorded.log("Marking ringid").filter { $0.text.hasSuffix(".\(node) FAULTY") }
        #expect(
            replay.faulty.map { "\($0.interface) at \(secondOfDay($0.time))" }
                == marks.map { "\($0.text.split(separator: " ")[2]) at \($0.second)" }
        )
        if marks.isEmpty {
            #expect(replay.recovered.isEmpty)
        } else {
            #expect(replay.recovered.map { secondOfDay($0.time) } == [recorded.log("Automatically recovered ring").last?.second])
        }
        #expect(
            replay.ownTests.filter { $0.test.activator != Int32(node) }.map(\.test) == replay.tests.filter { $0.activator != Int32(node) }
        )
        #expect(replay.hasSentItsTests(node))
    }

    /// Every packet went over both networks, and the problem counters are those of the log.
    private func checkActive<Dialect: TotemDialect>(_ recorded: RecordedRedundantRing<Dialect>, _ node: UInt32) throws {
        let problems = recorded.log("Incrementing problem counter for ").map(\.text).filter { $0.contains(".\(node) to") }
            .map { $0.replacing("Incrementing problem counter for ", with: "") }
        let forgotten = recorded.log("Decrementing problem counter for ").map(\.text).filter { $0.contains(".\(node) to") }
            .map { $0.replacing("Decrementing problem counter for ", with: "") }
        let onTime = recorded.replay(as: node)
        let replay = onTime.problems == problems ? onTime : recorded.replay(as: node, timerLateness: .milliseconds(1))
        #expect(replay.packetsSent > 50)
        #expect(replay.differences == [])
        #expect(replay.faulty.isEmpty)
        #expect(replay.problems == problems)
        #expect(replay.forgotten == forgotten)
    }

    private func secondOfDay(_ time: Int64) -> Int64 { time / 1_000_000_000 % 86_400 }
}
