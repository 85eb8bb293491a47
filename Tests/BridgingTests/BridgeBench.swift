import Bridging
import EngineKit

/// A bridge whose sides are played by the test: reports go in, what comes out is collected.
struct BridgeBench {
    var bridge: Bridge
    var now = Instant.zero
    /// Everything the bridge wanted since the last `take`.
    private(set) var actions: [BridgeAction] = []
    /// Whether addresses are granted at once.
    var grantsAddresses = true

    static let nodeCount: UInt32 = 6

    static func configuration(ports: Set<UInt8> = Set(3...255)) -> BridgeConfiguration {
        BridgeConfiguration(
            nodes: (1...nodeCount).map { BridgeNode(id: $0, name: "node\($0)") },
            traits: PerSide(
                first: SideTraits(
                    name: "stern",
                    proxiesFormAlone: false,
                    readmission: .seconds(11),
                    sendWindow: 2,
                    largestPayload: 1480
                ),
                second: SideTraits(name: "ring", proxiesFormAlone: true, readmission: .seconds(1), sendWindow: 16, largestPayload: 1480)
            ),
            ports: ports
        )
    }

    init(configuration: BridgeConfiguration = BridgeBench.configuration()) {
        bridge = Bridge(configuration: configuration)
    }

    mutating func report(_ report: SideReport, from side: SideID) {
        perform { bench, actions in bench.bridge.take(report, from: side, at: bench.now, into: &actions) }
    }

    mutating func advance(by interval: Interval) {
        let end = now + interval
        while let deadline = bridge.nextDeadline, deadline <= end {
            now = max(now, deadline)
            perform { bench, actions in bench.bridge.advance(to: bench.now, into: &actions) }
        }
        now = end
    }

    mutating func perform(_ body: (inout BridgeBench, inout [BridgeAction]) -> Void) {
        var pending: [BridgeAction] = []
        body(&self, &pending)
        var index = 0
        while index < pending.count {
            let action = pending[index]
            index += 1
            actions.append(action)
            if grantsAddresses, case .acquireAddress(let node, let side) = action {
                bridge.addressHeld(node, on: side, at: now, into: &pending)
            }
        }
    }

    mutating func take() -> [BridgeAction] {
        defer { actions.removeAll() }
        return actions
    }

    /// The orders to `side` since the last `take` or `orders`.
    mutating func orders(to side: SideID) -> [SideOrder] {
        take().compactMap { action in
            guard case .order(let order, on: side) = action else { return nil }
            return order
        }
    }

    mutating func memberUp(_ node: UInt32, on side: SideID) {
        report(.memberUp(SideMember(id: node, name: "node\(node)", votes: 1)), from: side)
    }

    /// Makes the proxy of `node` a member of `side`.
    mutating func join(_ node: UInt32, on side: SideID) {
        report(.proxy(node, .joining), from: side)
        report(.proxy(node, .member), from: side)
    }

    /// Natives 1, 2 on the first side, 3, 4 on the second, their proxies members, both sides operational.
    static func upgrading() -> BridgeBench {
        var bench = BridgeBench()
        for node: UInt32 in [1, 2] { bench.memberUp(node, on: .first) }
        for node: UInt32 in [1, 2] { bench.join(node, on: .second) }
        for node: UInt32 in [3, 4] { bench.memberUp(node, on: .second) }
        for node: UInt32 in [3, 4] { bench.join(node, on: .first) }
        bench.report(.operational(true), from: .first)
        bench.report(.operational(true), from: .second)
        _ = bench.take()
        return bench
    }

    func phase(_ node: UInt32, on side: SideID) -> ProxyPhase {
        bridge.status(at: now).sides[side].proxies.first { $0.node == node }?.phase ?? .absent
    }
}
