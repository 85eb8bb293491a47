import EngineKit

/// Families of runs of bare Totem processors.
public enum RingFamilies {
    /// Faults of a run of 15 s, each of which lasts up to 12 s.
    private static func faults(_ count: Int, _ adjust: (inout FaultMix) -> Void = { _ in }) -> FaultMix {
        var mix = FaultMix(count: count, span: .seconds(15), duration: .milliseconds(20)...(.seconds(12)))
        adjust(&mix)
        return mix
    }

    /// Every family.
    public static let all: [RingScenario] = [
        RingScenario(name: "ring-quiet", hosts: 3, transport: .udpu, mix: faults(0)),
        RingScenario(
            name: "ring-loss",
            hosts: 4,
            transport: .udp,
            mix: faults(6) {
                $0.loss = 0.4
                $0.jitter = .milliseconds(3)
            }
        ),
        RingScenario(name: "ring-crashes", hosts: 4, transport: .udpu, mix: faults(6) { $0.crashes = true }, leaves: true),
        RingScenario(name: "ring-pauses", hosts: 3, transport: .udp, mix: faults(6) { $0.pauses = true }),
        RingScenario(name: "ring-partitions", hosts: 5, transport: .udpu, mix: faults(6) { $0.partitions = true }),
        RingScenario(
            name: "ring-everything",
            hosts: 5,
            transport: .udp,
            mix: faults(10) {
                $0.crashes = true
                $0.pauses = true
                $0.partitions = true
                $0.loss = 0.3
                $0.jitter = .milliseconds(20)
            },
            leaves: true
        ),
    ]
}
