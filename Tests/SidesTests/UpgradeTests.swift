import Bridging
import CmanNode
import EngineKit
import Sides
import Testing

/// Random upgrades under traffic: nodes leave, die, move and come back, one at a time, while everybody talks.
@Suite struct UpgradeTests {
    /// Traffic that goes on while things happen.
    private struct Traffic {
        var random: RandomSource
        var next: [UInt32: UInt32] = [:]

        mutating func run(_ lab: inout Lab, for interval: Interval) {
            let end = lab.now + interval
            while lab.now < end {
                for id in lab.nodes where Int.random(in: 0..<3, using: &random) == 0 {
                    let first = next[id] ?? 1
                    let last = first + UInt32.random(in: 0..<8, using: &random)
                    let target = Int.random(in: 0..<4, using: &random) == 0 ? lab.nodes.randomElement(using: &random) ?? 0 : 0
                    if target == id { continue }
                    next[id] = last + 1
                    lab.sendFromLegacy(id, to: target, numbers: first...last)
                    lab.sendFromTotem(id, to: target, numbers: first...last)
                }
                lab.run(for: .milliseconds(Int64.random(in: 100...800, using: &random)))
            }
        }
    }

    @Test(arguments: 1...3) func nodesComeAndGo(seed: Int) {
        let nodes: [UInt32] = [1, 2, 3, 4, 5]
        var traffic = Traffic(random: RandomSource(seed: UInt64(seed)))
        var lab = Lab(nodes: nodes, isUDPU: seed % 2 == 0, seed: UInt64(seed))
        lab.startBridge()
        for id in [1, 2, 3] as [UInt32] { lab.startLegacy(id, profile: seed % 3 == 0 ? .daemon : .kernel) }
        lab.run(for: .seconds(70))
        for id in [4, 5] as [UInt32] { lab.startTotem(id) }
        #expect(lab.run(atMost: .seconds(90)) { $0.agree(on: nodes) }, "seed \(seed): \(lab.description)")
        for round in 1...5 {
            // The last native legacy member stays: without one its side is formed anew, which takes its own time.
            let candidates = nodes.filter { lab.legacy[$0] == nil || lab.legacy.count > 1 }
            guard let node = candidates.randomElement(using: &traffic.random) else { break }
            traffic.run(&lab, for: .seconds(Int64.random(in: 1...12, using: &traffic.random)))
            let isOrderly = Bool.random(using: &traffic.random)
            let what = "seed \(seed), round \(round): node \(node) \(isOrderly ? "leaves" : "dies") \(lab.legacy[node] != nil ? "L" : "T")"
            if isOrderly, lab.legacy[node] != nil {
                lab.leaveLegacy(node)
            } else if isOrderly {
                lab.leaveTotem(node)
            } else {
                lab.crash(node)
            }
            let others = nodes.filter { $0 != node }
            traffic.run(&lab, for: .seconds(5))
            #expect(lab.run(atMost: .seconds(90)) { $0.agree(on: others) }, "\(what); \(lab.description)")
            traffic.run(&lab, for: .seconds(Int64.random(in: 1...20, using: &traffic.random)))
            if Bool.random(using: &traffic.random) {
                lab.startLegacy(node)
            } else {
                lab.startTotem(node)
            }
            traffic.run(&lab, for: .seconds(10))
            #expect(lab.run(atMost: .seconds(120)) { $0.agree(on: nodes) }, "\(what), comes back; \(lab.description)")
            if Bool.random(using: &traffic.random) {
                lab.loss = 1
                traffic.run(&lab, for: .seconds(5))
                lab.loss = 0
            }
        }
        lab.run(for: .seconds(60))
        let carried = lab.bridge?.status(at: lab.now).counters.carried
        #expect((carried?.first ?? 0) > 500 && (carried?.second ?? 0) > 500, "seed \(seed): \(lab.description)")
        for receiver in nodes {
            for source in nodes where source != receiver {
                let got = lab.received(by: receiver, from: source).map(\.number)
                #expect(zip(got, got.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed): \(receiver) from \(source), in order and once")
                #expect(lab.received(by: receiver, from: source).allSatisfy { $0.target == 0 || $0.target == receiver })
            }
        }
        #expect(lab.addressClashes.isEmpty, "seed \(seed)")
        #expect(lab.bridge?.status(at: lab.now).sides.first.queues.isEmpty == true)
        #expect(lab.bridge?.status(at: lab.now).sides.second.queues.isEmpty == true)
    }
}
