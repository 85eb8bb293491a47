import EngineKit

/// What a link does to the datagrams that pass it in one direction.
public struct LinkProfile: Sendable, Hashable {
    /// Part of the datagrams that are lost, 0...1.
    public var loss: Double
    /// Part of the datagrams that arrive twice, 0...1.
    public var duplication: Double
    /// The shortest time under way.
    public var delay: Interval
    /// What is added at the most, drawn anew for each datagram; datagrams overtake each other when it is long.
    public var jitter: Interval
    /// Part of the datagrams of which some bytes, or the end, are other than they were sent, 0...1: what UDP's checksum is for, and
    /// what hosts without one let through.
    public var damage: Double

    /// A link with all its values.
    public init(
        loss: Double = 0,
        duplication: Double = 0,
        delay: Interval = .microseconds(200),
        jitter: Interval = .microseconds(50),
        damage: Double = 0
    ) {
        self.loss = loss
        self.duplication = duplication
        self.delay = delay
        self.jitter = jitter
        self.damage = damage
    }

    /// A quiet local network.
    public static let local = LinkProfile()
}

extension LinkProfile: CustomStringConvertible {
    public var description: String {
        "loss \(loss), duplication \(duplication), delay \(delay), jitter \(jitter)\(damage > 0 ? ", damage \(damage)" : "")"
    }
}
