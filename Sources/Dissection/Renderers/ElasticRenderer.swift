import Captures
import WireFormat

/// Two lines a packet for Elasticsearch's bulk interface, as tshark's `-T ek`: where the document goes, and the document.
///
/// A document has one layer a protocol; a field's key is the protocol and the full name with underscores. A field that a packet has
/// several times is an array. Unlike tshark's, numbers are numbers, and the index line has no `_type`, which Elasticsearch 8 refuses.
public struct ElasticRenderer: PacketRenderer {
    private var paths = TreePaths()
    private var written: [UInt64] = []
    private var scratch = TextBuffer()
    private var reader = FieldReader()

    private static let frameKeys: [PacketKey] = [
        .frameNumber, .frameTime, .frameRelativeTime, .frameLength, .frameRecordedLength, .frameProtocols,
    ]
    private static let ownKeys: [PacketKey] = [
        .source, .destination, .dialect, .alternatives, .message, .node, .ring, .length, .carriedMessage, .carriedSender, .summary,
        .problems, .notes,
    ]

    /// A renderer.
    public init() {}

    public var needsFrames: Bool { true }

    public mutating func append(_ packet: Dissection, to text: inout TextBuffer) {
        text.append("{\"index\":{\"_index\":\"packets-")
        text.append(dateOf: CalendarTime(nanoseconds: packet.time))
        text.append("\"}}\n{\"timestamp\":\"")
        text.append(packet.time / 1_000_000)
        text.append("\",\"layers\":{")
        append(Self.frameKeys, layer: "frame", packet, to: &text)
        append(packet.headers, to: &text)
        append(packet.tree, to: &text)
        text.append(",")
        append(Self.ownKeys, layer: "ringbridge", packet, to: &text)
        text.append("}}\n")
    }

    private mutating func append(_ keys: [PacketKey], layer: StaticString, _ packet: Dissection, to text: inout TextBuffer) {
        text.append(quoted: layer)
        text.append(":{")
        var needsComma = false
        for key in keys {
            scratch.removeAll()
            var count = 0
            let isTime = key.kind == .time
            reader.forEachValue(of: .key(key), in: packet) { datum, style in
                if count > 0 { scratch.append(",") }
                count += 1
                if isTime { scratch.append("\"") }
                scratch.append(json: datum, style)
                if isTime { scratch.append("\"") }
                return true
            }
            guard count > 0 else { continue }
            if needsComma { text.append(",") }
            needsComma = true
            text.append("\"")
            text.append(layer)
            text.append("_")
            for byte in key.rawValue.utf8 { text.append(byte: byte == UInt8(ascii: ".") ? UInt8(ascii: "_") : byte) }
            text.append("\":")
            append(scratch, isArray: count > 1, to: &text)
        }
        text.append("}")
    }

    private func append(_ values: TextBuffer, isArray: Bool, to text: inout TextBuffer) {
        if isArray { text.append("[") }
        text.append(bytes: values.bytes)
        if isArray { text.append("]") }
    }

    /// The layers of a tree, each protocol once.
    private mutating func append(_ tree: FieldTree, to text: inout TextBuffer) {
        paths.take(tree)
        for (index, node) in tree.nodes.enumerated() {
            guard case .protocol = node.kind, paths.protocols[index] == index else { continue }
            text.append(",")
            text.append(quoted: node.name)
            text.append(":{")
            append(fieldsOf: index, tree, to: &text)
            text.append("}")
        }
    }

    private mutating func append(fieldsOf layer: Int, _ tree: FieldTree, to text: inout TextBuffer) {
        written.removeAll(keepingCapacity: true)
        for index in layer..<tree.nodes.count where paths.protocols[index] == layer {
            guard case .field = tree.nodes[index].kind, !tree.nodes[index].isTakenApart else { continue }
            // Layouts have few names, however many fields a packet has.
            let name = paths.names[index]
            guard !written.contains(name) else { continue }
            if !written.isEmpty { text.append(",") }
            written.append(name)
            text.append("\"")
            text.append(tree.nodes[layer].name)
            text.append("_")
            paths.append(nameOf: index, in: tree, separator: "_", to: &text)
            text.append("\":")
            scratch.removeAll()
            var count = 0
            for other in index..<tree.nodes.count where paths.names[other] == name && !tree.nodes[other].isTakenApart {
                guard case .field(let value) = tree.nodes[other].kind else { continue }
                let format = tree.format(ofNode: other)
                if count > 0 { scratch.append(",") }
                count += 1
                FieldReader.withDatum(value, format, tree, other) { scratch.append(json: $0, FieldReader.Style(format: format)) }
            }
            append(scratch, isArray: count > 1, to: &text)
        }
    }
}

extension TextBuffer {
    /// A value as JSON: numbers as numbers, everything else as text.
    mutating func append(json datum: FieldDatum, _ style: FieldReader.Style) {
        switch datum {
        case .unsigned(let number): append(number)
        case .signed(let number): append(number)
        case .time(let time): append(seconds: time)
        case .address(let address):
            append("\"")
            append(address)
            append("\"")
        case .text(let run): append(quotedForeign: run)
        case .bytes(let run):
            append("\"")
            append(run, style.format)
            append("\"")
        case .present: append("true")
        }
    }
}
