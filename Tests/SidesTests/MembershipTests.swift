import Bridging
import EngineKit
import Sides
import Testing

@Suite struct MembershipTests {
    /// Natives 1, 2 legacy; then 3, 4 come up on the ring.
    static func upgrading(isUDPU: Bool = true, seed: UInt64 = 1, nodes: [UInt32] = [1, 2, 3, 4]) -> Lab {
        var lab = Lab(nodes: nodes, isUDPU: isUDPU, seed: seed)
        lab.startBridge()
        for id in nodes.prefix(2) { lab.startLegacy(id) }
        lab.run(for: .seconds(60))
        for id in nodes.dropFirst(2) { lab.startTotem(id) }
        return lab
    }

    @Test(arguments: [true, false]) func bothSidesAgree(isUDPU: Bool) {
        var lab = Self.upgrading(isUDPU: isUDPU)
        #expect(lab.bridge?.status(at: lab.now).sides.second.proxies.map(\.phase) == [.member, .member])
        #expect(lab.run(atMost: .seconds(60)) { $0.agree(on: [1, 2, 3, 4]) }, "\(lab.description)")
        #expect(lab.addressClashes.isEmpty)
        #expect(lab.bridge?.status(at: lab.now).isConverged == true)
    }
}
