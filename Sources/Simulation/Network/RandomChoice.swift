import EngineKit

extension RandomSource {
    /// True with `probability`, 0...1.
    package mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && Double(next() >> 11) * 0x1p-53 < probability
    }

    /// A number in 0..<`bound`.
    package mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    /// A length of time in 0...`longest`.
    package mutating func interval(upTo longest: Interval) -> Interval {
        longest.nanoseconds > 0 ? Interval(nanoseconds: Int64(next() % UInt64(longest.nanoseconds + 1))) : .zero
    }

    /// A length of time in `range`.
    package mutating func interval(in range: ClosedRange<Interval>) -> Interval {
        range.lowerBound + interval(upTo: range.upperBound - range.lowerBound)
    }

    /// One of `choices`, which is not empty.
    package mutating func choice<Element>(_ choices: [Element]) -> Element {
        choices[below(choices.count)]
    }

    /// A generator of its own for one purpose, so that drawing more in one place changes nothing in another.
    package mutating func fork() -> RandomSource {
        RandomSource(seed: next())
    }
}
