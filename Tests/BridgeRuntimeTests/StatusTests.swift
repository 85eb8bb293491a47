import EngineKit
import Foundation
import Glibc
import Testing

@testable import BridgeRuntime

@Suite struct StatusTests {
    /// Three nodes of one vote: `legacy` and `corosync` say which speak what; all others are down.
    static func document(legacy: [UInt32], corosync: [UInt32]) -> StatusDocument {
        func side(_ name: String, natives: [UInt32], proxies: [UInt32]) -> StatusDocument.Side {
            let votes = UInt32(natives.count + proxies.count)
            return StatusDocument.Side(
                name: name,
                isOperational: true,
                quorum: StatusDocument.Quorum(isQuorate: votes >= 2, needed: 2, votes: votes, expected: 3),
                natives: natives.map { StatusDocument.Member(id: $0, name: "node\($0)", votes: 1) },
                proxies: proxies.map {
                    StatusDocument.Proxy(id: $0, name: "node\($0)", phase: "member", holdsAddress: true, failures: 0)
                },
                queues: [],
                listeners: [],
                counters: StatusDocument.Counters(
                    carried: 0,
                    acknowledgedEarly: 0,
                    withoutRecipient: 0,
                    withoutListener: 0,
                    refused: [:],
                    refusedPackets: 0,
                    proxiesLost: 0
                )
            )
        }
        var document = StatusDocument(
            cluster: "alpha",
            processID: 1,
            started: 0,
            time: 0,
            isStopping: false,
            isConverged: true,
            doubleIdentities: [],
            nodes: (1...3).map {
                StatusDocument.Node(id: $0, name: "node\($0)", votes: 1, legacyAddress: "10.0.0.\($0)", totemAddress: "10.0.1.\($0)")
            },
            legacy: side("legacy", natives: legacy, proxies: corosync),
            corosync: side("corosync", natives: corosync, proxies: legacy),
            sockets: StatusDocument.Sockets(received: 0, sent: 0, sendFailures: 0, truncated: 0),
            problems: [],
            nextStep: ""
        )
        document.problems = UpgradeAdvice.problems(document)
        document.nextStep = UpgradeAdvice.nextStep(document)
        return document
    }

    /// The network decides how many packets are refused, not how long the log gets.
    @Test func refusedPacketsDoNotFillTheLog() {
        var log = RefusalLog()
        let start = Instant.zero + .seconds(100)
        var lines: [UInt64] = []
        for step: Int64 in 0..<30_000 {
            if let others = log.admit(at: start + .milliseconds(step)) { lines.append(others) }
        }
        #expect(lines == [0, 9_999, 9_999])
    }

    @Test func aBridgeThatStandsStillIsNotHealthy() {
        var status = Self.document(legacy: [1, 2, 3], corosync: [])
        status.time = 1000
        status.noteAge(at: 1_001_000_000_000)
        #expect(status.problems.isEmpty)
        status.noteAge(at: 1_060_000_000_000)
        #expect(status.problems.first?.contains("has done nothing for 60 s") == true)
    }

    /// What members claim is no reason to break.
    @Test func hugeVotesAreNoTrouble() {
        var status = Self.document(legacy: [1, 2, 3], corosync: [])
        status.legacy.quorum = StatusDocument.Quorum(isQuorate: true, needed: .max, votes: .max, expected: .max)
        #expect(UpgradeAdvice.nextStep(status).hasPrefix("none"))
    }

    @Test func theHighestLegacyNodeGoesFirst() {
        let status = Self.document(legacy: [1, 2, 3], corosync: [])
        #expect(status.problems.isEmpty)
        #expect(status.nextStep.hasPrefix("stop cman on node3"))
        #expect(status.nextStep.contains("10.0.0.3"))
        #expect(status.nextStep.contains("10.0.1.3"))
    }

    @Test func aNodeThatIsDownComesUpBeforeAnotherGoesDown() {
        let status = Self.document(legacy: [1, 2], corosync: [])
        #expect(status.problems.isEmpty)
        #expect(status.nextStep.hasPrefix("node3 is down"))
    }

    @Test func nothingGoesDownThatQuorumNeeds() {
        var status = Self.document(legacy: [1], corosync: [2, 3])
        #expect(status.nextStep.hasPrefix("stop cman on node1"))
        status.corosync.quorum?.needed = 3
        #expect(UpgradeAdvice.nextStep(status).hasPrefix("none: "))
    }

    @Test func theLastStepIsToStopTheBridge() {
        #expect(Self.document(legacy: [], corosync: [1, 2, 3]).nextStep == "every node speaks corosync: stop the bridge")
    }

    @Test func problemsComeBeforeSteps() {
        var status = Self.document(legacy: [1, 2, 3], corosync: [])
        status.corosync.proxies[0].addressHolder = "02:00:00:00:00:09 on eth1 answers for it"
        status.corosync.quorum?.isQuorate = false
        status.doubleIdentities = [2]
        let problems = UpgradeAdvice.problems(status)
        #expect(problems.count == 3)
        #expect(problems.first == "node2 runs cman and corosync at the same time: stop one of them")
        #expect(problems.contains { $0.contains("02:00:00:00:00:09") })
        status.problems = problems
        #expect(UpgradeAdvice.nextStep(status).hasPrefix("wait, or mend this first: node2"))
    }

    @Test func aSideThatNobodyNeedsYetIsNoProblem() {
        var status = Self.document(legacy: [1, 2, 3], corosync: [])
        status.legacy.isOperational = false
        #expect(UpgradeAdvice.problems(status).isEmpty)
        status = Self.document(legacy: [1, 2], corosync: [3])
        status.legacy.isOperational = false
        #expect(UpgradeAdvice.problems(status) == ["the legacy side cannot order messages at the moment"])
    }

    @Test func rendersOneRowPerNode() {
        let text = StatusText.render(Self.document(legacy: [1, 2], corosync: [3]))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.first == "cluster alpha: healthy")
        #expect(
            lines.contains { $0.hasPrefix("node1 ") && $0.contains(" legacy ") && $0.contains(" corosync ") && $0.hasSuffix("10.0.1.1") }
        )
        #expect(lines.contains { $0.hasPrefix("node3 ") && $0.hasSuffix("10.0.1.3") })
        #expect(lines.contains("legacy: quorate, 3 of 3 votes, 2 needed"))
        #expect(
            lines.last == "next step: stop cman on node2, remove the address 10.0.0.2 there, add and announce 10.0.1.2, and start corosync"
        )
    }

    @Test func theAdminSocketAnswersItsOwnerOnly() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/admin.sock"
        // A socket without a listener, as a crash leaves it.
        do { _ = try AdminEndpoint(path: path + "x") }
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(stale) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        #expect(bound == 0)

        let endpoint = try AdminEndpoint(path: path)
        var information = stat()
        #expect(stat(path, &information) == 0)
        #expect(information.st_mode & 0o777 == 0o600)
        // Nothing is known yet.
        #expect(throws: StatusClient.Failure.self) { try StatusClient.ask(path) }
        var document = Self.document(legacy: [1, 2], corosync: [3])
        document.time = Double(WallClock.now()) / 1e9
        endpoint.publish(document)
        #expect(try StatusClient.ask(path) == document)
        #expect(throws: SystemCallError.self) { try AdminEndpoint(path: path) }
        #expect(throws: StatusClient.Failure.self) { try StatusClient.ask(folder.path + "/nobody.sock") }
    }
}
