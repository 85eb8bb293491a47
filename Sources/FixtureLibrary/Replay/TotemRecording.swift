import Captures
import EngineKit
import TotemWire
import WireFormat

/// A recorded ring of corosync 3 daemons: what each of them received and sent, in order.
public struct TotemRecording: Sendable {
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
        public var message: TotemMessage<Corosync3>
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

    private let packets: [Packet]
    private let identities: [IPAddress: UInt32]

    /// Reads the Totem packets among `datagrams`. A daemon is known by the address that its tokens, JOINs and merge detects come from.
    public init(_ datagrams: [CapturedDatagram]) throws(WireError) {
        var identities: [IPAddress: UInt32] = [:]
        var read: [(datagram: CapturedDatagram, message: TotemMessage<Corosync3>)] = []
        for datagram in datagrams {
            guard let message = try Self.message(datagram.payload) else { continue }
            read.append((datagram, message))
            switch message {
            case .join(let join): identities[datagram.source.address] = join.systemFrom.nodeID
            case .mcast: break
            default: identities[datagram.source.address] = message.header.nodeID
            }
        }
        self.identities = identities
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

    /// `payload` as a message; nil when it is none of corosync 3.
    static func message(_ payload: [UInt8]) throws(WireError) -> TotemMessage<Corosync3>? {
        var result: Result<TotemMessage<Corosync3>?, WireError> = .success(nil)
        payload.withUnsafeBytes { bytes in
            guard Corosync3.byteOrder(of: bytes) != nil else { return }
            result = Result { () throws(WireError) in try TotemPacket<Corosync3>(reading: bytes).message }
        }
        return try result.get()
    }

    /// The first hop of a token that is not in the capture, though the next one is: packets were lost before they were recorded.
    public var missingHop: String? {
        var last: [RingID: UInt32] = [:]
        for packet in packets {
            guard case .token(let token) = packet.message else { continue }
            let previous = last[token.ring] ?? token.tokenSequence
            if token.tokenSequence > previous, token.tokenSequence - previous > 1 { return "\(token.ring), token_seq \(previous + 1)" }
            last[token.ring] = max(previous, token.tokenSequence)
        }
        return nil
    }

    /// The daemons that passed the token of `ring` on, ascending.
    func members(of ring: RingID) -> [UInt32] {
        var members: Set<UInt32> = []
        for packet in packets { if case .token(let token) = packet.message, token.ring == ring { members.insert(token.header.nodeID) } }
        return members.sorted()
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
