import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// Plays a recorded daemon: `TotemNode` is given what the daemon received, when it received it, and must send what the daemon sent.
///
/// Compared are the kind of each packet in its place, every field but the documented garbage, and the target of tokens. Time is
/// compared with a tolerance: a timer may run out at any time within it, because a daemon's timers run late and, not being reset at
/// the same instants, drift.
public struct TotemReplay: Sendable {
    /// One life of a daemon, and what is known about its beginning.
    public struct Life: Sendable, Hashable {
        /// The daemon.
        public var node: UInt32
        /// When it was started; nil when it ran before the capture began.
        public var begin: Instant?
        /// When it was killed or stopped; nil when it outlived the capture.
        public var end: Instant?
        /// The version of its configuration, if that has one.
        public var configurationVersion: UInt64?
        /// What did not reach it.
        public var drops: [TotemDrop] = []
        /// Why it is not known what reached it.
        public var obstacle: String?

        /// A life of `node`.
        public init(node: UInt32, begin: Instant?, end: Instant?) {
            self.node = node
            self.begin = begin
            self.end = end
        }
    }

    /// How a replay ended.
    public enum Outcome: Sendable, Hashable {
        /// The engine sent what the daemon sent, as many packets.
        case equal(packets: Int)
        /// The first packet in which they differ.
        case different(frame: Int, packets: Int, TotemPacketDifference)
        /// What the daemon received is not known.
        case notReplayable(String)
    }

    /// Which engine plays the daemon.
    public enum Engine: Sendable, Hashable, CaseIterable {
        /// `TotemNode`: what services and clients said is taken from the recording.
        case ring
        /// `ClusterProcessor`: only what clients did is taken from the recording.
        case processor
    }

    /// Which engine plays the daemon.
    public var engine = Engine.ring

    /// How late or early a timer may be.
    public var tolerance = Interval.milliseconds(40)

    private let recording: TotemRecording
    private let timers: TotemTimers

    /// Replays of the daemons of `recording`, whose timers were `timers`.
    public init(_ recording: TotemRecording, timers: TotemTimers) {
        self.recording = recording
        self.timers = timers
    }

    /// Plays one life of one daemon.
    public func run(_ life: Life) throws(WireError) -> Outcome {
        if let obstacle = life.obstacle { return .notReplayable(obstacle) }
        if let hop = recording.missingHop { return .notReplayable("the capture misses a hop of the token: \(hop)") }
        var events = recording.events(of: life.node, from: life.begin, until: life.end, without: life.drops)
        // A daemon that was killed lived at least until it sent its last packet; whether it still read what came then is not known.
        if life.end != nil {
            while case .received = events.last { events.removeLast() }
        }
        switch engine {
        case .ring: return try run(life, events, as: RingAlone.self)
        case .processor: return try run(life, events, as: WholeProcessor.self)
        }
    }

    private func run<Processor: ReplayedProcessor>(
        _ life: Life,
        _ events: [TotemRecording.Event],
        as engine: Processor.Type
    ) throws(WireError) -> Outcome {
        guard var player = try TotemReplayPlayer<Processor>(life, events, recording, timers, tolerance) else {
            return .notReplayable("it sent nothing that tells the ring it was in")
        }
        return player.run()
    }
}
