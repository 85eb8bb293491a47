import CLinuxNet
import WireFormat

/// A bound, non-blocking UDP socket, closed with its last reference.
public final class DatagramSocket: Sendable {
    /// What it is for; decides the options.
    public enum Role: Sendable {
        /// Receives the datagrams of a group address; several sockets of this host may share one.
        case group
        /// Sends everything of one node, broadcasts included, and receives what is addressed to it.
        case node
    }

    /// Its descriptor.
    public let descriptor: FileDescriptor
    /// What it is bound to.
    public let local: Endpoint

    /// A socket bound to `local`; port 0 lets the kernel choose one.
    public init(bindingTo local: Endpoint, role: Role) throws(SystemCallError) {
        var address = linuxnet_address(local.address)
        let options = role == .group ? LINUXNET_SHARED : LINUXNET_BROADCAST
        let number = try SystemCallError.check(linuxnet_udp_open(&address, local.port, options), "bind a UDP socket to \(local)")
        descriptor = FileDescriptor(owning: number)
        let port = try SystemCallError.check(linuxnet_udp_port(number), "ask for the port of a socket")
        self.local = Endpoint(local.address, UInt16(truncatingIfNeeded: port))
    }

    /// The socket that receives what goes to `group` on `interface`. A multicast group is joined; a broadcast address needs
    /// nothing.
    public static func receivingGroup(_ group: Endpoint, on interface: NetworkInterface) throws(SystemCallError) -> DatagramSocket {
        let socket = try DatagramSocket(bindingTo: group, role: .group)
        if group.address.isMulticast {
            var address = linuxnet_address(group.address)
            try SystemCallError.check(
                linuxnet_group_join(socket.descriptor.number, &address, interface.index),
                "join \(group.address) on \(interface.name)"
            )
        }
        return socket
    }

    /// The socket of a node at `local`, whose multicasts leave through `interface` with a hop limit of `hops`. With `loops` they come
    /// back to this host, because other nodes may live here.
    public static func node(
        at local: Endpoint,
        on interface: NetworkInterface,
        hops: Int,
        loops: Bool = true
    ) throws(SystemCallError) -> DatagramSocket {
        let socket = try DatagramSocket(bindingTo: local, role: .node)
        var address = linuxnet_address(local.address)
        try SystemCallError.check(
            linuxnet_group_send(socket.descriptor.number, &address, interface.index, Int32(hops), loops ? 1 : 0),
            "send multicasts of \(local) through \(interface.name)"
        )
        return socket
    }
}
