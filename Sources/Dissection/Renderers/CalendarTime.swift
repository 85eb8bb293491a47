/// A point in time as date and time of day in UTC.
struct CalendarTime {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    let nanosecond: Int

    private static let secondsPerDay: Int64 = 86_400

    /// The time `nanoseconds` after 1970-01-01 00:00 UTC.
    init(nanoseconds: Int64) {
        func floored(_ number: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
            let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
            return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
        }
        let (seconds, fraction) = floored(nanoseconds, 1_000_000_000)
        let (days, time) = floored(seconds, Self.secondsPerDay)
        hour = Int(time / 3600)
        minute = Int(time / 60 % 60)
        second = Int(time % 60)
        nanosecond = Int(fraction)
        // Years are counted from March, so that the day that comes and goes is the last one; 400 years have 146,097 days.
        let (era, dayOfEra) = floored(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }
}

extension TextBuffer {
    /// `2026-11-22`
    mutating func append(dateOf time: CalendarTime) {
        append(time.year)
        append("-")
        append(magnitude: UInt64(time.month), width: 2)
        append("-")
        append(magnitude: UInt64(time.day), width: 2)
    }

    /// `2026-11-22T10:42:29.018424000Z`
    mutating func append(_ time: CalendarTime) {
        append(dateOf: time)
        append("T")
        append(magnitude: UInt64(time.hour), width: 2)
        append(":")
        append(magnitude: UInt64(time.minute), width: 2)
        append(":")
        append(magnitude: UInt64(time.second), width: 2)
        append(".")
        append(magnitude: UInt64(time.nanosecond), width: 9)
        append("Z")
    }
}
