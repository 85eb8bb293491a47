import CaptureSupport
import Captures
import CmanNode
import FixtureLibrary
import Foundation
import Testing

/// Our engine in the role of each recorded cman daemon. docs/replay-cman.md keeps what comes out, a row for each process.
@Suite struct CmanReplays {
    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(CaptureSupport.folder)/\(path)", encoding: .utf8)
    }

    static func replay(_ name: String) throws -> CmanReplay {
        let capture = String(name.dropFirst("cman/".count))
        let recording = CmanRecording(name: capture, datagrams: try CaptureSupport.datagrams(of: name))
        return CmanReplay(recording: recording, actions: CmanActions(page: try text("cman/README.md"), capture: capture))
    }

    /// With the daemon's own rules, with the kernel module's for the captures made with the kernel switch, and with ours.
    @Test(arguments: CaptureSupport.captureNames(prefix: "cman/"))
    func everyDifferenceHasItsReason(_ name: String) throws {
        let replay = try Self.replay(name)
        let page = try Self.text("../docs/replay-cman.md").split(separator: "\n").map(String.init)
        #expect(!replay.lives.isEmpty)
        let capture = String(name.dropFirst("cman/".count).prefix { $0 != "." })
        #expect(page.filter { $0.hasPrefix("| \(capture) |") }.count == replay.lives.count)
        for life in replay.lives {
            let row = CmanReplayPage.row(replay, life)
            print(row)
            let isExplained = !row.contains("unexplained")
            #expect(isExplained, "\(row)")
            let isOnPage = page.contains(row)
            #expect(isOnPage, "docs/replay-cman.md lacks: \(row)")
        }
    }

    @Test func thePageExplainsEveryRule() throws {
        let page = try Self.text("../docs/replay-cman.md")
        for deviation in CmanDeviation.allCases {
            let row = CmanReplayPage.row(deviation)
            let isOnPage = page.contains(row + "\n")
            #expect(isOnPage, "docs/replay-cman.md lacks: \(row)")
        }
    }

    /// No difference between the rules is without a name: with all of them withheld the rules are the daemon's.
    @Test(arguments: [CmanProfileRules(.daemon), .recordedKernelLike]) func everyRuleHasAReason(_ daemon: CmanProfileRules) {
        for profile in CmanConfiguration.Profile.allCases {
            var rules = CmanProfileRules(profile)
            for deviation in CmanDeviation.allCases { deviation.withhold(from: &rules, as: daemon) }
            #expect(rules == daemon)
        }
    }

    /// A reason that could not be missing would prove nothing: a changed field in what the daemon sent has none.
    @Test func aDifferenceWithoutReasonIsFound() throws {
        var datagrams = try CaptureSupport.datagrams(of: "cman/02-join3-k.pcap")
        let index = try #require(datagrams.firstIndex { $0.frame == 40 })
        datagrams[index].payload[20 + 8] += 1
        let recording = CmanRecording(name: "02-join3-k.pcap", datagrams: datagrams)
        let replay = CmanReplay(
            recording: recording,
            actions: CmanActions(page: try Self.text("cman/README.md"), capture: "02-join3-k.pcap")
        )
        let life = try #require(replay.lives.first { "\($0)" == "node1" })
        for profile in [CmanReplay.Profile.kernel, .ringbridge] {
            #expect(replay.run(life, as: profile).unexplained == ["frame 40, endtrans: cman.total_votes is 4, replayed 3"])
        }
    }

    /// A replay that could not fail would prove nothing: one changed field is found, with its place and both values.
    @Test func findsTheFieldThatDiffers() throws {
        var datagrams = try CaptureSupport.datagrams(of: "cman/02-join3-k.pcap")
        let index = try #require(datagrams.firstIndex { $0.frame == 40 })
        // Total votes of the ENDTRANS of node1.
        datagrams[index].payload[20 + 8] += 1
        let recording = CmanRecording(name: "02-join3-k.pcap", datagrams: datagrams)
        let actions = CmanActions(page: try Self.text("cman/README.md"), capture: "02-join3-k.pcap")
        let replay = CmanReplay(recording: recording, actions: actions)
        let life = try #require(replay.lives.first { "\($0)" == "node1" })
        guard case .differs(let difference) = replay.run(life) else {
            Issue.record("equal")
            return
        }
        #expect(difference.frame == 40)
        #expect(difference.message == "endtrans")
        #expect(difference.difference == CmanPacketDifference(field: "cman.total_votes", recorded: "4", replayed: "3"))
    }
}
