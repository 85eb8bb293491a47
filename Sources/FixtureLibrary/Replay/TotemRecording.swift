import Captures
import EngineKit
import TotemNode
import TotemWire
import WireFormat

/// A recorded ring of the daemons of one generation: what each of them received and sent, in order.
public struct TotemRecording<Dialect: TotemDialect>: Sendable {
    /// A recorded datagram.
    public struct Packet: Sendable {
        /// The frame that completes it, from 1.
        public var frame: Int
        /// When it was recorded, on the capture's clock.
        public var time: Instant
        /// Where it came from.
        public var source: Endpoint
        /// The node it was addressed to; nil for the multicast address.
        public var target: UInt32?
        /// Its bytes.
        public var bytes: [UInt8]
        /// Its bytes as a message.
        public var message: TotemMessage<Dialect>
    }

    /// Something that one daemon saw.
    public enum Event: Sendable {
        /// The datagram reached it.
        case received(Packet)
        /// It sent the datagram.
        case sent(Packet)

        /// The datagram.
        public var packet: Packet {
            switch self {
            case .received(let packet), .sent(let packet): packet
            }
        }
    }

    /// Ids of the daemons, ascending.
    public let nodes: [UInt32]
    /// How each of them names itself, as far as it does; the last bytes of an address are its memory's.
    let names: [UInt32: Dialect.Address]
    /// The addresses that they sent from.
    let addresses: [UInt32: IPAddress]

    /// When the first datagram was recorded.
    let firstTime: Instant

    private let packets: [Packet]
    private let identities: [IPAddress: UInt32]

    /// Reads the Totem packets among `datagrams`, which are outside any security envelope. A daemon is known by the address that its
    /// tokens, JOINs and merge detects come from.
    public init(_ datagrams: [CapturedDatagram]) throws(WireError) {
        // A token that is sent again may name the one before its sender (openais 0.80), so JOINs and merge detects decide, or the name
        // that comes most often.
        var counts: [IPAddress: [UInt32: Int]] = [:]
        var names: [UInt32: Dialect.Address] = [:]
        var listed: [UInt32: Dialect.Address] = [:]
        var read: [(datagram: CapturedDatagram, message: TotemMessage<Dialect>)] = []
        for datagram in datagrams {
            guard let message = try Self.message(datagram.payload) else { continue }
            read.append((datagram, message))
            let source = datagram.source.address
            switch message {
            case .join(let join) where !join.isLeave && !Dialect.hasLayoutOf2005:
                counts[source, default: [:]][join.systemFrom.nodeID, default: 0] += datagrams.count
                names[join.systemFrom.nodeID] = join.systemFrom
            case .join, .mcast: break
            case .mergeDetect(let detect) where !Dialect.hasLayoutOf2005:
                counts[source, default: [:]][detect.systemFrom.nodeID, default: 0] += datagrams.count
                names[detect.systemFrom.nodeID] = detect.systemFrom
            default:
                guard let node = message.header.sender ?? source.ipv4Number else { break }
                counts[source, default: [:]][node, default: 0] += 1
                if case .commitToken(let commit) = message { for address in commit.addresses { listed[address.nodeID] = address } }
            }
        }
        let identities = counts.compactMapValues { counts in counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key }
        self.identities = identities
        firstTime = Instant(nanoseconds: datagrams.first?.time ?? 0)
        self.names = listed.merging(names) { $1 }
        addresses = Dictionary(identities.map { ($0.value, $0.key) }) { min($0, $1) }
        nodes = Set(identities.values).sorted()
        packets = read.map { datagram, message in
            Packet(
                frame: datagram.frame,
                time: Instant(nanoseconds: datagram.time),
                source: datagram.source,
                target: identities[datagram.destination.address],
                bytes: datagram.payload,
                message: message
            )
        }
    }

    /// `payload` as a message; nil when it is none of this dialect.
    static func message(_ payload: [UInt8]) throws(WireError) -> TotemMessage<Dialect>? {
        var result: Result<TotemMessage<Dialect>?, WireError> = .success(nil)
        payload.withUnsafeBytes { bytes in
            guard Dialect.byteOrder(of: bytes) != nil, RingTest.identify(bytes) == nil else { return }
            result = Result { () throws(WireError) in try TotemPacket<Dialect>(reading: bytes).message }
        }
        return try result.get()
    }

    /// The first hop of a token that is not in the capture, though the next one is: packets were lost before they were recorded.
    public var missingHop: String? {
        var last: [Dialect.Ring: UInt32] = [:]
        for packet in packets {
            guard case .token(let token) = packet.message else { continue }
            let previous = last[token.ring] ?? token.tokenSequence
            if token.tokenSequence > previous, token.tokenSequence - previous > 1 {
                return "\(TotemRingID(token.ring)), token_seq \(previous + 1)"
            }
            last[token.ring] = max(previous, token.tokenSequence)
        }
        return nil
    }

    /// The daemons that passed the token of `ring` on, ascending.
    func members(of ring: Dialect.Ring) -> [UInt32] {
        var members: Set<UInt32> = []
        for packet in packets {
            guard case .token(let token) = packet.message, token.ring == ring else { continue }
            if let sender = identities[packet.source.address] { members.insert(sender) }
        }
        return members.sorted()
    }

    /// A processor in the role of daemon `node`, with the names that the recording has.
    func configuration(of node: UInt32, timers: TotemTimers) -> TotemConfiguration {
        var configuration = TotemConfiguration(nodeID: node, nodes: nodes, generation: Dialect.generation)
        configuration.timers = timers
        if let packetLimit { configuration.networkMTU = packetLimit }
        for node in nodes { configuration.addresses[node] = addresses[node].map { [$0] } }
        return configuration
    }

    /// Whether a daemon with these events stopped sending long before the recording ended, though a token reached it.
    func isSilent(_ events: [Event]) -> Bool {
        guard let last = events.last(where: { if case .sent = $0 { true } else { false } }), let end = packets.last?.time else {
            return false
        }
        return end - last.packet.time > .seconds(1)
    }

    /// The longest totempg packet of a message in several packets, whose length the security envelope decides; nil when there is none.
    private var packetLimit: Int? {
        let limits = packets.compactMap { packet -> Int? in
            guard case .mcast(let mcast) = packet.message, mcast.header.encapsulated != Mcast<Dialect>.encapsulatedInRecovery,
                let pieces = try? packet.bytes.withUnsafeBytes({
                    try ProcessGroupPacket(reading: UnsafeRawBufferPointer(rebasing: $0[mcast.payload.range]))
                }), pieces.fragmented != 0
            else { return nil }
            return ProcessGroupPacket.fixedSize + 2 * pieces.messageLengths.count + pieces.messageLengths.reduce(0) { $0 + Int($1) }
        }
        return limits.max()
    }

    /// What daemon `node` received and sent from `begin` until `end`, without what was dropped behind the capture point. The copies
    /// that udpu sends of one multicast count as one.
    public func events(of node: UInt32, from begin: Instant?, until end: Instant?, without drops: [TotemDrop] = []) -> [Event] {
        var events: [Event] = []
        var copies: (bytes: [UInt8], targets: Set<UInt32?>) = ([], [])
        for packet in packets {
            if let begin, packet.time < begin { continue }
            if let end, packet.time > end { break }
            if identities[packet.source.address] == node {
                let isMulticast = packet.message.kind != .token && packet.message.kind != .commitToken
                if isMulticast, copies.bytes == packet.bytes, copies.targets.insert(packet.target).inserted { continue }
                copies = isMulticast ? (packet.bytes, [packet.target]) : ([], [])
                events.append(.sent(packet))
            } else if packet.target == nil || packet.target == node {
                let sender = identities[packet.source.address] ?? 0
                guard !drops.contains(where: { $0.applies(to: packet, from: sender, to: node) }) else { continue }
                events.append(.received(packet))
            }
        }
        return events
    }
}
