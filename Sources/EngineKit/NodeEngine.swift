import WireFormat

/// How a datagram reached a node: which of its interfaces, and whether it was addressed to the group or to the node itself.
@frozen
public struct Arrival: Hashable, Sendable {
    /// Index of the interface (link) in the node's configuration, from 0.
    public var interface: Int
    /// Whether it came through the group (broadcast or multicast) socket.
    public var viaGroup: Bool

    /// An arrival on `interface`.
    @inlinable
    public init(interface: Int = 0, viaGroup: Bool = false) {
        self.interface = interface
        self.viaGroup = viaGroup
    }
}

/// A protocol participant without I/O: bytes, time and commands in; effects out. The same inputs give the same outputs, always.
///
/// Whoever runs an engine calls `advance` no later than `nextDeadline`, never with a time that goes backwards, and carries out
/// the effects of each call before the next one. Copies of the engine's own datagrams (a kernel that loops broadcasts back) are
/// not handed in: the caller knows its own addresses.
public protocol NodeEngine: Sendable {
    /// Where the engine sends to, in its protocol's terms.
    associatedtype Destination: Sendable
    /// What it reports.
    associatedtype Event: Sendable

    /// Takes a datagram. The bytes need to stay valid during the call only.
    mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        arrival: Arrival,
        at now: Instant,
        into effects: inout Effects<Destination, Event>
    )

    /// Lets every timer that is due at `now` expire, in order.
    mutating func advance(to now: Instant, into effects: inout Effects<Destination, Event>)

    /// When `advance` must be called next; nil while no timer runs.
    var nextDeadline: Instant? { get }
}
