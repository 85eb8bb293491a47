import EngineKit

/// What a run does from outside, in order of time: faults, and commands to the engines. The same seed and the same script give
/// the same run.
public struct Script<Command: Sendable & CustomStringConvertible>: Sendable {
    /// One thing to do.
    public enum Action: Sendable {
        case fault(Fault)
        case command(Command)
    }

    /// One thing to do and when.
    public struct Step: Sendable {
        /// When it happens.
        public var time: Instant
        /// What happens.
        public var action: Action
    }

    /// What is done, oldest first.
    public private(set) var steps: [Step] = []

    /// A script that does nothing.
    public init() {}

    /// Adds a command.
    public mutating func add(_ command: Command, at time: Instant) {
        steps.append(Step(time: time, action: .command(command)))
    }

    /// Adds a fault.
    public mutating func add(_ fault: Fault, at time: Instant) {
        steps.append(Step(time: time, action: .fault(fault)))
    }

    /// Adds faults.
    public mutating func add(_ faults: [(time: Instant, fault: Fault)]) {
        for (time, fault) in faults { add(fault, at: time) }
    }

    /// Puts the steps in order; what is due at the same time stays in the order in which it was added.
    public func sorted() -> Script {
        var copy = self
        copy.steps = steps.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        return copy
    }

    /// The script without the steps at `range`.
    func without(_ range: Range<Int>) -> Script {
        var copy = self
        copy.steps.removeSubrange(range)
        return copy
    }

    /// The shortest script found from this one that still `fails`, within `attempts` runs: ever smaller pieces are left out.
    public func minimised(attempts: Int, fails: (Script) -> Bool) -> Script {
        var best = self
        var left = attempts
        var piece = max(1, best.steps.count / 2)
        while left > 0, !best.steps.isEmpty {
            var start = 0
            var shrank = false
            while start < best.steps.count, left > 0 {
                left -= 1
                let candidate = best.without(start..<min(start + piece, best.steps.count))
                if fails(candidate) {
                    best = candidate
                    shrank = true
                } else {
                    start += piece
                }
            }
            if piece == 1 && !shrank { break }
            piece = max(1, piece / 2)
        }
        return best
    }
}

extension Script: CustomStringConvertible {
    public var description: String {
        steps.map { step in
            switch step.action {
            case .fault(let fault): "\(step.time.seconds) \(fault)"
            case .command(let command): "\(step.time.seconds) \(command)"
            }
        }
        .joined(separator: "\n")
    }
}

extension Instant {
    /// Seconds with six digits, for traces.
    var seconds: String {
        let fraction = String(nanoseconds % 1_000_000_000 / 1000)
        return "\(nanoseconds / 1_000_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }
}
