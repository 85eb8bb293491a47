import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Plays a recorded daemon: `TotemNode` is given what the daemon received, when it received it, and must send what the daemon sent.
///
/// Compared are the kind of each packet in its place, every field but the documented garbage, and the target of tokens. Time is
/// compared with a tolerance: a timer may run out at any time within it, because a daemon's timers run late and, not being reset at
/// the same instants, drift.
public struct TotemReplay<Dialect: TotemDialect>: Sendable {
    public typealias Life = TotemLife
    public typealias Outcome = TotemReplayOutcome
    public typealias Engine = TotemReplayEngine

    /// Which engine plays the daemon.
    public var engine = Engine.ring

    /// How late or early a timer may be.
    public var tolerance: Interval

    private let recording: TotemRecording<Dialect>
    private let timers: TotemTimers

    /// Replays of the daemons of `recording`, whose timers were `timers`.
    public init(_ recording: TotemRecording<Dialect>, timers: TotemTimers, tolerance: Interval = .milliseconds(40)) {
        self.recording = recording
        self.timers = timers
        self.tolerance = tolerance
    }

    /// Plays one life of one daemon.
    public func run(_ life: Life) throws(WireError) -> Outcome {
        if let obstacle = life.obstacle { return .notReplayable(obstacle) }
        if let hop = recording.missingHop { return .notReplayable("the capture misses a hop of the token: \(hop)") }
        var events = recording.events(of: life.node, from: life.begin, until: life.end, without: life.drops)
        // A daemon that was killed lived at least until it sent its last packet; whether it still read what came then is not known. One that
        // has become silent died of itself.
        if life.end != nil || recording.isSilent(events) {
            while case .received = events.last { events.removeLast() }
        }
        switch engine {
        case .ring: return try run(life, events, as: RingAlone<Dialect>.self)
        case .processor: return try run(life, events, as: WholeProcessor<Dialect>.self)
        }
    }

    private func run<Processor: ReplayedProcessor<Dialect>>(
        _ life: Life,
        _ events: [TotemRecording<Dialect>.Event],
        as engine: Processor.Type
    ) throws(WireError) -> Outcome {
        guard var player = try TotemReplayPlayer<Processor>(life, events, recording, timers, tolerance) else {
            return .notReplayable("it sent nothing that tells the ring it was in")
        }
        return player.run()
    }
}
