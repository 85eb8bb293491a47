import CaptureSupport
import Captures
import Testing
import WireFormat

@testable import TotemSecurity

/// What an opener remembers, and what it costs.
@Suite struct Opener {
    private static let key = Schemes.key
    private static let scheme = SecurityScheme(.knet, cipher: .aes256, hash: .sha256)

    private func endpoint(_ number: Int) -> Endpoint { Endpoint(IPAddress(ipv4: UInt32(number)), 5405) }

    /// Packets of daemons that encrypt nothing are left alone, whatever keys there are.
    @Test(arguments: [
        "corosync/3.1.7-udpu-form", "corosync/3.1.7-knet-form", "corosync/flatiron1.4-udp-form", "openais/wt-f5586a7-form3",
        "openais/mixed-cman2-cman3-off", "cman/02-join3", "cman/07-userdata",
    ])
    func plainPacketsAreLeftAlone(name: String) throws {
        var opener = SecurityOpener(keys: SecuredCapture.allKeys)
        for datagram in try CaptureSupport.datagrams(of: name + ".pcap") {
            let outcome = opener.outcome(datagram.payload, from: datagram.source, to: datagram.destination)
            #expect(outcome == .plain, "frame \(datagram.frame)")
        }
    }

    @Test(arguments: ["needle2.4-udp-form", "needle2.4-udpu-rrpactive-ring.ring1"])
    func aPrefixAloneIsTakenOff(name: String) throws {
        var opener = SecurityOpener(keys: SecuredCapture.allKeys)
        for datagram in try CaptureSupport.datagrams(of: "corosync/\(name).pcap") where datagram.destination.port >= 5405 {
            let outcome = opener.outcome(datagram.payload, from: datagram.source, to: datagram.destination)
            let plaintext = Array(datagram.payload.dropFirst(4))
            let expected = Outcome.opened(.corosync2Plain, keyName: nil, isAuthentic: false, salt: [], plaintext: plaintext)
            #expect(outcome == expected, "frame \(datagram.frame)")
        }
    }

    /// Nothing that is encrypted is read without its key.
    @Test(arguments: SecuredCapture.all.filter { !$0.key.bytes.isEmpty })
    func recordedPacketsWithoutTheKey(_ capture: SecuredCapture) throws {
        var opener = SecurityOpener(keys: [Schemes.wrongKey, SecurityKey(clusterName: "other")])
        for datagram in try capture.datagrams() {
            switch opener.outcome(datagram.payload, from: datagram.source, to: datagram.destination) {
            case .unknownKey(let envelopes, _):
                #expect(envelopes.contains(capture.scheme.envelope), "frame \(datagram.frame)")
            case .opened(.corosync2Plain, keyName: nil, isAuthentic: false, _, _):
                #expect(capture.scheme.cipher == .none)
            case let outcome:
                Issue.record("frame \(datagram.frame): \(outcome)")
            }
        }
    }

    @Test func aDamagedPacketIsTold() throws {
        let packet = try EnvelopeSealer(Self.scheme, key: Self.key).seal(Schemes.plaintext(of: Self.scheme), salt: Schemes.salt)
        var opener = SecurityOpener(keys: [Self.key])
        #expect(opener.outcome(packet).isOpened)
        var changed = packet
        changed[40] ^= 1
        #expect(opener.outcome(changed) == .damaged(Self.scheme, keyName: "right"))
        // Somebody else's packet is only unknown.
        guard case .unknownKey = opener.outcome(changed, from: endpoint(1), to: endpoint(2)) else {
            Issue.record("\(opener.outcome(changed, from: endpoint(1), to: endpoint(2)))")
            return
        }
    }

    @Test func aConversationMayChangeItsKeyAndItsScheme() throws {
        var opener = SecurityOpener(keys: [Self.key, Schemes.wrongKey])
        for (scheme, key) in [(Self.scheme, Self.key), (Self.scheme, Schemes.wrongKey), (.openais, Self.key), (.corosync1, Self.key)] {
            let packet = try EnvelopeSealer(scheme, key: key).seal(Schemes.plaintext(of: scheme), salt: Schemes.salt)
            guard case .opened(scheme, key.name, true, _, _) = opener.outcome(packet) else {
                Issue.record("\(scheme): \(opener.outcome(packet))")
                continue
            }
        }
    }

    /// What fits nothing is tried a few times and then rarely, in each conversation and over all of them.
    @Test func hopelessWorkIsBounded() throws {
        let packet = try EnvelopeSealer(Self.scheme, key: Schemes.wrongKey).seal(Schemes.plaintext(of: Self.scheme), salt: Schemes.salt)
        var opener = SecurityOpener(keys: [Self.key])
        var tried = 0
        for _ in 0..<1_024 {
            if case .unknownKey(_, wasTried: true) = opener.outcome(packet) { tried += 1 }
        }
        #expect(tried == ConversationTable.failureLimit + 1_020 / ConversationTable.retryInterval)

        var triedInNewOnes = 0
        for number in 0..<4_000 {
            if case .unknownKey(_, wasTried: true) = opener.outcome(packet, from: endpoint(number), to: endpoint(0)) { triedInNewOnes += 1 }
        }
        #expect(triedInNewOnes < ConversationTable.totalFailureLimit + 4_000 / ConversationTable.retryInterval)
        // A key that fits is found again, though not at once.
        let right = try EnvelopeSealer(Self.scheme, key: Self.key).seal(Schemes.plaintext(of: Self.scheme), salt: Schemes.salt)
        #expect((0..<ConversationTable.retryInterval).contains { _ in opener.outcome(right).isOpened })
    }

    /// Other protocols begin with small numbers too.
    @Test func whatIsNotMixedIsLeftAlone() {
        var opener = SecurityOpener(keys: [Self.key])
        for start: [UInt8] in [[1, 1, 0, 0], [0, 2, 0, 0], [4, 5, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]] {
            #expect(opener.outcome(start + [UInt8](repeating: 0, count: 100)) == .plain)
            #expect(opener.outcome(start + Array("a text of another protocol, which is longer than any digest or salt".utf8)) == .plain)
        }
    }

    /// Any bytes at all: nothing crashes, and nothing is taken for authentic.
    @Test func anyBytes() {
        var opener = SecurityOpener(keys: [Self.key])
        var state: UInt64 = 42
        for count in 0..<600 {
            var bytes: [UInt8] = []
            for _ in 0..<count {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 40))
            }
            for start: [UInt8] in [[], [0xFE, 0xFE, 0, 0], [0xFF, 0xFF, 0, 0], [1, 2, 0, 0], [4, 5, 0, 0], [1, 0, 0, 1]] {
                let packet = start + bytes.dropFirst(start.count)
                let outcome = opener.outcome(packet)
                #expect(!outcome.isOpened, "\(packet)")
            }
        }
    }
}
