import CAllocationCount

/// What one operation costs.
struct Measurement {
    /// Nanoseconds per operation, in the fastest of several rounds.
    var nanoseconds: Double
    /// Allocations per operation, over all rounds.
    var allocations: Double

    /// Runs `body` `count` times in each of several rounds, after one round to warm up. `body` gets the number of the run and gives
    /// something that depends on all its work, so that the optimiser can neither drop nor share any of it.
    @inline(__always)
    static func of(_ count: Int, rounds: Int = 7, _ body: (Int) -> UInt64) -> Measurement {
        var checksum: UInt64 = 0
        for run in 0..<count { checksum &+= body(run) }
        var fastest = Duration.seconds(1_000_000)
        let before = allocation_count()
        for _ in 0..<rounds {
            let time = ContinuousClock().measure {
                for run in 0..<count { checksum &+= body(run) }
            }
            fastest = min(fastest, time)
        }
        let allocations = allocation_count() - before
        consume(checksum)
        let (seconds, attoseconds) = fastest.components
        return Measurement(
            nanoseconds: (Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(count),
            allocations: Double(allocations) / Double(count * rounds)
        )
    }
}

extension Measurement: CustomStringConvertible {
    var description: String {
        "\(rounded(nanoseconds, 2)) ns, \(rounded(allocations, 3)) allocations"
    }
}

/// `value` with so many digits behind the point.
func rounded(_ value: Double, _ digits: Int) -> Double {
    let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
    return (value * scale).rounded() / scale
}

/// Uses a value where the optimiser cannot see how.
@inline(never)
@_optimize(none)
func consume(_ value: UInt64) {
    if value == 0x5EED_5EED_5EED_5EED { print("checksum \(value)") }
}
