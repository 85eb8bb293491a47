import Captures
import WireFormat

/// A value of a field or key in one packet. What it points to is valid while it is handed out.
enum FieldDatum {
    case unsigned(UInt64)
    case signed(Int64)
    /// Nanoseconds.
    case time(Int64)
    case address(IPAddress)
    /// Text of a protocol up to its first NUL.
    case text(UnsafeRawBufferPointer)
    case bytes(UnsafeRawBufferPointer)
    /// A structure, protocol or message that is there.
    case present
}

extension FieldDatum {
    /// What a number is.
    init(_ number: UInt64, _ format: FieldFormat) {
        if case .ipAddress = format {
            self = .address(IPAddress(ipv4: UInt32(truncatingIfNeeded: number)))
        } else {
            self = .unsigned(number)
        }
    }

    /// What the bytes of a field are.
    init(_ run: UnsafeRawBufferPointer, _ format: FieldFormat) {
        switch format {
        case .text: self = .text(UnsafeRawBufferPointer(rebasing: run.prefix { $0 != 0 }))
        case .ipAddress: self = IPAddress(networkBytes: run).map { .address($0) } ?? .bytes(run)
        default: self = .bytes(run)
        }
    }
}

/// Looks up values in packets by name: fields in packets of a dissector whose `selection` has them. It allocates nothing in steady state.
struct FieldReader {
    /// What answers a value: whether it wants to see the next one.
    typealias Body = (FieldDatum, Style) -> Bool

    /// How a value is to be shown.
    struct Style {
        var format = FieldFormat.decimal
        /// Bytes that it takes on the wire; 0 for what is not there as such.
        var width = 0
    }

    private var scratch = TextBuffer()

    /// Where the values of a reference are: what is looked at for every packet, as plain words.
    enum Source {
        case key(PacketKey)
        /// A field or structure by its number.
        case number(Int32, isInHeaders: Bool)
        case `protocol`(StaticString, number: Int32)
        /// A message by its place among `messages`.
        case message(Int32)
        /// Nowhere.
        case nothing
    }

    /// A message that is looked for: its protocol and name, and its full name as carried messages have it.
    private struct MessageName {
        var protocolName: StaticString
        var name: String
        var qualifiedName: String
    }

    private var messages: [MessageName] = []

    /// Where the values of `reference` are, for this reader.
    mutating func source(of reference: FieldReference) -> Source {
        switch reference.target {
        case .key(let key): return .key(key)
        case .field, .group: return reference.number.map { .number($0, isInHeaders: reference.isInHeaders) } ?? .nothing
        case .protocol(let name): return reference.number.map { .protocol(name, number: $0) } ?? .nothing
        case .message(let protocolName, let name, let qualifiedName):
            messages.append(MessageName(protocolName: protocolName, name: name, qualifiedName: qualifiedName))
            return .message(Int32(messages.count - 1))
        }
    }

    /// Hands every value of `source` in `packet` to `body`, in wire order, until `body` wants no more.
    @inline(__always)
    mutating func forEachValue(of source: Source, in packet: Dissection, _ body: Body) {
        switch source {
        case .key(let key): read(key, packet, body)
        case .number(let number, let isInHeaders):
            let tree = isInHeaders ? packet.headers : packet.tree
            tree.forEachSelected(number, body)
        case .protocol(let name, let number):
            if packet.isOf(protocol: name) || packet.tree.hasSelected(number) { _ = body(.present, Style()) }
        case .message(let place): read(messages[Int(place)], packet, body)
        case .nothing: return
        }
    }

    private func read(_ message: MessageName, _ packet: Dissection, _ body: Body) {
        if packet.message.isEqual(to: message.name), packet.isOf(protocol: message.protocolName), !body(.present, Style()) { return }
        for carried in packet.carries where carried.message.isEqual(to: message.qualifiedName) {
            guard body(.present, Style()) else { return }
        }
    }

    static func withDatum<Result>(
        _ value: FieldValue,
        _ format: FieldFormat,
        _ tree: FieldTree,
        _ index: Int,
        _ body: (FieldDatum) -> Result
    ) -> Result {
        switch value {
        case .unsigned(let number): return body(FieldDatum(number, format))
        case .signed(let number): return body(.signed(number))
        case .bytes(let range):
            return tree.withBytes(ofNode: index) { body(FieldDatum(UnsafeRawBufferPointer(rebasing: $0[range.range]), format)) }
        }
    }

    private mutating func read(_ key: PacketKey, _ packet: Dissection, _ body: Body) {
        let content = packet.content
        switch key {
        case .frameNumber, .frame: _ = body(.unsigned(UInt64(packet.frame)), Style())
        case .frameTime, .time: _ = body(.time(packet.time), Style())
        case .frameRelativeTime: _ = body(.time(packet.relativeTime), Style())
        case .frameLength: _ = body(.unsigned(UInt64(packet.frameLength.original)), Style())
        case .frameRecordedLength: _ = body(.unsigned(UInt64(packet.frameLength.recorded)), Style())
        case .frameProtocols: built(body) { $0.append(protocolsOf: packet, separator: ":") }
        case .source: if content.source != nil { built(body) { $0.append(source: content) } }
        case .destination: if content.destination != nil { built(body) { $0.append(destination: content) } }
        case .protocols:
            for layer in content.protocols { guard Self.hand(layer.name, to: body) else { return } }
            for name in packet.upperProtocols { guard Self.hand(name, to: body) else { return } }
        case .dialect: if let dialect = packet.dialect { _ = Self.hand(dialect.name, to: body) }
        case .alternatives: for dialect in packet.alternatives { guard Self.hand(dialect.name, to: body) else { return } }
        case .message: _ = Self.hand(packet.message, to: body)
        case .node: if let node = packet.node { _ = body(.unsigned(UInt64(node)), Style()) }
        case .ring: if let ring = packet.ring { built(body) { $0.append(ring) } }
        case .length: if content.kind == .datagram { _ = body(.unsigned(UInt64(content.length)), Style()) }
        case .carriedMessage: for carried in packet.carries { guard Self.hand(carried.message, to: body) else { return } }
        case .carriedSender: for carried in packet.carries { guard body(.unsigned(UInt64(carried.sender)), Style()) else { return } }
        case .summary: built(body) { packet.appendSummary(to: &$0) }
        case .problems: hand(packet.problems, to: body)
        case .notes: hand(packet.notes, to: body)
        case .ipSource, .ipv6Source: _ = Self.hand(content.source, of: key == .ipSource ? .ipv4 : .ipv6, to: body)
        case .ipDestination, .ipv6Destination: _ = Self.hand(content.destination, of: key == .ipDestination ? .ipv4 : .ipv6, to: body)
        case .ipAddress, .ipv6Address:
            let family: IPAddress.Family = key == .ipAddress ? .ipv4 : .ipv6
            if Self.hand(content.source, of: family, to: body) { _ = Self.hand(content.destination, of: family, to: body) }
        case .udpSourcePort, .tcpSourcePort: if key.hasPorts(content) { _ = body(.unsigned(UInt64(content.sourcePort)), Style()) }
        case .udpDestinationPort, .tcpDestinationPort:
            if key.hasPorts(content) { _ = body(.unsigned(UInt64(content.destinationPort)), Style()) }
        case .udpPort, .tcpPort:
            guard key.hasPorts(content), body(.unsigned(UInt64(content.sourcePort)), Style()) else { return }
            _ = body(.unsigned(UInt64(content.destinationPort)), Style())
        }
    }

    private static func hand(_ address: IPAddress?, of family: IPAddress.Family, to body: Body) -> Bool {
        guard let address, address.family == family else { return true }
        return body(.address(address), Style(format: .ipAddress))
    }

    private static func hand(_ text: StaticString, to body: Body) -> Bool {
        body(.text(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)), Style(format: .text))
    }

    private func hand(_ list: TextList, to body: Body) {
        for index in 0..<list.count {
            guard list[index].withUnsafeBytes({ body(.text($0), Style(format: .text)) }) else { return }
        }
    }

    private mutating func built(_ body: Body, _ build: (inout TextBuffer) -> Void) {
        scratch.removeAll()
        build(&scratch)
        scratch.bytes.withUnsafeBytes { _ = body(.text($0), Style(format: .text)) }
    }
}

extension PacketKey {
    /// Whether `content` has ports of the key's transport protocol.
    fileprivate func hasPorts(_ content: Decapsulation) -> Bool {
        switch self {
        case .tcpSourcePort, .tcpDestinationPort, .tcpPort: content.kind == .segment
        default: content.kind == .datagram
        }
    }
}

extension StaticString {
    func isEqual(to other: String) -> Bool {
        var other = other
        return other.withUTF8 { $0.elementsEqual(UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)) }
    }
}

extension Dissection {
    /// Whether the packet itself is of the protocol called `name`.
    func isOf(protocol name: StaticString) -> Bool {
        content.protocols.contains { $0.name.isEqual(to: name) } || upperProtocols.contains { $0.isEqual(to: name) }
    }
}

extension TextBuffer {
    /// The names of the packet's protocols, from the outside in.
    mutating func append(protocolsOf packet: Dissection, separator: StaticString) {
        var isFirst = true
        for layer in packet.content.protocols {
            if !isFirst { append(separator) }
            isFirst = false
            append(layer.name)
        }
        for name in packet.upperProtocols {
            if !isFirst { append(separator) }
            isFirst = false
            append(name)
        }
    }
}
