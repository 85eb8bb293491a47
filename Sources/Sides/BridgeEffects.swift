import Bridging
import CmanNode
import EngineKit
import TotemNode
import WireFormat

/// What a bridge wants done: datagrams to send in a proxy's name, and `BridgeEvent`s, in order.
public typealias BridgeEffects = Effects<BridgeDestination, BridgeEvent>

/// Who sends a datagram, and where to.
public enum BridgeDestination: Sendable, Hashable {
    /// The legacy proxy of node `proxy` sends; from that node's legacy address.
    case cman(proxy: UInt32, to: CmanDestination)
    /// The Totem proxy of node `proxy` sends; from that node's Totem address.
    case corosync(proxy: UInt32, to: TotemDestination)
}

/// How a datagram reached the bridge.
public enum BridgeArrival: Sendable, Hashable {
    /// Through the group socket (broadcast or multicast) of interface `interface` of `side`.
    case group(side: SideID, interface: Int = 0)
    /// Through the socket of the proxy of node `proxy` on `side`.
    case proxy(UInt32, side: SideID, interface: Int = 0)
}

/// What a bridge tells whoever runs it.
public enum BridgeEvent: Sendable, Hashable {
    /// Take the address that `node` has on `side`: probe, then announce. Answer with `BridgeEngine.addressHeld` or `addressRefused`,
    /// at once or later.
    case acquireAddress(node: UInt32, side: SideID)
    /// Give that address up, whether it is held or being acquired; close its sockets.
    case releaseAddress(node: UInt32, side: SideID)
    /// Store the ring sequence number of a Totem proxy before carrying out any later effect; it comes back as
    /// `BridgeEngineConfiguration.Corosync.storedRingSequences`.
    case storeRingSequence(proxy: UInt32, UInt64)
    /// Store the sequence number last taken from native legacy member `sender` before carrying out any later effect; it comes back
    /// as `BridgeEngineConfiguration.reliableSequences` (design promise 2).
    case storeReliableSequence(sender: UInt32, UInt16)
    /// Something an operator must know.
    case alarm(BridgeAlarm)
    /// Something worth a line in the log.
    case note(BridgeNote)
    /// A proxy refused a packet; counted in `BridgeEngine.refusedPackets`.
    case refusedPacket(side: SideID, proxy: UInt32, reason: String)
    /// `stop` was called and no proxy is left.
    case stopped
}
