import Glibc
import Simulation

// usage: Seeds FAMILY FIRST COUNT [CAPTURE] [--brief | --trace]
// Runs COUNT seeds of FAMILY ("all" for every family) from FIRST on, and prints each failure with the shortest script that shows it;
// with --brief only what the whole run broke, and how often originals did what they are excused for; with --trace also what the engines reported in it. With CAPTURE the datagrams of the first
// seed go into that file.

let showsTrace = CommandLine.arguments.contains("--trace")
let isBrief = showsTrace || CommandLine.arguments.contains("--brief")
let arguments = CommandLine.arguments.filter { !["--brief", "--trace"].contains($0) }
guard arguments.count >= 4, let first = UInt64(arguments[2]), let count = UInt64(arguments[3]) else {
    print("usage: \(arguments[0]) FAMILY FIRST COUNT [CAPTURE] [--brief | --trace]; families: \(Families.names.joined(separator: " "))")
    exit(2)
}

var failures = 0
for scenario in Families.all where arguments[1] == "all" || scenario.name == arguments[1] {
    if arguments.count > 4 { _ = try scenario.capture(seed: first, path: arguments[4]) }
    var deliveries = 0
    var exceptions: [HistoricalException: [UInt64]] = [:]
    let time = ContinuousClock().measure {
        for seed in first..<first + count {
            if isBrief {
                let result = scenario.run(seed: seed)
                deliveries += result.deliveries
                for exception in result.exceptions { exceptions[exception, default: []].append(seed) }
                guard !result.violations.isEmpty else { continue }
                failures += 1
                print("\(scenario.name) \(seed): \(result.violations.map(\.description).joined(separator: "; "))")
                if showsTrace { print(result.trace.joined(separator: "\n")) }
            } else if let failure = scenario.failure(seed: seed, attempts: 300, deliveries: &deliveries) {
                failures += 1
                print(failure)
            }
        }
    }
    for exception in HistoricalException.allCases {
        guard let seeds = exceptions[exception] else { continue }
        print("\(scenario.name): \(exception) in \(seeds.count) seeds, first \(seeds.prefix(5))")
    }
    print("\(scenario.name): \(count) seeds, \(deliveries) datagrams, \(time)")
}
exit(failures == 0 ? 0 : 1)
