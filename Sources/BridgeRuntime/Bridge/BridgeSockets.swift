import Bridging
import CmanNode
import Sides
import TotemNode
import TotemWire
import WireFormat

/// The sockets of a bridge: a receive-only one per group address, and one per proxy that sends everything of it from its own address
/// and receives what is addressed to it.
final class BridgeSockets {
    /// Numbers of datagrams.
    struct Counters: Sendable {
        var received: UInt64 = 0
        var sent: UInt64 = 0
        var sendFailures: UInt64 = 0
        var truncated: UInt64 = 0
    }

    private struct ProxyKey: Hashable {
        var node: UInt32
        var side: SideID
    }

    private let legacyInterface: NetworkInterface
    private let totemInterface: NetworkInterface
    private let legacyGroup: DatagramSocket
    private let totemGroup: DatagramSocket?
    private let hops: Int
    private let endpoints: PerSide<[UInt32: Endpoint]>
    private let registry: EventLoop.Registry
    private let recorder: PacketRecorder?
    private var proxies: [ProxyKey: DatagramSocket] = [:]

    private var incoming = ReceiveBatch()
    private var multicasts = ReceiveBatch()
    private var outgoing = SendBatch()
    /// The socket whose datagrams `outgoing` holds.
    private var sender: DatagramSocket?
    private var receivedCount: UInt64 = 0

    private static let legacyGroupToken = EventLoop.Token(rawValue: 1)
    private static let totemGroupToken = EventLoop.Token(rawValue: 2)
    private static let firstProxyToken: UInt64 = 1 << 16

    /// Opens the group sockets of `settings`.
    init(
        _ settings: BridgeSettings,
        interfaces: PerSide<NetworkInterface>,
        registry: EventLoop.Registry,
        recorder: PacketRecorder?
    ) throws(SystemCallError) {
        legacyInterface = interfaces.first
        totemInterface = interfaces.second
        self.registry = registry
        self.recorder = recorder
        let group: IPAddress
        if let configured = settings.legacyGroup { group = configured } else { group = try legacyInterface.broadcast() }
        legacyGroup = try DatagramSocket.receivingGroup(Endpoint(group, settings.clusterConf.port), on: legacyInterface)
        hops = settings.corosyncConf.hops
        let totemPort = settings.corosyncConf.port
        let totemInterface = totemInterface
        totemGroup = try settings.corosyncConf.multicast.map { group throws(SystemCallError) in
            try DatagramSocket.receivingGroup(Endpoint(group, totemPort), on: totemInterface)
        }
        endpoints = PerSide(
            first: Dictionary(
                uniqueKeysWithValues: settings.nodes.map { ($0.id, Endpoint($0.legacyAddress, settings.clusterConf.port)) }
            ),
            second: Dictionary(uniqueKeysWithValues: settings.nodes.map { ($0.id, Endpoint($0.totemAddress, totemPort)) })
        )
        try registry.watch(legacyGroup.descriptor, as: Self.legacyGroupToken)
        if let totemGroup { try registry.watch(totemGroup.descriptor, as: Self.totemGroupToken) }
    }

    /// Numbers of datagrams so far.
    var counters: Counters {
        Counters(
            received: receivedCount,
            sent: outgoing.sent,
            sendFailures: outgoing.failed,
            truncated: incoming.truncated + multicasts.truncated
        )
    }

    /// The address that `node` has on `side`.
    func address(of node: UInt32, on side: SideID) -> IPAddress? { endpoints[side][node]?.address }

    /// Whose address on which side `address` is.
    func owner(of address: IPAddress) -> (node: UInt32, side: SideID)? {
        for side in SideID.allCases {
            if let node = endpoints[side].first(where: { $0.value.address == address })?.key { return (node, side) }
        }
        return nil
    }

    // MARK: Proxies

    /// Opens the socket of the proxy of `node` on `side`; its address is there already.
    func open(_ node: UInt32, on side: SideID) throws(SystemCallError) {
        let key = ProxyKey(node: node, side: side)
        guard proxies[key] == nil, let endpoint = endpoints[side][node] else { return }
        let socket = try DatagramSocket.node(
            at: endpoint,
            on: side == .cman ? legacyInterface : totemInterface,
            hops: side == .cman ? CmanSockets.hops : hops
        )
        try registry.watch(socket.descriptor, as: Self.token(key))
        proxies[key] = socket
    }

    /// Sends what the proxy still has to send, and closes its socket.
    func close(_ node: UInt32, on side: SideID) {
        flush()
        sender = nil
        proxies[ProxyKey(node: node, side: side)] = nil
    }

    private static func token(_ key: ProxyKey) -> EventLoop.Token {
        EventLoop.Token(rawValue: firstProxyToken + UInt64(key.node) << 1 + UInt64(key.side.rawValue))
    }

    // MARK: Receiving

    /// Reads a batch from the socket that is watched under `token`. On a token, multicasts that already wait come first, as in the
    /// daemons: the token's sender sent them before it.
    func receive(_ token: EventLoop.Token, _ body: (UnsafeRawBufferPointer, Endpoint, BridgeArrival) -> Void) {
        switch token {
        case Self.legacyGroupToken: receive(from: legacyGroup, .group(side: .cman), body)
        case Self.totemGroupToken: receiveMulticasts(body)
        default:
            guard token.rawValue >= Self.firstProxyToken, let side = SideID(rawValue: UInt8(token.rawValue & 1)) else { return }
            let node = UInt32(truncatingIfNeeded: (token.rawValue - Self.firstProxyToken) >> 1)
            guard let socket = proxies[ProxyKey(node: node, side: side)] else { return }
            receive(from: socket, .proxy(node, side: side), body)
        }
    }

    private func receive(
        from socket: DatagramSocket,
        _ arrival: BridgeArrival,
        _ body: (UnsafeRawBufferPointer, Endpoint, BridgeArrival) -> Void
    ) {
        incoming.receive(from: socket)
        receivedCount += UInt64(incoming.count)
        for index in 0..<incoming.count {
            let datagram = incoming.bytes(index)
            if totemGroup != nil, case .proxy(_, .corosync, _) = arrival, TotemSockets<Corosync3>.kind(of: datagram) == .token {
                receiveMulticasts(body)
            }
            recorder?.received(datagram, from: incoming.source(index), at: socket.local)
            body(datagram, incoming.source(index), arrival)
        }
    }

    private func receiveMulticasts(_ body: (UnsafeRawBufferPointer, Endpoint, BridgeArrival) -> Void) {
        guard let totemGroup else { return }
        // Bounded, because senders could keep it up for ever: a token must be passed on in time.
        for _ in 0..<8 {
            multicasts.receive(from: totemGroup)
            receivedCount += UInt64(multicasts.count)
            for index in 0..<multicasts.count {
                recorder?.received(multicasts.bytes(index), from: multicasts.source(index), at: totemGroup.local)
                body(multicasts.bytes(index), multicasts.source(index), .group(side: .corosync))
            }
            guard multicasts.isFull else { return }
        }
    }

    // MARK: Sending

    /// Sends a datagram of a proxy. `members` tells the members of a Totem proxy's ring, nil while it changes.
    func send(_ datagram: UnsafeRawBufferPointer, to destination: BridgeDestination, members: (UInt32) -> [UInt32]?) {
        switch destination {
        case .cman(let proxy, .group): send(datagram, proxy, .cman, to: legacyGroup.local)
        case .cman(let proxy, .endpoint(let target, _)): send(datagram, proxy, .cman, to: target)
        case .corosync(let proxy, .node(let node)):
            if let target = endpoints.second[node] { send(datagram, proxy, .corosync, to: target) }
        case .corosync(let proxy, let target):
            if let totemGroup {
                send(datagram, proxy, .corosync, to: totemGroup.local)
            } else if target == .members, let members = members(proxy) {
                for node in members where node != proxy {
                    if let endpoint = endpoints.second[node] { send(datagram, proxy, .corosync, to: endpoint) }
                }
            } else {
                for (node, endpoint) in endpoints.second where node != proxy { send(datagram, proxy, .corosync, to: endpoint) }
            }
        }
    }

    private func send(_ datagram: UnsafeRawBufferPointer, _ node: UInt32, _ side: SideID, to target: Endpoint) {
        guard let socket = proxies[ProxyKey(node: node, side: side)] else { return }
        if sender !== socket {
            flush()
            sender = socket
        }
        recorder?.sent(datagram, from: socket.local, to: target)
        outgoing.add(datagram, to: target, through: socket)
    }

    /// Sends what `send` has gathered.
    func flush() {
        if let sender { outgoing.flush(through: sender) }
    }
}
