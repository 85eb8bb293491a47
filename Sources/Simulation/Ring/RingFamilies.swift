import EngineKit
import TotemWire

/// Families of runs of bare Totem processors.
public enum RingFamilies {
    /// Faults of a run of 15 s, each of which lasts up to 12 s.
    private static func faults(_ count: Int, _ adjust: (inout FaultMix) -> Void = { _ in }) -> FaultMix {
        var mix = FaultMix(count: count, span: .seconds(15), duration: .milliseconds(20)...(.seconds(12)))
        adjust(&mix)
        return mix
    }

    /// Every family: those of corosync 3, the worst of them for each of the other generations, and rings of many or of unlike hosts.
    public static let all: [RingScenario] = corosync3 + older + special

    private static let corosync3: [RingScenario] = [
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
            mix: everything(),
            leaves: true
        ),
    ]

    private static func everything(_ count: Int = 10) -> FaultMix {
        faults(count) {
            $0.crashes = true
            $0.pauses = true
            $0.partitions = true
            $0.loss = 0.3
            $0.jitter = .milliseconds(20)
        }
    }

    /// The transports and dialects that existed: udpu came with corosync 1.
    private static let older: [RingScenario] = [.totem2005, .openais080, .corosync1, .corosync2].flatMap { (generation: TotemGeneration) in
        [
            RingScenario(
                name: "ring-loss-\(generation.name)",
                generation: generation,
                hosts: 4,
                transport: .udp,
                mix: faults(6) {
                    $0.loss = 0.4
                    $0.jitter = .milliseconds(3)
                }
            ),
            RingScenario(
                name: "ring-partitions-\(generation.name)",
                generation: generation,
                hosts: 5,
                transport: generation >= .corosync1 ? .udpu : .udp,
                mix: faults(6) { $0.partitions = true }
            ),
            RingScenario(
                name: "ring-everything-\(generation.name)",
                generation: generation,
                hosts: 5,
                transport: .udp,
                mix: everything(),
                leaves: true
            ),
        ]
    }

    private static let special: [RingScenario] = TotemGeneration.allCases.flatMap { generation in
        var large = RingScenario(
            name: "ring-large-\(generation.name)",
            generation: generation,
            hosts: generation == .totem2005 ? 16 : 32,
            transport: .udp,
            mix: everything(4),
            leaves: true
        )
        large.messages = 40
        var foreign = RingScenario(
            name: "ring-byte-orders-\(generation.name)",
            generation: generation,
            hosts: 4,
            transport: .udp,
            mix: everything(),
            leaves: true
        )
        foreign.hasForeignHosts = true
        return [large, foreign]
    }
}
