import EngineKit

/// One life of a daemon, and what is known about its beginning.
public struct TotemLife: Sendable, Hashable {
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
public enum TotemReplayOutcome: Sendable, Hashable {
    /// The engine sent what the daemon sent, as many packets.
    case equal(packets: Int)
    /// The first packet in which they differ.
    case different(frame: Int, packets: Int, TotemPacketDifference)
    /// What the daemon received is not known.
    case notReplayable(String)
}

/// Which engine plays the daemon.
public enum TotemReplayEngine: Sendable, Hashable, CaseIterable {
    /// `TotemNode`: what services and clients said is taken from the recording.
    case ring
    /// `ClusterProcessor`: only what clients did is taken from the recording.
    case processor
}
