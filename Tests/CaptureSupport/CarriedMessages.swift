import Captures
import TotemSecurity
import TotemWire
import WireFormat

/// A message above totempg, found in a capture without the dissector's help.
public struct CarriedRecord: Sendable {
    /// The generation whose layouts it has.
    public var generation: TotemGeneration
    /// Number of the frame that holds its last byte.
    public var frame: Int
    /// Node id of the sender; in 2005 its IPv4 address as a number.
    public var sender: UInt32
    /// The sequence number of the ring, the first part of the message's place in the total order.
    public var ring: UInt64
    /// Totem's group. The dialect of 2005 has none; its messages are cman's.
    public var group: [UInt8]
    /// The message.
    public var payload: [UInt8]
    /// The sender's byte order.
    public var byteOrder: ByteOrder

    /// The group where it is a known one.
    public var serviceGroup: ServiceGroup? { group.withUnsafeBytes { ServiceGroup(name: $0) } }

    /// The message as it is read.
    public func read() throws -> ServiceMessage? {
        guard let group = serviceGroup else { return nil }
        return try payload.withUnsafeBytes { try ServiceMessage(reading: $0, in: group, of: generation, byteOrder: byteOrder) }
    }
}

/// A capture of Totem over UDP, with what is known of it beforehand.
public struct TotemRecording: Sendable, CustomStringConvertible {
    /// Its name below `captures/`.
    public var name: String
    /// The generation of its daemons. openais 0.80 stands for rings in which corosync 1 takes part too.
    public var generation: TotemGeneration

    public var description: String { name }

    /// The captures of daemons whose packets are not inside knet.
    public static let all: [TotemRecording] = {
        let names = CaptureSupport.captureNames(prefix: "openais/") + CaptureSupport.captureNames(prefix: "corosync/")
        let prefixes: [(String, TotemGeneration)] = [
            ("cman0-", .totem2005), ("wt-", .openais080), ("cman2-", .openais080), ("mixed-", .openais080), ("cman3-", .corosync1),
            ("flatiron", .corosync1), ("needle", .corosync2), ("3.1.7-udp", .corosync3),
        ]
        return names.compactMap { name in
            let file = name.split(separator: "/")[1]
            return prefixes.first { file.hasPrefix($0.0) }.map { TotemRecording(name: name, generation: $0.1) }
        }
    }()

    /// The keys that lie beside the captures, and those of cman's cluster.
    private static let keys: [SecurityKey] = {
        let files = ["authkey-256.bin", "authkey14-128ascii.bin", "authkey14-127ascii-nul.bin"].map { "corosync/keys/\($0)" }
        return [SecurityKey(clusterName: "oacluster")] + files.compactMap { try? key(of: $0) }
    }()

    private static func key(of name: String) throws -> SecurityKey {
        try SecurityKeyFile.load(path: CaptureSupport.path(of: name)).key
    }

    /// Every whole message that the capture's mcasts carry, each once, in the order of each ring.
    public func messages() throws -> [CarriedRecord] {
        switch generation {
        case .totem2005: try messages(of: OpenAIS2005.self)
        case .openais080: try messages(of: OpenAIS080.self)
        case .corosync1: try messages(of: Corosync1.self)
        case .corosync2: try messages(of: Corosync2.self)
        case .corosync3: try messages(of: Corosync3.self)
        }
    }

    private func messages<Dialect: TotemDialect>(of dialect: Dialect.Type) throws -> [CarriedRecord] {
        var rings = CarriedRings<Dialect>()
        try forEachDatagram { try rings.take($0, frame: $1.frame) }
        return try rings.messages()
    }

    /// Calls `body` with every packet, decrypted.
    public func forEachPacket(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try forEachDatagram { bytes, _ in try body(bytes) }
    }

    private func forEachDatagram(_ body: (UnsafeRawBufferPointer, CapturedDatagram) throws -> Void) throws {
        let ownKey = try? Self.key(of: String(name.dropLast(".pcap".count)) + ".authkey")
        var opener = SecurityOpener(keys: Self.keys + (ownKey.map { [$0] } ?? []))
        for datagram in try CaptureSupport.datagrams(of: name) {
            try datagram.payload.withUnsafeBytes { bytes in
                switch opener.open(bytes, from: datagram.source, to: datagram.destination) {
                case .plain: try body(bytes, datagram)
                case .opened(let content): try body(content.plaintext, datagram)
                case .unknownKey, .damaged, .unsupported: throw CaptureError(path: name, reason: "frame \(datagram.frame) cannot be opened")
                }
            }
        }
    }
}

/// The mcasts of a capture by ring and sequence number.
private struct CarriedRings<Dialect: TotemDialect> {
    private struct Packet {
        var frame: Int
        var sender: UInt32
        /// The sender's own counter of its mcasts.
        var counter: Int32
        var payload: [UInt8]
        var byteOrder: ByteOrder
    }

    /// Pieces of a message whose last piece ended with a packet.
    private struct Open {
        var bytes: [UInt8]
        var fragment: UInt8
        var counter: Int32
    }

    private var packets: [Dialect.Ring: [UInt32: Packet]] = [:]

    mutating func take(_ bytes: UnsafeRawBufferPointer, frame: Int) throws {
        guard Dialect.byteOrder(of: bytes) != nil, RingTest.identify(bytes) == nil else { return }
        let packet = try TotemPacket<Dialect>(reading: bytes)
        guard case .mcast(let mcast) = packet.message else { return }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
        if mcast.header.encapsulated == Mcast<Dialect>.encapsulatedInRecovery { return try take(payload, frame: frame) }
        guard packets[mcast.ring]?[mcast.sequence] == nil else { return }
        packets[mcast.ring, default: [:]][mcast.sequence] = Packet(
            frame: frame,
            sender: mcast.systemFrom.nodeID,
            counter: mcast.thisSequence,
            payload: Array(payload),
            byteOrder: packet.byteOrder
        )
    }

    func messages() throws -> [CarriedRecord] {
        var records: [CarriedRecord] = []
        for ring in packets.keys.sorted(by: { ($0.sequence, $0.representativeNodeID) < ($1.sequence, $1.representativeNodeID) }) {
            var open: [UInt32: Open] = [:]
            for (_, packet) in (packets[ring] ?? [:]).sorted(by: { $0.key < $1.key }) {
                try append(packet, of: ring, &open, to: &records)
            }
        }
        return records
    }

    private func append(_ packet: Packet, of ring: Dialect.Ring, _ open: inout [UInt32: Open], to records: inout [CarriedRecord]) throws {
        try packet.payload.withUnsafeBytes { bytes in
            let header = try ProcessGroupPacket(reading: bytes, byteOrder: packet.byteOrder)
            let begun = open.removeValue(forKey: packet.sender)
            var pending: [UInt8]? = header.continuation == 0 ? [] : nil
            if let begun, begun.fragment == header.continuation, begun.counter &+ 1 == packet.counter { pending = begun.bytes }
            var start = header.data.start
            for (index, length) in header.messageLengths.enumerated() {
                let whole = pending.map { $0 + bytes[start..<start + Int(length)] }
                start += Int(length)
                pending = []
                if index == header.messageLengths.count - 1, header.fragmented != 0 {
                    if let whole { open[packet.sender] = Open(bytes: whole, fragment: header.fragmented, counter: packet.counter) }
                } else if let whole {
                    records.append(try record(whole, packet, ring))
                }
            }
        }
    }

    private func record(_ message: [UInt8], _ packet: Packet, _ ring: Dialect.Ring) throws -> CarriedRecord {
        try message.withUnsafeBytes { bytes in
            let header = Dialect.hasLayoutOf2005 ? nil : try GroupHeader(reading: bytes, byteOrder: packet.byteOrder)
            return CarriedRecord(
                generation: Dialect.generation,
                frame: packet.frame,
                sender: packet.sender,
                ring: ring.sequence,
                group: header.map { $0.names.first ?? [] } ?? Array(ServiceGroup.cman.name.description.utf8),
                payload: header.map { Array(bytes[$0.message.range]) } ?? message,
                byteOrder: packet.byteOrder
            )
        }
    }
}
