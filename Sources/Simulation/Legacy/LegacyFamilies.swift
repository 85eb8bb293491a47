import CmanNode
import EngineKit

/// Families of runs of legacy clusters.
public enum LegacyFamilies {
    private static func faults(_ count: Int, _ adjust: (inout FaultMix) -> Void = { _ in }) -> FaultMix {
        var mix = FaultMix(count: count, span: .seconds(100), duration: .milliseconds(200)...(.seconds(45)))
        adjust(&mix)
        return mix
    }

    private static func everything(_ mix: inout FaultMix) {
        mix.crashes = true
        mix.pauses = true
        mix.partitions = true
        mix.loss = 0.3
        mix.jitter = .milliseconds(30)
    }

    /// Every family.
    public static let all: [LegacyScenario] = [
        LegacyScenario(name: "legacy-quiet", hosts: 3...3, mix: faults(0)),
        LegacyScenario(
            name: "legacy-loss",
            hosts: 4...4,
            mix: faults(6) {
                $0.loss = 0.3
                $0.jitter = .milliseconds(20)
            }
        ),
        LegacyScenario(name: "legacy-crashes", hosts: 4...4, mix: faults(5) { $0.crashes = true }, hasAdministration: true),
        LegacyScenario(name: "legacy-pauses", hosts: 3...3, mix: faults(5) { $0.pauses = true }),
        LegacyScenario(name: "legacy-partitions", hosts: 5...5, mix: faults(5) { $0.partitions = true }),
        LegacyScenario(name: "legacy-everything", hosts: 5...5, mix: faults(8, everything), hasAdministration: true),
        LegacyScenario(name: "legacy-start", hosts: 4...4, mix: faults(8, everything), disturbsStart: true),
        LegacyScenario(name: "legacy-network-cut", hosts: 4...4, mix: faults(5) { $0.networks = 2 }, isHarmless: true),
        LegacyScenario(
            name: "legacy-two-networks",
            hosts: 4...4,
            mix: faults(6) {
                $0.networks = 2
                $0.crashes = true
                $0.loss = 0.2
            }
        ),
        LegacyScenario(name: "legacy-large", hosts: 32...32, mix: faults(8, everything), messages: 400, hasAdministration: true),
    ]

    /// The profiles of those who wrote the protocol.
    private static let historical: [CmanConfiguration.Profile] = [.kernel, .daemon]

    /// Clusters in which ours live with historical ones.
    public static let mixed: [LegacyScenario] = families("mixed", .drawn(historical + [.ringbridge]))

    /// The same without ours: what historical clusters do by themselves.
    public static let historicalOnly: [LegacyScenario] = families("historical", .drawn(historical))

    private static func families(_ name: String, _ profiles: LegacyProfiles) -> [LegacyScenario] {
        [
            LegacyScenario(name: "\(name)-quiet", hosts: 3...8, profiles: profiles, mix: faults(0)),
            LegacyScenario(
                name: "\(name)-loss",
                hosts: 3...6,
                profiles: profiles,
                mix: faults(6) {
                    $0.loss = 0.3
                    $0.jitter = .milliseconds(20)
                }
            ),
            LegacyScenario(
                name: "\(name)-crashes",
                hosts: 3...6,
                profiles: profiles,
                mix: faults(5) {
                    $0.crashes = true
                    $0.pauses = true
                },
                hasAdministration: true,
                hasReturns: true
            ),
            LegacyScenario(name: "\(name)-partitions", hosts: 3...7, profiles: profiles, mix: faults(5) { $0.partitions = true }),
            LegacyScenario(
                name: "\(name)-everything",
                hosts: 3...8,
                profiles: profiles,
                mix: faults(8, everything),
                hasAdministration: true,
                hasReturns: true
            ),
            LegacyScenario(
                name: "\(name)-large",
                hosts: 9...32,
                profiles: profiles,
                mix: faults(8, everything),
                messages: 300,
                hasAdministration: true,
                hasReturns: true
            ),
            LegacyScenario(
                name: "\(name)-damage",
                hosts: 3...6,
                profiles: profiles,
                mix: faults(6) {
                    $0.damage = 0.3
                    $0.loss = 0.1
                }
            ),
        ]
    }

    /// A day at five per cent loss.
    public static let soak = LegacySoak(name: "legacy-soak", hosts: 5, span: .seconds(86_400), loss: 0.05)
}
