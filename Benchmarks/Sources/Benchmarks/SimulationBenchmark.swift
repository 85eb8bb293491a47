import Simulation

/// How fast the simulator runs: datagrams that reach an engine per second of real time.
enum SimulationBenchmark {
    static func run() {
        for name in ["ring-loss", "legacy-everything", "bridge-quiet"] {
            guard let scenario = Families.all.first(where: { $0.name == name }) else { continue }
            var deliveries = 0
            let time = ContinuousClock().measure {
                for seed in 1...10 as ClosedRange<UInt64> { deliveries += scenario.run(seed: seed).deliveries }
            }
            let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
            print("simulated \(name): \(rounded(Double(deliveries) / seconds / 1000, 0)) thousand datagrams a second")
        }
    }
}
