import Bridging
import EngineKit
import WireFormat

/// What `BridgeEngine` needs of a side.
protocol SideAdapter: Sendable {
    /// Takes a datagram that came in on the socket of `proxy`, or on the group socket when that is nil.
    mutating func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        interface: Int,
        proxy: UInt32?,
        at now: Instant,
        into effects: inout BridgeEffects
    )

    /// Does what the bridge asks.
    mutating func carryOut(_ order: SideOrder, at now: Instant, into effects: inout BridgeEffects)

    /// Lets every timer expire that is due.
    mutating func advance(to now: Instant, into effects: inout BridgeEffects)

    /// When `advance` must be called next.
    var nextDeadline: Instant? { get }

    /// What there is to report; whoever carries the reports to the bridge empties it.
    var reports: [SideReport] { get set }

    /// Packets that proxies refused.
    var refusedPackets: UInt64 { get }
}
