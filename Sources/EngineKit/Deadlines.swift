/// The timers of an engine: at most one deadline per kind. `Kind` is an enumeration whose raw values count up from zero.
///
/// Engines have a handful of timers and ask for the earliest after every input, so a scan of an inline array beats a heap.
public struct Deadlines<Kind: CaseIterable & RawRepresentable & Sendable>: Sendable where Kind.RawValue == Int {
    private var deadlines: [Instant?] = Array(repeating: nil, count: Kind.allCases.count)

    /// No timer runs.
    public init() {}

    /// When `kind` is due, or nil while it does not run.
    public subscript(kind: Kind) -> Instant? {
        get { deadlines[kind.rawValue] }
        set { deadlines[kind.rawValue] = newValue }
    }

    /// The earliest deadline of all, or nil when no timer runs.
    public var next: Instant? {
        var earliest: Instant?
        for case let deadline? in deadlines where earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
        return earliest
    }

    /// Takes the timer that has been due longest at `now`, if any, and stops it. Ties go to the kind declared first.
    public mutating func takeDue(at now: Instant) -> Kind? {
        var found: (index: Int, deadline: Instant)?
        for (index, deadline) in deadlines.enumerated() {
            guard let deadline, deadline <= now, found.map({ deadline < $0.deadline }) ?? true else { continue }
            found = (index, deadline)
        }
        guard let found else { return nil }
        deadlines[found.index] = nil
        return Kind(rawValue: found.index)
    }

    /// Stops every timer.
    public mutating func removeAll() {
        for index in deadlines.indices { deadlines[index] = nil }
    }
}
