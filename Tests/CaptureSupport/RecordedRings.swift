import Captures
import TotemWire
import WireFormat

/// A message of the total order of a recorded ring, reassembled.
public struct RecordedMessage: Sendable {
    /// Who sent it.
    public var sender: UInt32
    /// Totem's group.
    public var group: [UInt8]
    /// The message.
    public var payload: [UInt8]
    /// The sender's byte order.
    public var byteOrder: ByteOrder

    /// A message with all its values.
    public init(sender: UInt32, group: [UInt8], payload: [UInt8], byteOrder: ByteOrder) {
        self.sender = sender
        self.group = group
        self.payload = payload
        self.byteOrder = byteOrder
    }
}

/// A ring of a capture: who was in it, where they came from, and what was said.
public struct RecordedRing: Sendable {
    /// The ring.
    public var id: RingID
    /// Its members, ascending.
    public var members: [UInt32] = []
    /// For each member the ring that it came from.
    public var origins: [UInt32: RingID] = [:]
    /// Packets of the total order by sequence number.
    fileprivate var packets: [UInt32: (sender: UInt32, payload: [UInt8], byteOrder: ByteOrder)] = [:]

    /// A ring nobody has said anything in.
    public init(id: RingID, members: [UInt32] = []) {
        self.id = id
        self.members = members
    }

    /// What node `node` delivered in the rings it was a member of, in order. Who is in a ring is known from its commit token. A capture
    /// may begin in a ring, of `first`; otherwise a ring without a commit token is that of a node which is alone.
    public static func sequence(
        of name: String,
        asSeenBy node: UInt32,
        first: [UInt32]?
    ) throws -> [(ring: RecordedRing, messages: [RecordedMessage])] {
        var rings = try read(name)
        for index in rings.indices where rings[index].members.isEmpty {
            let senders = Set(rings[index].packets.values.map(\.sender)).sorted()
            rings[index].members = index == 0 ? first ?? senders : senders
        }
        var assembler = Assembler()
        return try rings.filter { $0.members.contains(node) }.map { ring in
            let order = ring.packets.keys.sorted()
            return (ring, try order.flatMap { try assembler.messages(ring.packets[$0]) })
        }
    }

    /// Every message of the capture `name`, ring by ring.
    public static func messages(of name: String) throws -> [RecordedMessage] {
        try read(name).flatMap { ring in
            var assembler = Assembler()
            return try ring.packets.keys.sorted().flatMap { try assembler.messages(ring.packets[$0]) }
        }
    }

    private static func read(_ name: String) throws -> [RecordedRing] {
        var rings: [RingID: RecordedRing] = [:]
        for datagram in try CaptureSupport.datagrams(of: name) {
            guard Corosync3.byteOrder(of: datagram.payload) != nil else { continue }
            try datagram.payload.withUnsafeBytes { try take($0, into: &rings) }
        }
        return rings.values.sorted { ($0.id.sequence, $0.id.representative) < ($1.id.sequence, $1.id.representative) }
    }

    private static func take(_ bytes: UnsafeRawBufferPointer, into rings: inout [RingID: RecordedRing]) throws {
        let packet = try TotemPacket<Corosync3>(reading: bytes)
        switch packet.message {
        case .commitToken(let token):
            var ring = rings[token.ring] ?? RecordedRing(id: token.ring)
            ring.members = token.addresses.map(\.nodeID).sorted()
            for (address, entry) in zip(token.addresses, token.entries) where entry.ring != RingID() {
                ring.origins[address.nodeID] = entry.ring
            }
            rings[token.ring] = ring
        case .mcast(let mcast):
            let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
            if mcast.header.encapsulated == Mcast<Corosync3>.encapsulatedInRecovery {
                try take(payload, into: &rings)
            } else {
                let content = (mcast.header.nodeID, Array(payload), packet.byteOrder)
                rings[mcast.ring, default: RecordedRing(id: mcast.ring)].packets[mcast.sequence] = content
            }
        default:
            break
        }
    }
}

extension Corosync3 {
    fileprivate static func byteOrder(of datagram: [UInt8]) -> ByteOrder? { datagram.withUnsafeBytes { byteOrder(of: $0) } }
}

/// Reassembles what totempg fragmented (reference/totem-wire.md 5.4), without the protection against lost pieces that a node needs.
private struct Assembler {
    private var partial: [UInt32: [UInt8]] = [:]

    mutating func messages(_ packet: (sender: UInt32, payload: [UInt8], byteOrder: ByteOrder)?) throws -> [RecordedMessage] {
        guard let packet else { return [] }
        return try packet.payload.withUnsafeBytes { bytes in
            let header = try ProcessGroupPacket(reading: bytes, byteOrder: packet.byteOrder)
            var pending = header.continuation == 0 ? [] : partial[packet.sender]
            partial[packet.sender] = nil
            var messages: [RecordedMessage] = []
            var start = header.data.start
            for (index, length) in header.messageLengths.enumerated() {
                let piece = bytes[start..<start + Int(length)]
                start += Int(length)
                let whole = pending.map { $0 + piece }
                pending = []
                if index == header.messageLengths.count - 1, header.fragmented != 0 {
                    partial[packet.sender] = whole
                } else if let whole {
                    messages.append(try message(whole, packet.sender, packet.byteOrder))
                }
            }
            return messages
        }
    }

    private func message(_ bytes: [UInt8], _ sender: UInt32, _ byteOrder: ByteOrder) throws -> RecordedMessage {
        try bytes.withUnsafeBytes { buffer in
            let header = try GroupHeader(reading: buffer, byteOrder: byteOrder)
            return RecordedMessage(
                sender: sender,
                group: header.names.first ?? [],
                payload: Array(buffer[header.message.range]),
                byteOrder: byteOrder
            )
        }
    }
}
