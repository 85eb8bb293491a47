import CmanNode
import EngineKit

/// Families of runs of clusters half way through their upgrade.
public enum BridgedFamilies {
    private static func faults(_ count: Int, _ adjust: (inout FaultMix) -> Void = { _ in }) -> FaultMix {
        var mix = FaultMix(count: count, span: .seconds(100), duration: .milliseconds(200)...(.seconds(60)))
        adjust(&mix)
        return mix
    }

    /// Every family.
    public static let all: [BridgedScenario] = [
        BridgedScenario(name: "bridge-quiet", legacy: 2, totem: 2, mix: faults(0)),
        BridgedScenario(name: "bridge-kernel", legacy: 2, totem: 2, profile: .kernel, mix: faults(0), moves: 2),
        BridgedScenario(name: "bridge-moves", legacy: 3, totem: 1, transport: .udp, mix: faults(0), moves: 4),
        BridgedScenario(name: "bridge-loss", legacy: 2, totem: 2, mix: faults(4) { $0.loss = 0.03 }),
        BridgedScenario(name: "bridge-crashes", legacy: 2, totem: 3, mix: faults(3) { $0.crashes = true }),
        BridgedScenario(
            name: "bridge-restarts",
            legacy: 2,
            totem: 2,
            mix: faults(2) { $0.crashes = true },
            disturbsBridge: true
        ),
        BridgedScenario(
            name: "bridge-everything",
            legacy: 3,
            totem: 2,
            transport: .udp,
            mix: faults(6) {
                $0.crashes = true
                $0.pauses = true
                $0.partitions = true
                $0.loss = 0.2
                $0.jitter = .milliseconds(10)
            },
            disturbsBridge: true,
            moves: 2
        ),
    ]
}
