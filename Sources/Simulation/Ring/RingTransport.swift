import EngineKit
import TotemNode
import WireFormat

/// How the processors of a ring reach each other: which address each has, and what a Totem destination means in datagrams.
public struct RingTransport: Sendable, Hashable {
    /// The transports of corosync that are simulated.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Multicast to the group, tokens to one node.
        case udp
        /// One copy to each node.
        case udpu
    }

    /// Which of them.
    public var kind: Kind
    /// Node id of each host.
    public var nodeIDs: [UInt32]
    /// Whether the node with the lowest id has the highest address, to tell the order of the one from that of the other.
    public var reversesAddresses = false
    /// Whether node ids are the addresses as numbers, as in 2005.
    public var idsAreAddresses = false

    /// corosync's default port.
    public static let port: UInt16 = 5405

    /// The multicast group of udp.
    public static let group = Endpoint(IPAddress(ipv4: 0xEFC0_0001), port)

    /// A transport of hosts with these node ids.
    public init(kind: Kind, nodeIDs: [UInt32]) {
        self.kind = kind
        self.nodeIDs = nodeIDs
    }

    /// The address of a node: 10.2.0.0 and its id.
    public static func endpoint(of nodeID: UInt32) -> Endpoint {
        Endpoint(IPAddress(ipv4: 0x0A02_0000 + nodeID), port)
    }

    /// The address of a node of this transport.
    public func endpoint(of nodeID: UInt32) -> Endpoint {
        if idsAreAddresses { return Endpoint(IPAddress(ipv4: nodeID), Self.port) }
        guard reversesAddresses, let last = nodeIDs.max() else { return Self.endpoint(of: nodeID) }
        return Self.endpoint(of: last + 1 - nodeID)
    }

    /// Gives `host` the address of node `nodeID` and puts it into the group.
    public func attach(_ host: Int, as nodeID: UInt32, to network: VirtualNetwork) {
        network.bind(endpoint(of: nodeID), to: host)
        if kind == .udp { network.join(Self.group, host: host) }
    }

    /// Sends a datagram of node `nodeID`, whose ring has `members`.
    public func transmit(
        _ datagram: UnsafeRawBufferPointer,
        to destination: TotemDestination,
        from nodeID: UInt32,
        members: [UInt32],
        host: Int,
        on network: VirtualNetwork
    ) {
        let source = endpoint(of: nodeID)
        switch (destination, kind) {
        case (.node(let target), _):
            network.transmit(datagram, from: source, host: host, to: endpoint(of: target))
        case (.everyone, .udp), (.members, .udp):
            network.transmit(datagram, from: source, host: host, to: Self.group)
        case (.everyone, .udpu):
            for target in nodeIDs where target != nodeID {
                network.transmit(datagram, from: source, host: host, to: endpoint(of: target))
            }
        case (.members, .udpu):
            for target in members where target != nodeID {
                network.transmit(datagram, from: source, host: host, to: endpoint(of: target))
            }
        }
    }
}
