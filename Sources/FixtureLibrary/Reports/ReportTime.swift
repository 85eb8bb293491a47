/// Times in the reports of daemons, as seconds since the first packet of their capture.
struct ReportTime {
    /// The first packet, in nanoseconds since 1970-01-01 00:00 UTC.
    let origin: Int64

    private static let day: Int64 = 86_400 * 1_000_000_000

    /// Seconds of a time of day, `10:12:52.457` (UTC, the day of the recording); nil when `text` is none.
    func ofDay(_ text: Substring) -> Double? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hours = Int64(parts[0]), let minutes = Int64(parts[1]), let seconds = Double(parts[2]) else {
            return nil
        }
        let start = origin - origin % Self.day
        let time = start + (hours * 3600 + minutes * 60) * 1_000_000_000 + Int64(seconds * 1_000_000_000)
        return Double(time - origin) / 1_000_000_000
    }

    /// Seconds of a number of seconds since 1970, `1795341202.763237`; nil when `text` is none.
    func ofEpoch(_ text: Substring) -> Double? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count <= 9, let seconds = Int64(parts[0]), seconds < 1 << 33, let fraction = Int64(parts[1])
        else { return nil }
        var nanoseconds = fraction
        for _ in parts[1].count..<9 { nanoseconds *= 10 }
        return Double(seconds * 1_000_000_000 + nanoseconds - origin) / 1_000_000_000
    }
}
