import TotemNode
import TotemWire
import WireFormat

/// The sockets of one Totem processor on one network.
///
/// With udpu one socket sends and receives everything; peers look at the source address only. With udp there is a second one that
/// receives multicasts, or broadcasts.
final class TotemSockets<Dialect: TotemDialect> {
    /// Sends everything of the processor and receives what is addressed to it.
    let node: DatagramSocket
    /// Receives multicasts, with udp.
    let group: DatagramSocket?

    private let nodeID: UInt32
    /// Whether packets are in envelopes, so that a token cannot be told from other packets here.
    private let isSealed: Bool
    private let peers: [UInt32: Endpoint]
    private let others: [Endpoint]
    /// Endpoints of `ringMembers` without this processor, kept because the same members are sent to again and again.
    private var ringPeers: [Endpoint] = []
    private var ringMembers: [UInt32] = []
    private let recorder: PacketRecorder?
    private var incoming = ReceiveBatch()
    private var multicasts = ReceiveBatch()
    private var outgoing = SendBatch()

    /// Opens the sockets of processor `nodeID` at `local`; `peers` are the endpoints of all processors, this one included.
    init(
        local: Endpoint,
        interface: NetworkInterface,
        group: Endpoint?,
        hops: Int,
        peers: [UInt32: Endpoint],
        nodeID: UInt32,
        isSealed: Bool,
        recorder: PacketRecorder?
    ) throws(SystemCallError) {
        // As with the daemons, one processor with udp per interface: each packet back from the kernel would cost a wake-up. On the
        // loopback interface nobody would hear anything otherwise.
        node = try DatagramSocket.node(at: local, on: interface, hops: hops, loops: interface.isLoopback)
        self.group = try group.map { group throws(SystemCallError) in try DatagramSocket.receivingGroup(group, on: interface) }
        self.nodeID = nodeID
        self.isSealed = isSealed
        self.peers = peers
        others = peers.filter { $0.key != nodeID }.sorted { $0.key < $1.key }.map(\.value)
        self.recorder = recorder
    }

    /// Datagrams that the kernel took.
    var sent: UInt64 { outgoing.sent }
    /// Datagrams that the kernel refused.
    var failed: UInt64 { outgoing.failed }

    /// Reads a batch from one of the sockets and hands in what others sent. On a token, multicasts that already wait come first, as
    /// in the daemons: the token's sender sent them before it.
    func receive(viaGroup: Bool, _ body: (UnsafeRawBufferPointer, Endpoint, Bool) -> Void) {
        if viaGroup { return receiveMulticasts(body) }
        incoming.receive(from: node)
        var token: Int?
        for index in 0..<incoming.count {
            let datagram = incoming.bytes(index)
            // In an envelope everything that is addressed to this processor alone counts as a token: hardly anything else is.
            let kind = isSealed ? (group == nil ? nil : .token) : Self.kind(of: datagram)
            if kind != .mcast, let earlier = token {
                handToken(earlier, body)
                token = nil
            }
            if kind == .token { token = index } else { hand(datagram, from: incoming.source(index), viaGroup: false, body) }
        }
        if let token { handToken(token, body) }
    }

    private func handToken(_ index: Int, _ body: (UnsafeRawBufferPointer, Endpoint, Bool) -> Void) {
        if group != nil { receiveMulticasts(body) }
        hand(incoming.bytes(index), from: incoming.source(index), viaGroup: false, body)
    }

    /// Reads and hands in the multicasts that wait.
    func receiveMulticasts(_ body: (UnsafeRawBufferPointer, Endpoint, Bool) -> Void) {
        guard let group else { return }
        // Bounded, because senders could keep it up for ever: a token must be passed on in time.
        for _ in 0..<8 {
            multicasts.receive(from: group)
            for index in 0..<multicasts.count { hand(multicasts.bytes(index), from: multicasts.source(index), viaGroup: true, body) }
            guard multicasts.isFull else { return }
        }
    }

    private func hand(
        _ datagram: UnsafeRawBufferPointer,
        from source: Endpoint,
        viaGroup: Bool,
        _ body: (UnsafeRawBufferPointer, Endpoint, Bool) -> Void
    ) {
        guard source != node.local else { return }
        recorder?.received(datagram, from: source, at: viaGroup ? group?.local ?? node.local : node.local)
        body(datagram, source, viaGroup)
    }

    /// What a datagram is; nil when it cannot be read, which the engine refuses and counts.
    static func kind(of datagram: UnsafeRawBufferPointer) -> TotemMessageKind? {
        do throws(WireError) {
            return try TotemPacket<Dialect>.identify(datagram).0
        } catch {
            return nil
        }
    }

    /// Sends a datagram. `members` are the members of the ring, or nil while it changes: copies then go to every processor.
    func send(_ datagram: UnsafeRawBufferPointer, to destination: TotemDestination, members: [UInt32]?) {
        switch destination {
        case .node(let id):
            // An id that is not configured cannot be in a ring; the engine refuses it earlier.
            if let peer = peers[id] { send(datagram, to: peer) }
        case .everyone, .members:
            if let group {
                send(datagram, to: group.local)
            } else if destination == .members, let members {
                if members != ringMembers {
                    ringMembers = members
                    ringPeers = members.compactMap { $0 == nodeID ? nil : peers[$0] }
                }
                send(datagram, to: ringPeers)
            } else {
                send(datagram, to: others)
            }
        }
    }

    private func send(_ datagram: UnsafeRawBufferPointer, to targets: [Endpoint]) {
        guard let first = targets.first else { return }
        for target in targets { recorder?.sent(datagram, from: node.local, to: target) }
        outgoing.add(datagram, to: first, through: node)
        for target in targets.dropFirst() { outgoing.repeatLast(to: target, through: node) }
    }

    private func send(_ datagram: UnsafeRawBufferPointer, to target: Endpoint) {
        recorder?.sent(datagram, from: node.local, to: target)
        outgoing.add(datagram, to: target, through: node)
    }

    /// Sends what `send` has gathered.
    func flush() {
        outgoing.flush(through: node)
    }
}
