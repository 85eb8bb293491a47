import Captures
import WireFormat

/// One JSON object a packet, on one line. The keys, their order and their meaning are a contract: docs/decoding.md.
public struct NDJSONRenderer {
    private var fields = JSONFieldWriter()
    private var scratch = TextBuffer()

    /// A renderer.
    public init() {}

    /// Appends the packet's object and a newline to `text`.
    public mutating func append(_ packet: Dissection, to text: inout TextBuffer) {
        text.append("{\"frame\":")
        text.append(packet.frame)
        text.append(",\"time\":")
        text.append(seconds: packet.time)
        append(",\"file\":", packet.fileName, to: &text)
        append(",\"interface\":", packet.interfaceName, to: &text)
        text.append(",\"source\":")
        append(optional: packet.content.source != nil, to: &text) { $0.append(source: packet.content) }
        text.append(",\"destination\":")
        append(optional: packet.content.destination != nil, to: &text) { $0.append(destination: packet.content) }
        text.append(",\"protocols\":[")
        var isFirst = true
        for layer in packet.content.protocols {
            if !isFirst { text.append(",") }
            isFirst = false
            text.append(quoted: layer.name)
        }
        for name in packet.upperProtocols {
            text.append(",")
            text.append(quoted: name)
        }
        text.append("],\"dialect\":")
        if let dialect = packet.dialect { text.append(quoted: dialect.name) } else { text.append("null") }
        text.append(",\"alternatives\":[")
        for (index, dialect) in packet.alternatives.enumerated() {
            if index > 0 { text.append(",") }
            text.append(quoted: dialect.name)
        }
        text.append("],\"message\":")
        text.append(quoted: packet.message)
        text.append(",\"node\":")
        if let node = packet.node { text.append(node) } else { text.append("null") }
        text.append(",\"ring\":")
        if let ring = packet.ring {
            text.append("\"")
            text.append(ring)
            text.append("\"")
        } else {
            text.append("null")
        }
        text.append(",\"length\":")
        if packet.content.sourceEndpoint != nil { text.append(packet.content.length) } else { text.append("null") }
        text.append(",\"carries\":[")
        for (index, carried) in packet.carries.enumerated() {
            if index > 0 { text.append(",") }
            text.append("{\"message\":\"")
            text.append(carried.message)
            text.append("\",\"sender\":")
            text.append(carried.sender)
            text.append(",\"fields\":")
            fields.append(packet.tree, nodes: carried.contentNodes, to: &text)
            text.append("}")
        }
        text.append("],\"fields\":")
        fields.append(packet.tree, nodes: 0..<packet.ownNodes, to: &text)
        text.append(",\"summary\":")
        scratch.removeAll()
        packet.appendSummary(to: &scratch)
        text.append(quoted: scratch.bytes)
        text.append(",\"problems\":")
        append(packet.problems, to: &text)
        text.append(",\"notes\":")
        append(packet.notes, to: &text)
        text.append("}\n")
    }

    /// A member that is there only where its value is. Names may hold anything.
    private func append(_ key: StaticString, _ name: String?, to text: inout TextBuffer) {
        guard var name else { return }
        text.append(key)
        name.withUTF8 { text.append(quotedForeign: UnsafeRawBufferPointer($0)) }
    }

    private func append(optional isPresent: Bool, to text: inout TextBuffer, _ body: (inout TextBuffer) -> Void) {
        guard isPresent else { return text.append("null") }
        text.append("\"")
        body(&text)
        text.append("\"")
    }

    private func append(_ list: TextList, to text: inout TextBuffer) {
        text.append("[")
        for index in 0..<list.count {
            if index > 0 { text.append(",") }
            text.append(quoted: list[index])
        }
        text.append("]")
    }
}
