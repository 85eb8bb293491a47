import TotemWire
import WireFormat

/// The fields of a packet with their values as text, for comparison: those of the Totem message, of the totempg packet that it
/// carries, and of the messages that end in it.
struct TotemFields<Dialect: TotemDialect> {
    /// A field and its value.
    struct Field: Equatable {
        var name: String
        var value: String
    }

    private(set) var fields: [Field] = []

    /// Reads `bytes`; what cannot be read is a field of its own. `open` holds the beginning of the sender's message that this packet
    /// continues, and then of the one that the next packet will continue.
    init(of bytes: [UInt8], continuing open: inout [UInt8]) {
        bytes.withUnsafeBytes { readPacket($0, continuing: &open) }
    }

    private mutating func readPacket(_ bytes: UnsafeRawBufferPointer, continuing open: inout [UInt8]) {
        if Dialect.hasLayoutOf2005, let bare = Self.withoutUnusedSlots(bytes) {
            bare.withUnsafeBytes { readWholePacket($0, continuing: &open) }
        } else {
            readWholePacket(bytes, continuing: &open)
        }
    }

    /// A JOIN or commit token of 2005 with nothing in the slots that are not in use; nil for other packets.
    private static func withoutUnusedSlots(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard var packet = try? TotemPacket<Dialect>(reading: bytes) else { return nil }
        switch packet.message {
        case .join(var join):
            (join.unusedProcessors, join.unusedFailed) = ([], [])
            packet.message = .join(join)
        case .commitToken(var commit):
            (commit.unusedAddresses, commit.unusedEntries) = ([], [])
            packet.message = .commitToken(commit)
        default: return nil
        }
        return try? packet.bytes(of: bytes)
    }

    private mutating func readWholePacket(_ bytes: UnsafeRawBufferPointer, continuing open: inout [UInt8]) {
        guard let (kind, byteOrder) = try? TotemPacket<Dialect>.identify(bytes) else {
            fields.append(Field(name: "message", value: "unreadable"))
            return
        }
        fields.append(Field(name: "message", value: kind.name.description))
        // Over udp and udpu the daemons send in `target_nodeid` what the memory held (reference/totem-wire.md 3).
        var ignored: Set<String> = ["target_nodeid", "payload"]
        // A hold cancel of openais 0.80 left the field as it found it.
        if kind == .holdCancel { ignored.insert("encapsulated") }
        let isBare = Dialect.generation == .corosync3
        var message = TotemMessage<Dialect>(kind)
        let collector = Collector(bytes, "totem", without: ignored, paddings: isBare)
        var dissector = WireDissector(bytes, byteOrder: byteOrder, sink: collector)
        let isReadable = (try? message.visit(&dissector)) != nil
        fields += dissector.sink.fields
        if !isReadable { fields.append(Field(name: "message", value: "malformed")) }
        guard case .mcast(let mcast) = message else { return }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[mcast.payload.range])
        if mcast.header.encapsulated == Mcast<Dialect>.encapsulatedInRecovery {
            var unknown: [UInt8] = []
            readPacket(payload, continuing: &unknown)
        } else {
            readPieces(payload, continuing: &open)
        }
    }

    private mutating func readPieces(_ payload: UnsafeRawBufferPointer, continuing open: inout [UInt8]) {
        // Nobody wrote the version before corosync 1, and the type in all that were recorded before corosync 3.
        var ignored: Set<String> = ["data"]
        if Dialect.generation < .corosync3 { ignored.insert("type") }
        if Dialect.generation < .corosync1 { ignored.insert("version") }
        var dissector = WireDissector(payload, sink: Collector(payload, "totempg", without: ignored))
        var packet = ProcessGroupPacket()
        guard (try? packet.visit(&dissector)) != nil, packet.lengthsAreSound(in: Dialect.generation) else {
            fields.append(Field(name: "totempg", value: Self.digits(payload)))
            return
        }
        fields += dissector.sink.fields
        fields.append(Field(name: "totempg.data.count", value: String(packet.data.count)))
        if packet.continuation == 0 { open = [] }
        let isKnown = packet.continuation == 0 || !open.isEmpty
        var start = packet.data.start
        for (index, length) in packet.messageLengths.enumerated() {
            open += payload[start..<start + Int(length)]
            start += Int(length)
            if index == packet.messageLengths.count - 1, packet.fragmented != 0 { break }
            if index > 0 || isKnown { readMessage(open) }
            open = []
        }
    }

    /// Reads a whole message. CPG's are compared without the bytes that a client's memory decides, paddings and the pointer `conn`, all
    /// others byte for byte.
    private mutating func readMessage(_ bytes: [UInt8]) {
        if Dialect.generation == .corosync3, let group = bytes.withUnsafeBytes({ try? GroupHeader(reading: $0) }),
            let name = group.names.first,
            let serviceGroup = name.withUnsafeBytes({ ServiceGroup(name: $0) })
        {
            let content = Array(bytes[group.message.range])
            let header = content.withUnsafeBytes { try? ServiceHeader(reading: $0) }
            let isRead =
                switch header.flatMap({ ServiceMessageKind($0, in: serviceGroup) }) {
                case .cpgProcessJoin: read(CPGProcessJoin(), content)
                case .cpgProcessLeave: read(CPGProcessLeave(), content)
                case .cpgJoinList: read(CPGJoinList(), content)
                case .cpgMulticast: read(CPGMulticast(), content)
                case .cpgDownList: read(CPGDownList(), content)
                default: false
                }
            if isRead { return }
        }
        fields.append(Field(name: "totempg.data", value: Self.digits(bytes)))
    }

    private mutating func read(_ message: some WireMessage, _ content: [UInt8]) -> Bool {
        var message = message
        let read: [Field]? = content.withUnsafeBytes { bytes in
            var dissector = WireDissector(bytes, sink: Collector(bytes, "cpg", without: ["conn"], paddings: false))
            guard (try? message.visit(&dissector)) != nil else { return nil }
            return dissector.sink.fields
        }
        guard let read else { return false }
        if let list = message as? CPGDownList {
            // The entries behind the used ones are those of earlier lists (cpg.c:598 of 3.1.7).
            let used = Int(list.leftNodes)
            fields += read.filter { !$0.name.hasPrefix("cpg.nodeids") }
            fields += read.filter { $0.name.hasPrefix("cpg.nodeids") }.prefix(used)
        } else {
            fields += read
        }
        return true
    }

    private static func digits(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private struct Collector: FieldSink {
        private(set) var fields: [Field] = []
        private let bytes: UnsafeRawBufferPointer
        private let ignored: Set<String>
        private let showsPaddings: Bool
        private var path: [String]

        init(_ bytes: UnsafeRawBufferPointer, _ protocolName: String, without ignored: Set<String>, paddings: Bool = true) {
            self.bytes = bytes
            self.ignored = ignored
            showsPaddings = paddings
            path = [protocolName]
        }

        mutating func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
            if ignored.contains(name.description) { return }
            if case .padding = format, !showsPaddings { return }
            let text =
                switch value {
                case .unsigned(let number): String(number)
                case .signed(let number): String(number)
                case .bytes(let range): TotemFields.digits(bytes[range.range])
                }
            fields.append(Field(name: (path + [name.description]).joined(separator: "."), value: text))
        }

        mutating func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) {
            switch kind {
            case .structure, .list: path.append(name.description)
            case .element(let index): path.append(String(index))
            }
        }

        mutating func endGroup(at offset: Int) { path.removeLast() }
    }
}
