import Bridging
import EngineKit
import Sides
import Testing

/// Members that die, leave, move and come back; a bridge that is started again.
@Suite struct FailureTests {
    private func agreed(nodes: [UInt32] = [1, 2, 3, 4], seed: UInt64 = 1) -> Lab {
        var lab = MembershipTests.upgrading(seed: seed, nodes: nodes)
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: nodes) }, "\(lab.description)")
        lab.run(for: .seconds(15))
        return lab
    }

    @Test func aNodeMovesAcrossAndBack() {
        var lab = agreed()
        lab.leaveLegacy(2)
        #expect(lab.run(atMost: .seconds(10)) { $0.agree(on: [1, 3, 4]) }, "\(lab.description)")
        #expect(!lab.held.second.contains(2), "the address is free before the host needs it")
        lab.startTotem(2)
        #expect(lab.run(atMost: .seconds(40)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        lab.run(for: .seconds(15))
        lab.sendFromTotem(2, numbers: 1...100)
        lab.sendFromLegacy(1, numbers: 1...100)
        lab.run(for: .seconds(10))
        MessageTests.expectComplete(lab, from: [2], at: [1], numbers: 1...100)
        MessageTests.expectComplete(lab, from: [1], at: [2, 3, 4], numbers: 1...100)
        // And back.
        lab.leaveTotem(2)
        #expect(lab.run(atMost: .seconds(20)) { $0.agree(on: [1, 3, 4]) }, "\(lab.description)")
        #expect(!lab.held.first.contains(2))
        lab.startLegacy(2)
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        #expect(lab.addressClashes.isEmpty)
    }

    @Test func everyNodeMovesOneAfterTheOther() {
        var lab = agreed()
        for id in [1, 2] as [UInt32] {
            lab.leaveLegacy(id)
            lab.run(for: .seconds(20))
            lab.startTotem(id)
            lab.run(for: .seconds(60))
        }
        #expect(lab.agree(on: [1, 2, 3, 4]), "\(lab.description)")
        // Nothing legacy is left: neither proxies nor addresses.
        #expect(lab.held == PerSide(both: []))
        // The first one goes back: it forms the legacy side anew.
        lab.leaveTotem(4)
        lab.run(for: .seconds(20))
        lab.startLegacy(4)
        #expect(lab.run(atMost: .seconds(120)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        #expect(lab.addressClashes.isEmpty)
    }

    /// Promise 1: a Totem node dies under legacy broadcasts, and costs nobody else the membership.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func aTotemNodeCrashesUnderLegacyBroadcasts(seed: UInt64) {
        var lab = agreed(seed: seed)
        for id in [1, 2] as [UInt32] { lab.sendFromLegacy(id, numbers: 1...800) }
        lab.run(for: .milliseconds(50 + 17 * Int64(seed)))
        lab.crash(4)
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3]) }, "\(lab.description)")
        lab.run(for: .seconds(60))
        for id in [1, 2] as [UInt32] {
            #expect(lab.legacy[id]?.lost == [4], "\(lab.description)")
            #expect(lab.legacy[id]?.outbox.isEmpty == true)
        }
        MessageTests.expectComplete(lab, from: [1, 2], at: [3], numbers: 1...800)
        MessageTests.expectComplete(lab, from: [1, 2], at: [1, 2], numbers: 1...800)
        // The ring needed longer than a legacy sender waits: somebody was acknowledged early.
        #expect((lab.bridge?.status(at: lab.now).counters.acknowledgedEarly.first ?? 0) > 0)
    }

    /// A ring reformation and a legacy transition while everybody talks: nothing is lost, repeated or out of order.
    @Test(arguments: [true, false]) func aNodeGoesWhileEverybodyTalks(isOrderly: Bool) {
        var lab = agreed(nodes: [1, 2, 3, 4, 5])
        for id in [1, 2] as [UInt32] { lab.sendFromLegacy(id, numbers: 1...1000) }
        for id in [3, 4] as [UInt32] { lab.sendFromTotem(id, numbers: 1...1000) }
        lab.run(for: .milliseconds(60))
        if isOrderly { lab.leaveTotem(5) } else { lab.crash(5) }
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        lab.run(for: .seconds(60))
        MessageTests.expectComplete(lab, from: [1, 2, 3, 4], at: [1, 2, 3, 4], numbers: 1...1000)
        #expect(lab.bridge?.status(at: lab.now).counters.refused == PerSide(both: [:]))
        for id in [1, 2] as [UInt32] { #expect(lab.legacy[id]?.lost == [5]) }
    }

    @Test func aLegacyNodeCrashesUnderTotemBroadcasts() {
        var lab = agreed()
        for id in [3, 4] as [UInt32] { lab.sendFromTotem(id, numbers: 1...500) }
        lab.run(for: .milliseconds(50))
        lab.crash(2)
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 3, 4]) }, "\(lab.description)")
        lab.run(for: .seconds(30))
        MessageTests.expectComplete(lab, from: [3, 4], at: [1], numbers: 1...500)
        #expect(lab.legacy[1]?.lost == [2])
        // It comes back as what it was.
        lab.startLegacy(2)
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
    }

    /// Proxies are the lowest ids on either side, and three of them on one.
    @Test(
        arguments: [
            ([1, 5], [2, 3, 4]), ([3, 4], [1, 2]), ([2, 3, 4], [1, 5]), ([4, 5], [1, 2, 3]), ([1], [2, 3, 4]), ([1, 2, 3], [4]),
        ] as [([UInt32], [UInt32])]
    )
    func proxiesMayBeAnyone(legacy: [UInt32], totem: [UInt32]) {
        let nodes = (legacy + totem).sorted()
        var lab = Lab(nodes: nodes)
        lab.startBridge()
        for id in legacy { lab.startLegacy(id) }
        lab.run(for: .seconds(70))
        for id in totem { lab.startTotem(id) }
        #expect(lab.run(atMost: .seconds(90)) { $0.agree(on: nodes) }, "\(lab.description)")
        lab.run(for: .seconds(15))
        for id in legacy { lab.sendFromLegacy(id, numbers: 1...200) }
        for id in totem { lab.sendFromTotem(id, numbers: 1...200) }
        lab.run(for: .seconds(20))
        MessageTests.expectComplete(lab, from: legacy, at: totem, numbers: 1...200)
        MessageTests.expectComplete(lab, from: totem, at: legacy, numbers: 1...200)
    }

    /// A ring exists first; legacy nodes come.
    @Test func theMirrorImage() {
        var lab = Lab(nodes: [1, 2, 3, 4])
        lab.startBridge()
        for id in [1, 2, 3] as [UInt32] { lab.startTotem(id) }
        lab.run(for: .seconds(30))
        #expect(lab.held == PerSide(both: []))
        lab.startLegacy(4)
        #expect(lab.run(atMost: .seconds(120)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
    }

    @Test func theBridgeIsStartedAgain() {
        var lab = agreed()
        for id in [1, 2] as [UInt32] { lab.sendFromLegacy(id, numbers: 1...800) }
        lab.run(for: .milliseconds(100))
        lab.killBridge()
        lab.run(for: .milliseconds(500))
        lab.startBridge(seed: 99)
        #expect(lab.run(atMost: .seconds(120)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        lab.run(for: .seconds(60))
        for receiver in [3, 4] as [UInt32] {
            for source in [1, 2] as [UInt32] {
                let got = lab.received(by: receiver, from: source).map(\.number)
                #expect(zip(got, got.dropFirst()).allSatisfy { $0 < $1 }, "in order, once")
            }
        }
        // What is sent now arrives.
        for id in [1, 2] as [UInt32] { lab.sendFromLegacy(id, numbers: 5001...5100) }
        for id in [3, 4] as [UInt32] { lab.sendFromTotem(id, numbers: 5001...5100) }
        lab.run(for: .seconds(20))
        for (receivers, sources) in [([1, 2], [3, 4]), ([3, 4], [1, 2])] as [([UInt32], [UInt32])] {
            for receiver in receivers {
                for source in sources {
                    let got = lab.received(by: receiver, from: source).map(\.number).filter { $0 > 5000 }
                    #expect(got == Array(5001...5100), "\(receiver) from \(source); \(lab.description)")
                }
            }
        }
    }

    /// Both sides have given up the proxies, or not yet, when the process goes on.
    @Test(arguments: [2, 6, 12, 40] as [Int64]) func theBridgeIsHeldUp(seconds: Int64) {
        var lab = agreed()
        for id in [1, 2] as [UInt32] { lab.sendFromLegacy(id, numbers: 1...200) }
        for id in [3, 4] as [UInt32] { lab.sendFromTotem(id, numbers: 1...200) }
        lab.run(for: .milliseconds(20))
        lab.stallBridge(for: .seconds(seconds))
        #expect(lab.run(atMost: .seconds(180)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        lab.run(for: .seconds(30))
        #expect(lab.agree(on: [1, 2, 3, 4]), "\(lab.description)")
        for receiver in [1, 2, 3, 4] as [UInt32] {
            for source in [1, 2, 3, 4] as [UInt32] where source != receiver {
                let got = lab.received(by: receiver, from: source).map(\.number)
                #expect(zip(got, got.dropFirst()).allSatisfy { $0 < $1 }, "\(receiver) from \(source), in order and once")
            }
        }
    }

    @Test func theBridgeStopsInOrder() {
        var lab = agreed()
        lab.stopBridge()
        #expect(lab.run(atMost: .seconds(10)) { $0.bridge?.isStopped == true }, "\(lab.description)")
        #expect(lab.held == PerSide(both: []))
        #expect(lab.run(atMost: .seconds(20)) { $0.legacyMembers(1) == [1, 2] && $0.totemMembers(3) == [3, 4] }, "\(lab.description)")
    }
}
