import Bridging
import EngineKit
import Testing

@Suite struct ProxyLifecycleTests {
    @Test func firstSideAloneGetsAProxyPerNativeMember() {
        var bench = BridgeBench()
        bench.memberUp(1, on: .first)
        bench.memberUp(2, on: .first)
        let actions = bench.take()
        #expect(actions.filter { $0 == .acquireAddress(node: 1, side: .second) }.count == 1)
        #expect(actions.filter { $0 == .acquireAddress(node: 2, side: .second) }.count == 1)
        #expect(bench.phase(1, on: .second) == .joining)
        #expect(bench.phase(2, on: .second) == .joining)
        #expect(bench.bridge.status(at: bench.now).sides.first.proxies.isEmpty)
    }

    @Test func noProxyIsAdmittedBeforeItsAddressIsHeld() {
        var bench = BridgeBench()
        bench.grantsAddresses = false
        bench.memberUp(1, on: .first)
        #expect(bench.orders(to: .second).isEmpty)
        #expect(bench.phase(1, on: .second) == .acquiring)
        bench.perform { $0.bridge.addressHeld(1, on: .second, at: $0.now, into: &$1) }
        #expect(bench.orders(to: .second) == [.admit(ProxyIdentity(id: 1, name: "node1", votes: 1))])
    }

    @Test func anAddressInOtherHandsIsAskedForAgainLater() {
        var bench = BridgeBench()
        bench.grantsAddresses = false
        bench.memberUp(1, on: .first)
        bench.perform { $0.bridge.addressRefused(1, on: .second, holder: "02:00:00:00:00:01", at: $0.now, into: &$1) }
        let refused = bench.take()
        #expect(refused.contains(.alarm(.addressRefused(node: 1, side: .second, holder: "02:00:00:00:00:01"))))
        #expect(!refused.contains(.releaseAddress(node: 1, side: .second)))
        bench.advance(by: .milliseconds(4999))
        #expect(bench.take().isEmpty)
        bench.advance(by: .milliseconds(1))
        #expect(bench.take().contains(.acquireAddress(node: 1, side: .second)))
        // The second wait is twice as long.
        bench.perform { $0.bridge.addressRefused(1, on: .second, holder: "02:00:00:00:00:01", at: $0.now, into: &$1) }
        bench.advance(by: .milliseconds(9999))
        #expect(!bench.take().contains(.acquireAddress(node: 1, side: .second)))
        bench.advance(by: .milliseconds(1))
        #expect(bench.take().contains(.acquireAddress(node: 1, side: .second)))
    }

    @Test func proxiesWaitForASideThatTheyMayNotForm() {
        var bench = BridgeBench()
        bench.memberUp(3, on: .second)
        bench.memberUp(4, on: .second)
        #expect(bench.bridge.status(at: bench.now).sides.first.proxies.isEmpty)
        bench.memberUp(1, on: .first)
        #expect(bench.phase(3, on: .first) == .joining)
        #expect(bench.phase(4, on: .first) == .joining)
        #expect(bench.phase(1, on: .second) == .joining)
    }

    @Test func aNodeMovesAcrossAndBack() {
        var bench = BridgeBench.upgrading()
        // Node 2 leaves the first side: its proxy on the second leaves, and the address is free before the host needs it.
        bench.report(.memberDown(2, .left), from: .first)
        #expect(bench.orders(to: .second) == [.withdraw(2, .left)])
        bench.report(.proxy(2, .gone(.withdrawn)), from: .second)
        #expect(bench.take().contains(.releaseAddress(node: 2, side: .second)))
        #expect(bench.phase(2, on: .second) == .absent)
        // It comes up on the second side: the bridge takes its other address and its proxy joins the first side under its name.
        bench.memberUp(2, on: .second)
        let actions = bench.take()
        #expect(actions.contains(.acquireAddress(node: 2, side: .first)))
        #expect(actions.contains(.order(.admit(ProxyIdentity(id: 2, name: "node2", votes: 1)), on: .first)))
        bench.join(2, on: .first)
        #expect(bench.bridge.status(at: bench.now).isConverged)
        // And back.
        bench.report(.memberDown(2, .left), from: .second)
        bench.report(.proxy(2, .gone(.withdrawn)), from: .first)
        #expect(bench.take().contains(.releaseAddress(node: 2, side: .first)))
        bench.memberUp(2, on: .first)
        bench.join(2, on: .second)
        #expect(bench.bridge.status(at: bench.now).isConverged)
    }

    @Test func departuresKeepTheirReason() {
        for departure in Departure.allCases {
            var bench = BridgeBench.upgrading()
            bench.report(.memberDown(1, departure), from: .first)
            #expect(bench.orders(to: .second) == [.withdraw(1, departure)])
        }
    }

    @Test func aNodeThatComesBackAtOnceIsSeenToHaveGone() {
        var bench = BridgeBench.upgrading()
        bench.report(.memberDown(1, .died), from: .first)
        bench.memberUp(1, on: .first)
        #expect(bench.orders(to: .second) == [.withdraw(1, .died)])
        bench.report(.proxy(1, .gone(.withdrawn)), from: .second)
        let actions = bench.take()
        let release = actions.firstIndex(of: .releaseAddress(node: 1, side: .second))
        let acquire = actions.firstIndex(of: .acquireAddress(node: 1, side: .second))
        #expect(release != nil && acquire != nil && (release ?? 0) < (acquire ?? 0))
        #expect(bench.phase(1, on: .second) == .joining)
    }

    @Test func aLostProxyComesBackWithBoundedBackoff() {
        var bench = BridgeBench.upgrading()
        var waits: [Int64] = []
        for _ in 0..<5 {
            bench.report(.proxy(3, .gone(.expelled("no response"))), from: .first)
            let start = bench.now
            #expect(bench.phase(3, on: .first) == .waiting)
            while bench.phase(3, on: .first) == .waiting { bench.advance(by: .seconds(1)) }
            waits.append((bench.now - start).milliseconds / 1000)
        }
        #expect(waits == [11, 22, 44, 60, 60])
        // A success clears the record.
        bench.join(3, on: .first)
        bench.report(.proxy(3, .gone(.expelled("no response"))), from: .first)
        bench.advance(by: .seconds(11))
        #expect(bench.phase(3, on: .first) == .joining)
        #expect(bench.bridge.status(at: bench.now).counters.proxiesLost.first == 6)
    }

    @Test func aSideThatDoesNotLetGoIsMadeTo() {
        var bench = BridgeBench.upgrading()
        bench.report(.memberDown(1, .left), from: .first)
        _ = bench.take()
        bench.advance(by: .seconds(6))
        #expect(bench.orders(to: .second) == [.drop(1)])
        bench.report(.proxy(1, .gone(.withdrawn)), from: .second)
        #expect(bench.take().contains(.releaseAddress(node: 1, side: .second)))
    }

    @Test func nativeOnBothSidesMeansNoProxy() {
        var bench = BridgeBench.upgrading()
        bench.memberUp(1, on: .second)
        let actions = bench.take()
        #expect(actions.contains { if case .alarm(.doubleIdentity(node: 1, _)) = $0 { true } else { false } })
        #expect(actions.contains(.order(.withdraw(1, .left), on: .second)))
        bench.report(.proxy(1, .gone(.withdrawn)), from: .second)
        #expect(bench.phase(1, on: .second) == .absent)
        #expect(bench.phase(1, on: .first) == .absent)
        #expect(bench.bridge.status(at: bench.now).doubleIdentities == [1])
        // When one of them goes, the other gets its proxy.
        bench.report(.memberDown(1, .left), from: .first)
        #expect(bench.phase(1, on: .first) == .joining)
    }

    @Test func aNativeHostWithAProxysAddressWins() {
        var bench = BridgeBench.upgrading()
        bench.perform { $0.bridge.addressLost(3, on: .first, holder: "02:00:00:00:00:03", at: $0.now, into: &$1) }
        #expect(bench.orders(to: .first) == [.withdraw(3, .left)])
        bench.report(.proxy(3, .gone(.withdrawn)), from: .first)
        #expect(bench.take().contains(.releaseAddress(node: 3, side: .first)))
        bench.advance(by: .seconds(59))
        #expect(!bench.take().contains(.acquireAddress(node: 3, side: .first)))
        bench.advance(by: .seconds(1))
        #expect(bench.take().contains(.acquireAddress(node: 3, side: .first)))
    }

    @Test func anUnknownNodeIsNamedAndGetsNoProxy() {
        var bench = BridgeBench()
        bench.memberUp(77, on: .first)
        #expect(bench.take() == [.alarm(.unknownNode(77, side: .first))])
        #expect(bench.bridge.status(at: bench.now).counters.refused.first[.unknownNode] == 1)
    }

    @Test func votesListenersAndKillsCross() {
        var bench = BridgeBench.upgrading()
        bench.report(.memberChanged(SideMember(id: 1, votes: 3)), from: .first)
        bench.report(.expectedVotes(5, by: 1), from: .first)
        bench.report(.listening(node: 1, port: 11, true), from: .first)
        bench.report(.listening(node: 1, port: 11, true), from: .first)
        bench.report(.killed(proxy: 3, by: 1), from: .first)
        #expect(
            bench.orders(to: .second) == [
                .setVotes(3, proxy: 1), .setExpectedVotes(5, proxy: 1), .openPort(11, proxy: 1), .kill(3, by: 1),
            ]
        )
        bench.report(.listening(node: 1, port: 11, false), from: .first)
        #expect(bench.orders(to: .second) == [.closePort(11, proxy: 1)])
    }

    @Test func stoppingWithdrawsEveryProxy() {
        var bench = BridgeBench.upgrading()
        bench.perform { $0.bridge.stop(at: $0.now, into: &$1) }
        #expect(!bench.bridge.isStopped)
        for node: UInt32 in [1, 2] { bench.report(.proxy(node, .gone(.withdrawn)), from: .second) }
        for node: UInt32 in [3, 4] { bench.report(.proxy(node, .gone(.withdrawn)), from: .first) }
        #expect(bench.bridge.isStopped)
        bench.memberUp(5, on: .first)
        #expect(bench.phase(5, on: .second) == .absent)
    }
}
