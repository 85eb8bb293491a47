import CaptureSupport
import Captures
import CmanNode
import CmanWire
import EngineKit
import Testing
import WireFormat

/// STARTACK with REPLYEXP is acknowledged by nothing but its own copy, a second later (reference/cman-wire.md 2.5). No transition between
/// our node and another one waits for that, whoever masters it.
@Suite struct TransitionStalls {
    /// From STARTTRANS to ENDTRANS of the transition that lets the last node in.
    private func span(_ packets: [(time: Instant, packet: CmanPacket)]) throws -> Interval {
        let start = try #require(packets.last { if case .startTrans = $0.packet.body { true } else { false } })
        let end = try #require(packets.last { if case .endTrans = $0.packet.body { true } else { false } })
        return end.time - start.time
    }

    /// Capture 02-join3-k, in which node3 joins a cluster of two: 20.004 to 21.006.
    @Test func daemonsWaitForASecond() throws {
        let packets = try CaptureSupport.datagrams(of: "cman/02-join3-k.pcap").compactMap { datagram -> (Instant, CmanPacket)? in
            guard let packet = datagram.payload.withUnsafeBytes({ try? CmanPacket(reading: $0) }) else { return nil }
            return (Instant(nanoseconds: datagram.time), packet)
        }
        let span = try span(packets.map { (time: $0.0, packet: $0.1) })
        #expect(span > .milliseconds(1000) && span < .milliseconds(1010))
    }

    private func join(_ profiles: [CmanConfiguration.Profile]) throws -> Interval {
        let network = TestNetwork(3) { index, configuration in
            configuration.profile = profiles[index]
            if index > 0 { configuration.timers.joinWait = .seconds(100) }
        }
        network.join(0)
        try #require(network.run(until: { $0.nodes[0].state == .member }, atMost: .seconds(60)))
        for index in [1, 2] {
            network.join(index)
            try #require(network.run(until: { $0.agree(Array(0...index)) }, atMost: .seconds(60)), "\(network.description)")
        }
        return try span(network.log.map { (time: $0.time, packet: $0.packet) })
    }

    /// The engine as the kernel module among its like waits as the recorded daemons did.
    @Test func theKernelModuleWaitsForASecond() throws {
        let span = try join([.kernel, .kernel, .kernel])
        #expect(span > .milliseconds(1000) && span < .milliseconds(1010))
    }

    /// In a transition of two members that lets a third one in, one of the two is master and one is client, and one of them is ours.
    @Test(
        arguments: [CmanConfiguration.Profile.kernel, .daemon],
        [true, false]
    ) func nobodyWaitsForOurs(_ other: CmanConfiguration.Profile, _ isFirst: Bool) throws {
        for joiner in CmanConfiguration.Profile.allCases {
            let span = try join(isFirst ? [.ringbridge, other, joiner] : [other, .ringbridge, joiner])
            #expect(span < .milliseconds(5), "\(joiner) joins")
        }
    }
}
