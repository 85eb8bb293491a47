import CaptureSupport
import EngineKit
import Foundation
import Testing
import TotemNode
import TotemSecurity
import TotemWire
import WireFormat

@testable import BridgeRuntime

@Suite struct CorosyncConfTests {
    static func recorded(_ name: String) throws -> String {
        try String(contentsOfFile: "\(CaptureSupport.folder)/corosync/conf/\(name).co1.conf", encoding: .utf8)
    }

    @Test func readsTheFileOfTheRecordedUdpuRing() throws {
        let conf = try CorosyncConf(text: try Self.recorded("3.1.7-udpu"), file: "corosync.conf")
        #expect(conf.clusterName == "cotest")
        #expect(conf.transport == .udpu)
        #expect(conf.port == 5405)
        #expect(conf.multicast == nil)
        #expect(conf.nodes.map(\.id) == [1, 2, 3])
        #expect(conf.nodes.map(\.address) == ["10.77.2.1", "10.77.2.2", "10.77.2.3"])
        #expect(conf.hasVoteQuorum)
        #expect(conf.expectedVotes == 3)
        // token 1000 and three nodes (reference/corosync-interop.md, timers).
        #expect(conf.timers.token == .milliseconds(1650))
        #expect(conf.timers.consensus == .milliseconds(1980))
        #expect(conf.timers.tokenRetransmit == .milliseconds(392))
        #expect(conf.warnings.isEmpty)
    }

    @Test func readsTheFileOfTheRecordedUdpRing() throws {
        let conf = try CorosyncConf(text: try Self.recorded("3.1.7-udp"), file: "corosync.conf")
        #expect(conf.transport == .udp)
        #expect(conf.multicast == IPAddress("239.192.77.2"))
        #expect(conf.hops == 1)
        let bare = try Self.recorded("3.1.7-udp").replacing("mcastaddr: 239.192.77.2", with: "").replacing("cotest", with: "alpha")
        // "alpha" hashes to 0x0C61 = 3169 (reference/cman-wire.md 1.4); 3169 / 256 = 12, 3169 mod 255 = 109 (totem-wire.md 1.2).
        #expect(try CorosyncConf(text: bare, file: "c").multicast == IPAddress("239.192.12.109"))
    }

    @Test func derivesAnIPv6GroupForAnIPv6Ring() throws {
        // What corosync 3.1.7 sends to: the cluster's number, here 0x0C61, as the last group.
        let text = try Self.recorded("3.1.7-udpu6").replacing("transport: udpu", with: "transport: udp").replacing("cotest", with: "alpha")
        #expect(try CorosyncConf(text: text, file: "c").multicast == IPAddress("ff15::c61"))
    }

    @Test func readsAnIPv6Ring() throws {
        let conf = try CorosyncConf(text: try Self.recorded("3.1.7-udpu6"), file: "corosync.conf")
        #expect(conf.nodes.first?.address == "fd77:2::1")
        #expect(conf.warnings.isEmpty)
    }

    @Test(arguments: ["3.1.7-knet", "3.1.7-knet-aes256-sha256", "needle2.4-udpu-aes256-sha1", "flatiron1.4-udp"])
    func refusesWhatItCannotSpeak(_ name: String) throws {
        let text = try Self.recorded(name)
        let error = #expect(throws: ConfigurationError.self) { try CorosyncConf(text: text, file: "corosync.conf") }
        #expect(error?.remedy.isEmpty == false)
    }

    @Test func readsTheFilesOfRecordedRingsWithTwoNetworks() throws {
        let active = try CorosyncConf(text: try Self.recorded("needle2.4-udpu-rrpactive"), file: "c", generation: .corosync2)
        #expect(active.redundantRing.mode == .active && active.networks.map(\.port) == [5405, 5405])
        #expect(
            active.networks.allSatisfy { $0.group == nil } && active.nodes.map(\.addresses.last) == ["10.77.3.1", "10.77.3.2", "10.77.3.3"]
        )
        // The daemon's own log says so of three nodes.
        #expect(active.timers.token == .milliseconds(1650) && active.redundantRing.tokenExpired == .milliseconds(392))
        #expect(active.security.scheme(of: .corosync2) == .corosync2Plain)
        let passive = try CorosyncConf(text: try Self.recorded("flatiron1.4-udp-rrppassive"), file: "c", generation: .corosync1)
        #expect(passive.redundantRing.mode == .passive && passive.networks.map(\.port) == [5405, 5415])
        #expect(passive.networks.map(\.group) == [IPAddress("239.192.77.2"), IPAddress("239.192.77.3")])
        #expect(passive.redundantRing.multicastProblemCountThreshold == 100 && passive.timers.token == .milliseconds(1000))
        #expect(passive.nodes.isEmpty && passive.security.scheme(of: .corosync1) == nil)
    }

    @Test(arguments: [
        ("flatiron1.4-udp-nss", TotemGeneration.corosync1, SecurityScheme.corosync1NSS),
        ("flatiron1.4-udp-sober", .corosync1, .corosync1),
        ("flatiron1.4-udp-sober", .openais080, .openais),
        ("needle2.4-udpu-aes256-sha1", .corosync2, SecurityScheme(.corosync23, cipher: .aes256, hash: .sha1)),
        ("needle2.4-udpu-secauth", .corosync2, SecurityScheme(.corosync23, cipher: .aes256, hash: .sha1)),
        ("needle2.4-udpu-none-sha256", .corosync2, SecurityScheme(.corosync23, cipher: .none, hash: .sha256)),
        ("needle2.4-udp", .corosync2, .corosync2Plain),
    ])
    func readsHowRecordedRingsAreProtected(_ name: String, _ generation: TotemGeneration, _ scheme: SecurityScheme) throws {
        var text = try Self.recorded(name)
        // openais had only one transport and did not ask for it.
        if generation == .openais080 { text = text.replacing("transport: udp", with: "") }
        #expect(try CorosyncConf(text: text, file: "c", generation: generation).security.scheme(of: generation) == scheme)
    }

    static let sample = """
        # comment
        totem {
            version: 2
            cluster_name: alpha
            transport: udpu
            token: 5000
            token_coefficient: 0
            interface {
                ringnumber: 0
                mcastport: 5410
            }
        }
        nodelist {
            node {
                nodeid: 7
                name: seven
                ring0_addr: 10.0.0.7
                quorum_votes: 3
            }
            node {
                nodeid: 9
                ring0_addr: 10.0.0.9
            }
        }
        quorum {
            provider: corosync_votequorum
            two_node: 1
        }
        """

    @Test func readsEverySetting() throws {
        let conf = try CorosyncConf(text: Self.sample, file: "c")
        #expect(conf.port == 5410)
        #expect(conf.timers.token == .seconds(5))
        #expect(conf.nodes.map(\.name) == ["seven", "10.0.0.9"])
        #expect(conf.nodes.map(\.votes) == [3, 1])
        #expect(conf.expectedVotes == 4)
        #expect(conf.twoNode)
        #expect(conf.waitForAll)
    }

    @Test func warnsAboutWhatHasNoEffect() throws {
        let text = Self.sample.replacing("token: 5000", with: "token: 5000\n    tokn: 3").replacing(
            "two_node: 1",
            with: "two_node: 1\n device {\n }"
        )
        let conf = try CorosyncConf(text: text, file: "corosync.conf")
        #expect(Set(conf.warnings.map(\.place.line)) == [7, 29])
    }

    static let faults: [(old: String, new: String, line: Int, part: String)] = [
        ("version: 2", "version: 3", 3, "version"),
        ("transport: udpu", "transport: knet", 5, "knet"),
        ("transport: udpu", "transport: udpu\n crypto_cipher: aes256", 6, "crypto_cipher"),
        ("    transport: udpu\n", "", 2, "knet"),
        ("token: 5000", "token: fast", 6, "token: fast"),
        ("token: 5000", "consensus: 10\n token: 5000", 6, "shorter than token"),
        ("ringnumber: 0", "ringnumber: 1", 9, "second ring"),
        ("mcastport: 5410", "mcastport: 541000", 10, "mcastport"),
        ("mcastport: 5410", "mcastaddr: 10.0.0.1", 10, "multicast"),
        ("nodeid: 7", "", 14, "nodeid"),
        ("nodeid: 9", "nodeid: 7", 21, "twice"),
        ("nodeid: 9", "nodeid: 0", 21, "nodeid: 0"),
        ("ring0_addr: 10.0.0.9", "ring0_addr: 10.0.0.7", 22, "twice"),
        ("two_node: 1", "two_node: yes", 27, "two_node"),
        ("corosync_votequorum", "ykd", 26, "ykd"),
        ("quorum {", "quorum", 25, "no section"),
        ("# comment", "}", 1, "too many"),
        ("    two_node: 1\n}", "    two_node: 1", 25, "not closed"),
        ("node {\n        nodeid: 9", "node { # x\n        nodeid: 9", 20, "alone on its line"),
    ]

    @Test(arguments: faults) func namesLineAndRemedy(_ fault: (old: String, new: String, line: Int, part: String)) throws {
        let text = Self.sample.replacing(fault.old, with: fault.new)
        let error = #expect(throws: ConfigurationError.self) { try CorosyncConf(text: text, file: "corosync.conf") }
        #expect(error?.place.line == fault.line, "\(error.map(String.init(describing:)) ?? "")")
        #expect(error?.problem.contains(fault.part) == true, "\(error.map(String.init(describing:)) ?? "")")
    }
}
