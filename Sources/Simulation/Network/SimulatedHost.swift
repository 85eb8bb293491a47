import EngineKit
import WireFormat

/// A machine on the virtual network.
public protocol SimulatedHost: AnyObject {
    /// When `advance` must be called next; nil while no timer runs.
    var nextDeadline: Instant? { get }

    /// Takes a datagram that was sent to `destination`, an endpoint of this host or a group it belongs to.
    func receive(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        to destination: Endpoint,
        viaGroup: Bool,
        on network: VirtualNetwork
    )

    /// Lets timers that are due expire.
    func advance(on network: VirtualNetwork)
}
