import Bridging
import ClusterServices
import EngineKit
import Sides
import Testing

/// Broadcasts and unicasts between native members of both sides.
@Suite struct MessageTests {
    private static let all: [UInt32] = [1, 2, 3, 4]

    private func agreed(isUDPU: Bool = true, seed: UInt64 = 1) -> Lab {
        var lab = MembershipTests.upgrading(isUDPU: isUDPU, seed: seed)
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: Self.all) }, "\(lab.description)")
        lab.run(for: .seconds(15))
        return lab
    }

    /// Everything that members across the bridge sent arrived, in order, once.
    static func expectComplete(_ lab: Lab, from sources: [UInt32], at receivers: [UInt32], numbers: ClosedRange<UInt32>) {
        for receiver in receivers {
            for source in sources where source != receiver {
                let got = lab.received(by: receiver, from: source).map(\.number)
                #expect(got == Array(numbers), "\(receiver) from \(source): \(got.count) of \(numbers.count); \(lab.description)")
            }
        }
    }

    @Test(arguments: [true, false]) func everybodyBroadcastsAtOnce(isUDPU: Bool) {
        var lab = agreed(isUDPU: isUDPU)
        for id in [1, 2] as [UInt32] { lab.sendFromLegacy(id, numbers: 1...500) }
        for id in [3, 4] as [UInt32] { lab.sendFromTotem(id, numbers: 1...500) }
        lab.run(for: .seconds(20))
        Self.expectComplete(lab, from: [3, 4], at: [1, 2], numbers: 1...500)
        Self.expectComplete(lab, from: [1, 2], at: [3, 4], numbers: 1...500)
        Self.expectComplete(lab, from: [1, 2], at: [1, 2], numbers: 1...500)
        let counters = lab.bridge?.status(at: lab.now).counters
        #expect(counters?.carried == PerSide(first: 1000, second: 1000))
        #expect(counters?.refused == PerSide(both: [:]))
        #expect(counters?.acknowledgedEarly == PerSide(both: 0))
        #expect(lab.legacy.values.allSatisfy { $0.lost.isEmpty })
    }

    @Test func unicastsReachTheirTargetOnlyAndAnswersComeBack() {
        var lab = agreed()
        for source in [1, 2] as [UInt32] {
            lab.sendFromLegacy(source, to: 3, numbers: 1...100)
            lab.sendFromLegacy(source, to: 4, numbers: 101...200)
        }
        for source in [3, 4] as [UInt32] {
            lab.sendFromTotem(source, to: 1, numbers: 1...100)
            lab.sendFromTotem(source, to: 2, numbers: 101...200)
        }
        lab.run(for: .seconds(20))
        for (low, high, sources) in [(1, 2, [3, 4]), (3, 4, [1, 2])] as [(UInt32, UInt32, [UInt32])] {
            Self.expectComplete(lab, from: sources, at: [low], numbers: 1...100)
            Self.expectComplete(lab, from: sources, at: [high], numbers: 101...200)
            for receiver in [low, high] {
                for source in sources { #expect(lab.received(by: receiver, from: source).allSatisfy { $0.target == receiver }) }
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func lossDelaysButLosesNothing(seed: UInt64) {
        var lab = agreed(seed: seed)
        lab.loss = 2
        for id in [1, 2] as [UInt32] { lab.sendFromLegacy(id, numbers: 1...60) }
        for id in [3, 4] as [UInt32] { lab.sendFromTotem(id, numbers: 1...60) }
        lab.run(for: .seconds(30))
        lab.loss = 0
        lab.run(for: .seconds(60))
        Self.expectComplete(lab, from: [3, 4], at: [1, 2], numbers: 1...60)
        Self.expectComplete(lab, from: [1, 2], at: [3, 4], numbers: 1...60)
    }

    @Test func forgedHeadersAreRefusedAndCounted() {
        var lab = agreed()
        func header(source: UInt32, port: UInt8) -> [UInt8] {
            [port, 1, 0, 0, 0, 0, 0, 0, UInt8(source), 0, 0, 0, 0, 0, 0, 0, 9, 9]
        }
        lab.sendGroup(3, "cman.20", header(source: 4, port: 20))
        lab.sendGroup(3, "cman.20", header(source: 3, port: 21))
        lab.sendGroup(3, "cman.20", [1, 2, 3])
        lab.sendGroup(3, "cman.20", header(source: 3, port: 20) + [UInt8](repeating: 0, count: 1480))
        lab.sendGroup(3, "cman.20", header(source: 3, port: 20))
        lab.run(for: .seconds(2))
        #expect(
            lab.bridge?.status(at: lab.now).counters.refused.second == [
                .sourceMismatch: 1, .portMismatch: 1, .malformed: 1, .tooLarge: 1,
            ]
        )
        #expect(lab.received(by: 1, from: 3).count == 1)
        #expect(lab.received(by: 1, from: 4).isEmpty)
    }

    /// Nobody on the other side listens: what is not carried, or carried for nobody, shows in the status.
    @Test func messagesThatNobodyListensToAreCounted() {
        var lab = agreed()
        lab.joinGroup(3, "cman.50")
        lab.joinGroup(4, "group of programs that are not bridged")
        lab.run(for: .seconds(2))
        for _ in 0..<7 { lab.sendGroup(3, "cman.50", [UInt8](repeating: 0, count: 20)) }
        lab.sendGroup(4, "group of programs that are not bridged", [1])
        // A broadcast, which both proxies get, and a message to one of them.
        lab.sendFromLegacy(1, port: 60)
        lab.sendFromLegacy(2, port: 61, to: 4)
        lab.run(for: .seconds(2))
        let status = lab.bridge?.status(at: lab.now)
        #expect(status?.counters.withoutListener == PerSide(first: 2, second: 7))
        #expect(status?.counters.refused == PerSide(both: [:]))
    }

    @Test func programsThatListenAreKnownAcross() {
        let lab = agreed()
        let status = lab.bridge?.status(at: lab.now)
        #expect(status?.sides.second.listeners == [3: [20], 4: [20]])
        #expect(status?.sides.first.listeners == [1: [20], 2: [20]])
        // The ring's members see the processes of the legacy nodes in the group.
        let processes = lab.totem[3]?.processor.processes(in: "cman.20").map(\.node)
        #expect(processes == Self.all)
    }
}
