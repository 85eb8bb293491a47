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
    /// The address of its representative, where the ring is named by it.
    public var representativeAddress: TotemIPAddress?
    /// Its members, ascending.
    public var members: [UInt32] = []
    /// For each member the ring that it came from.
    public var origins: [UInt32: RingID] = [:]
    /// Whether messages name a group; those of 2005 do not.
    fileprivate var hasGroups = true
    /// Packets of the total order by sequence number.
    fileprivate var packets: [UInt32: (sender: UInt32, payload: [UInt8], byteOrder: ByteOrder)] = [:]

    /// A ring nobody has said anything in.
    public init(id: RingID, representativeAddress: TotemIPAddress? = nil, members: [UInt32] = []) {
        self.id = id
        self.representativeAddress = representativeAddress
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
        return try rings.filter { $0.members.contains(node) && $0.hasFormed }.map { ring in
            let order = ring.packets.keys.sorted()
            return (ring, try order.flatMap { try assembler.messages(ring.packets[$0], hasGroups: ring.hasGroups) })
        }
    }

    /// Whether there is a sign that the ring came about: its commit token went round, or something was said in it.
    private var hasFormed: Bool { !packets.isEmpty || origins.isEmpty || origins.count == members.count }

    /// Every message of the capture `name`, ring by ring.
    public static func messages(of name: String) throws -> [RecordedMessage] {
        try read(name).flatMap { ring in
            var assembler = Assembler()
            return try ring.packets.keys.sorted().flatMap { try assembler.messages(ring.packets[$0], hasGroups: ring.hasGroups) }
        }
    }

    private static func read(_ name: String) throws -> [RecordedRing] {
        guard let recording = TotemRecording.all.first(where: { $0.name == name }) else {
            throw CaptureError(path: name, reason: "is no recording of Totem over UDP")
        }
        return switch recording.generation {
        case .totem2005: try read(recording, OpenAIS2005.self)
        case .openais080: try read(recording, OpenAIS080.self)
        case .corosync1: try read(recording, Corosync1.self)
        case .corosync2: try read(recording, Corosync2.self)
        case .corosync3: try read(recording, Corosync3.self)
        }
    }

    private static func read<Dialect: TotemDialect>(
        _ recording: TotemRecording,
        _ dialect: Dialect.Type
    ) throws -> [RecordedRing] {
        var rings: [Dialect.Ring: RecordedRing] = [:]
        try recording.forEachPacket { try take($0, dialect, into: &rings) }
        return rings.values.sorted { ($0.id.sequence, $0.id.representative) < ($1.id.sequence, $1.id.representative) }
    }

    private static func take<Dialect: TotemDialect>(
        _ bytes: UnsafeRawBufferPointer,
        _ dialect: Dialect.Type,
        into rings: inout [Dialect.Ring: RecordedRing]
    ) throws {
        guard Dialect.byteOrder(of: bytes) != nil, RingTest.identify(bytes) == nil else { return }
        let packet = try TotemPacket<Dialect>(reading: bytes)
        func identity(_ ring: Dialect.Ring) -> RingID { RingID(representative: ring.representativeNodeID, sequence: ring.sequence) }
        func known(_ ring: Dialect.Ring) -> RecordedRing {
            if let known = rings[ring] { return known }
            var new = RecordedRing(id: identity(ring), representativeAddress: ring.representativeAddress)
            new.hasGroups = !Dialect.hasLayoutOf2005
            return new
        }
        switch packet.message {
        case .commitToken(let token):
            var ring = known(token.ring)
            ring.members = token.addresses.map(\.nodeID).sorted()
            for (address, entry) in zip(token.addresses, token.entries) where entry.ring != Dialect.Ring() {
                ring.origins[address.nodeID] = identity(entry.ring)
            }
            rings[token.ring] = ring
        case .mcast(let mcast):
            let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
            if mcast.header.encapsulated == Mcast<Dialect>.encapsulatedInRecovery {
                try take(payload, dialect, into: &rings)
            } else {
                let content = (mcast.systemFrom.nodeID, Array(payload), packet.byteOrder)
                var ring = known(mcast.ring)
                ring.packets[mcast.sequence] = content
                rings[mcast.ring] = ring
            }
        default:
            break
        }
    }
}

/// Reassembles what totempg fragmented (reference/totem-wire.md 5.4), without the protection against lost pieces that a node needs.
private struct Assembler {
    private var partial: [UInt32: [UInt8]] = [:]

    mutating func messages(
        _ packet: (sender: UInt32, payload: [UInt8], byteOrder: ByteOrder)?,
        hasGroups: Bool
    ) throws -> [RecordedMessage] {
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
                    messages.append(try message(whole, packet.sender, packet.byteOrder, hasGroups: hasGroups))
                }
            }
            return messages
        }
    }

    private func message(_ bytes: [UInt8], _ sender: UInt32, _ byteOrder: ByteOrder, hasGroups: Bool) throws -> RecordedMessage {
        guard hasGroups else { return RecordedMessage(sender: sender, group: Array("CMAN".utf8), payload: bytes, byteOrder: byteOrder) }
        return try bytes.withUnsafeBytes { buffer in
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
