import CmanNode
import WireFormat

/// The sockets of one legacy member on one interface: a receive-only one for the group address, and one that sends everything from
/// the member's own address and receives what is addressed to it. (A socket bound to the group address would send from the
/// interface's primary address.)
final class CmanSockets {
    /// Sends everything of the member and receives what is addressed to it.
    let node: DatagramSocket
    /// Receives broadcasts or multicasts.
    let group: DatagramSocket

    private let recorder: PacketRecorder?
    private var incoming = ReceiveBatch()
    private var outgoing = SendBatch()

    /// The hop limit of multicasts (reference/cman-wire.md 1.2).
    static let hops = 10

    /// Opens the sockets of a member at `local`; `group` is the multicast or broadcast address.
    init(local: Endpoint, interface: NetworkInterface, group: IPAddress, recorder: PacketRecorder?) throws(SystemCallError) {
        node = try DatagramSocket.node(at: local, on: interface, hops: Self.hops)
        self.group = try DatagramSocket.receivingGroup(Endpoint(group, local.port), on: interface)
        self.recorder = recorder
    }

    /// Datagrams that the kernel took.
    var sent: UInt64 { outgoing.sent }
    /// Datagrams that the kernel refused.
    var failed: UInt64 { outgoing.failed }

    /// Reads a batch from one of the sockets and hands in what others sent.
    func receive(viaGroup: Bool, _ body: (UnsafeRawBufferPointer, Endpoint) -> Void) {
        let socket = viaGroup ? group : node
        incoming.receive(from: socket)
        for index in 0..<incoming.count {
            let source = incoming.source(index)
            // The kernel loops broadcasts back.
            guard source != node.local else { continue }
            recorder?.received(incoming.bytes(index), from: source, at: socket.local)
            body(incoming.bytes(index), source)
        }
    }

    /// Sends a datagram.
    func send(_ datagram: UnsafeRawBufferPointer, to destination: CmanDestination) {
        let target =
            switch destination {
            case .group: group.local
            case .endpoint(let endpoint, _): endpoint
            }
        recorder?.sent(datagram, from: node.local, to: target)
        outgoing.add(datagram, to: target, through: node)
    }

    /// Sends what `send` has gathered.
    func flush() {
        outgoing.flush(through: node)
    }
}
