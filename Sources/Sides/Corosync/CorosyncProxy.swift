import Bridging
import ClusterServices
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// One Totem proxy.
struct CorosyncProxy: Sendable {
    var identity: ProxyIdentity
    var address: IPAddress
    var processor: ClusterProcessor<Corosync3>
    var stream = OrderedStream()
    /// Whether its membership was reported.
    var isMember = false
    /// Whether the bridge has ordered it to leave.
    var isLeaving = false
    /// Set when it is to be forgotten.
    var end: ProxyLoss?
    /// Ports whose groups its process has joined.
    var joinedPorts: Set<UInt8> = []
    /// What it was given and the processor had no room for yet.
    var pending: [(message: SideMessage, tag: SendTag)] = []
    /// What the processor was given and has not delivered to itself yet, in order.
    var outstanding: [Outstanding] = []

    struct Outstanding: Sendable {
        var tag: SendTag
        var port: UInt8
        /// Bytes as they travel in the group.
        var count: Int
    }

    var id: UInt32 { identity.id }

    /// Whether its ring is formed and its services are synchronised.
    var isReady: Bool { processor.state == .operational && processor.isSynchronised }
}
