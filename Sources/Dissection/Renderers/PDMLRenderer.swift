import Captures
import WireFormat

/// Packets as PDML, the XML that Wireshark's `-T pdml` writes. Places of fields count in the frame; where a packet was put together,
/// decrypted or inflated, they count in the result, as Wireshark's do.
public struct PDMLRenderer: PacketRenderer {
    private let captureFile: String
    private var path: [StaticString] = []
    private struct Scope {
        var isProtocol = false
        var isList = false
        /// How long the name was around it.
        var pathCount: Int
    }
    private var opened: [Scope] = []
    private var scratch = TextBuffer()
    private var reader = FieldReader()

    private static let frameKeys: [PacketKey] = [
        .frameTime, .frameRelativeTime, .frameNumber, .frameLength, .frameRecordedLength, .frameProtocols,
    ]
    private static let ownKeys: [PacketKey] = [.dialect, .alternatives, .message, .node, .ring, .summary, .problems, .notes]

    /// A renderer of packets from `captureFile`.
    public init(captureFile: String) {
        self.captureFile = captureFile
    }

    public var needsFrames: Bool { true }

    public mutating func begin(to text: inout TextBuffer) {
        text.append("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<pdml version=\"0\" creator=\"ringbridge\" capture_file=\"")
        var name = captureFile
        name.withUTF8 { scratch.append(foreign: UnsafeRawBufferPointer($0)) }
        text.append(xml: scratch.bytes)
        text.append("\">\n")
    }

    public mutating func end(to text: inout TextBuffer) {
        text.append("</pdml>\n")
    }

    public mutating func append(_ packet: Dissection, to text: inout TextBuffer) {
        text.append("<packet>\n")
        appendGeneralInformation(packet, to: &text)
        appendFrame(packet, to: &text)
        append(packet.headers, packet, to: &text)
        append(packet.tree, packet, to: &text)
        append(Self.ownKeys, packet, title: "Ringbridge", name: "ringbridge", to: &text)
        text.append("</packet>\n\n")
    }

    private mutating func appendGeneralInformation(_ packet: Dissection, to text: inout TextBuffer) {
        let size = packet.frameLength.recorded
        text.append("  <proto name=\"geninfo\" pos=\"0\" showname=\"General information\" size=\"")
        text.append(size)
        text.append("\">\n")
        appendGeneral("num", "Number", size, to: &text, show: { $0.append(packet.frame) }, value: { $0.append(digits: packet.frame) })
        let original = packet.frameLength.original
        appendGeneral("len", "Frame Length", size, to: &text, show: { $0.append(original) }, value: { $0.append(digits: original) })
        appendGeneral("caplen", "Captured Length", size, to: &text, show: { $0.append(size) }, value: { $0.append(digits: size) })
        appendGeneral(
            "timestamp",
            "Captured Time",
            size,
            to: &text,
            show: { $0.append(CalendarTime(nanoseconds: packet.time)) },
            value: { $0.append(seconds: packet.time) }
        )
        text.append("  </proto>\n")
    }

    private func appendGeneral(
        _ name: StaticString,
        _ title: StaticString,
        _ size: Int,
        to text: inout TextBuffer,
        show: (inout TextBuffer) -> Void,
        value: (inout TextBuffer) -> Void
    ) {
        text.append("    <field name=\"")
        text.append(name)
        text.append("\" pos=\"0\" show=\"")
        show(&text)
        text.append("\" showname=\"")
        text.append(title)
        text.append("\" value=\"")
        value(&text)
        text.append("\" size=\"")
        text.append(size)
        text.append("\"/>\n")
    }

    private mutating func appendFrame(_ packet: Dissection, to text: inout TextBuffer) {
        append(Self.frameKeys, packet, title: "Frame", name: "frame", size: packet.frameLength.recorded, to: &text)
    }

    /// A protocol that is made up of what the packet says of itself; its fields have no place.
    private mutating func append(
        _ keys: [PacketKey],
        _ packet: Dissection,
        title: StaticString,
        name: StaticString,
        size: Int = 0,
        to text: inout TextBuffer
    ) {
        text.append("  <proto name=\"")
        text.append(name)
        text.append("\" showname=\"")
        text.append(title)
        text.append("\" size=\"")
        text.append(size)
        text.append("\" pos=\"0\">\n")
        for key in keys {
            reader.forEachValue(of: .key(key), in: packet) { datum, style in
                text.append("    <field name=\"")
                text.append(key.rawValue)
                text.append("\" showname=\"")
                text.append(key.rawValue)
                text.append(": ")
                scratch.removeAll()
                scratch.append(datum, style)
                text.append(xml: scratch.bytes)
                text.append("\" size=\"0\" pos=\"0\" show=\"")
                text.append(xml: scratch.bytes)
                text.append("\"/>\n")
                return true
            }
        }
        text.append("  </proto>\n")
    }

    private mutating func append(_ tree: FieldTree, _ packet: Dissection, to text: inout TextBuffer) {
        path.removeAll(keepingCapacity: true)
        opened.removeAll(keepingCapacity: true)
        for (index, node) in tree.nodes.enumerated() {
            switch node.kind {
            case .protocol:
                opened.append(Scope(isProtocol: true, pathCount: path.count))
                path.append(node.name)
                indent(opened.count, &text)
                text.append("<proto name=\"")
                text.append(node.name)
                text.append("\" showname=\"")
                text.append(ProtocolTitles.title(of: node.name))
                appendPlace(index, tree, packet, to: &text)
                text.append(">\n")
            case .begin(let group):
                // The elements of a list stand inside the list's own element.
                var number: Int?
                var scope = Scope(pathCount: path.count)
                switch group {
                case .element(let index): number = index
                case .list: scope.isList = true
                case .structure: break
                }
                opened.append(scope)
                indent(opened.count, &text)
                if number == nil { path.append(node.name) }
                text.append("<field name=\"")
                appendPath(to: &text)
                text.append("\" showname=\"")
                text.append(node.name)
                if let number {
                    text.append(" [")
                    text.append(number)
                    text.append("]")
                }
                appendPlace(index, tree, packet, to: &text)
                text.append(" show=\"\" value=\"\">\n")
            case .end:
                guard let scope = opened.popLast() else { continue }
                path.removeLast(path.count - scope.pathCount)
                indent(opened.count + 1, &text)
                text.append(scope.isProtocol ? "</proto>\n" : "</field>\n")
            case .field(let value): append(value, tree.format(ofNode: index), at: index, tree, packet, to: &text)
            }
        }
    }

    private mutating func append(
        _ value: FieldValue,
        _ format: FieldFormat,
        at index: Int,
        _ tree: FieldTree,
        _ packet: Dissection,
        to text: inout TextBuffer
    ) {
        let node = tree.nodes[index]
        indent(opened.count + 1, &text)
        text.append("<field name=\"")
        appendPath(to: &text)
        // An item of a list of plain values has the list's own name.
        if opened.last?.isList != true || path.last?.isEqual(to: node.name) != true {
            text.append(".")
            text.append(node.name)
        }
        text.append("\" showname=\"")
        text.append(node.name)
        text.append(": ")
        scratch.removeAll()
        if node.isTakenApart {
            scratch.append(node.range.count)
            scratch.append(" bytes")
        } else {
            scratch.append(described: value, format, tree, index)
        }
        text.append(xml: scratch.bytes)
        text.append("\"")
        appendSizeAndPosition(index, tree, packet, to: &text)
        text.append(" show=\"")
        scratch.removeAll()
        if !node.isTakenApart {
            FieldReader.withDatum(value, format, tree, index) {
                scratch.append($0, FieldReader.Style(format: format, width: node.range.count))
            }
        }
        text.append(xml: scratch.bytes)
        text.append("\" value=\"")
        if !node.isTakenApart {
            tree.withBytes(ofNode: index) { text.append(hexadecimal: UnsafeRawBufferPointer(rebasing: $0[node.range.range])) }
        }
        text.append("\"/>\n")
    }

    private func appendPath(to text: inout TextBuffer) {
        for (index, part) in path.enumerated() {
            if index > 0 { text.append(".") }
            text.append(part)
        }
    }

    private func appendPlace(_ index: Int, _ tree: FieldTree, _ packet: Dissection, to text: inout TextBuffer) {
        text.append("\"")
        appendSizeAndPosition(index, tree, packet, to: &text)
    }

    private func appendSizeAndPosition(_ index: Int, _ tree: FieldTree, _ packet: Dissection, to text: inout TextBuffer) {
        let range = tree.nodes[index].range
        text.append(" size=\"")
        text.append(range.count)
        text.append("\" pos=\"")
        text.append(packet.offset(ofRun: tree.runIndex(ofNode: index), in: tree) + range.start)
        text.append("\"")
    }

    private func indent(_ depth: Int, _ text: inout TextBuffer) {
        for _ in 0..<depth { text.append("  ") }
    }
}

extension Dissection {
    /// Where in the frame a run begins; for one that is no part of the frame, where in the bytes that it is a part of.
    func offset(ofRun index: Int, in tree: FieldTree) -> Int {
        switch tree.runs[index].origin {
        case .frame, .decrypted, .decompressed, .reassembled: return 0
        case .part(let run, let offset): return self.offset(ofRun: run, in: tree) + offset
        case .datagram: break
        }
        if content.kind == .datagram || content.kind == .segment { return content.payloadOffset ?? 0 }
        return content.rest.start
    }
}

extension TextBuffer {
    /// A number in hexadecimal, without any mark of it.
    fileprivate mutating func append(digits number: Int) {
        append(String(number, radix: 16))
    }

    /// Text for an attribute in quotation marks. `text` is UTF-8 without control characters.
    mutating func append(xml text: ArraySlice<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "&"): append("&amp;")
            case UInt8(ascii: "<"): append("&lt;")
            case UInt8(ascii: ">"): append("&gt;")
            case UInt8(ascii: "\""): append("&quot;")
            // U+FFFE and U+FFFF are no characters of XML (its section 2.2): they become U+FFFD.
            case 0xBE, 0xBF:
                let isNoCharacter = index - text.startIndex >= 2 && text[index - 2] == 0xEF && text[index - 1] == 0xBF
                append(byte: isNoCharacter ? 0xBD : byte)
            default: append(byte: byte)
            }
        }
    }
}
