import Glibc
import Simulation

// usage: Seeds FAMILY FIRST COUNT [CAPTURE]
// Runs COUNT seeds of FAMILY ("all" for every family) from FIRST on, and prints each failure. With CAPTURE the datagrams of
// the first seed go into that file.

let arguments = CommandLine.arguments
guard arguments.count >= 4, let first = UInt64(arguments[2]), let count = UInt64(arguments[3]) else {
    print("usage: \(arguments[0]) FAMILY FIRST COUNT [CAPTURE]; families: \(Families.names.joined(separator: " "))")
    exit(2)
}

var failures = 0
for scenario in Families.all where arguments[1] == "all" || scenario.name == arguments[1] {
    if arguments.count > 4 { _ = try scenario.capture(seed: first, path: arguments[4]) }
    var deliveries = 0
    let time = ContinuousClock().measure {
        for seed in first..<first + count {
            if let failure = scenario.failure(seed: seed, attempts: 300, deliveries: &deliveries) {
                failures += 1
                print(failure)
            }
        }
    }
    print("\(scenario.name): \(count) seeds, \(deliveries) datagrams, \(time)")
}
exit(failures == 0 ? 0 : 1)
