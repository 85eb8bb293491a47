/// How an interface of a pcapng file counts time (draft-ietf-opsawg-pcapng section 4.2, if_tsresol and if_tsoffset).
struct PcapngTime {
    /// How many units are a second, where that is no more than 64 bits tell; more is as good as no time at all.
    private var unitsPerSecond: UInt128 = 1_000_000
    /// How many nanoseconds a unit is, where that is a whole number: the usual case, for which a multiplication is enough.
    private var nanosecondsPerUnit: UInt64? = 1000
    /// Seconds that are added.
    var offset: Int64 = 0

    /// Takes the value of if_tsresol: a power of ten, or with the highest bit set of two. False when a unit would be too small for any
    /// time of 64 bits to reach a nanosecond.
    mutating func setResolution(_ value: UInt8) -> Bool {
        let exponent = Int(value & 0x7F)
        if value & 0x80 != 0 {
            guard exponent < 94 else { return false }
            unitsPerSecond = 1 << UInt128(exponent)
        } else {
            guard exponent < 29 else { return false }
            unitsPerSecond = (0..<exponent).reduce(1) { power, _ in power * 10 }
        }
        let (nanoseconds, rest) = UInt128(1_000_000_000).quotientAndRemainder(dividingBy: unitsPerSecond)
        nanosecondsPerUnit = rest == 0 ? UInt64(nanoseconds) : nil
        return true
    }

    /// A time in nanoseconds since 1970-01-01 00:00 UTC, at the ends of the range when it lies outside.
    func nanoseconds(high: UInt32, low: UInt32) -> Int64 {
        let units = UInt64(high) << 32 | UInt64(low)
        if let nanosecondsPerUnit, offset == 0 {
            let (product, overflow) = units.multipliedReportingOverflow(by: nanosecondsPerUnit)
            return overflow ? .max : Int64(clamping: product)
        }
        // Below 2^64 · 10^9 = 2^94, and the offset below 2^63 · 10^9.
        let unshifted = Int128(UInt128(units) * 1_000_000_000 / unitsPerSecond)
        return Int64(clamping: unshifted + Int128(offset) * 1_000_000_000)
    }
}
