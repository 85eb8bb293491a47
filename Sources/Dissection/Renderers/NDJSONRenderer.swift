import Captures
import WireFormat

/// One JSON object a packet, on one line. The keys, their order and their meaning are a contract: docs/decoding.md.
public struct NDJSONRenderer {
    private let fields = JSONFieldWriter()

    /// A renderer.
    public init() {}

    /// Appends the packet's object and a newline to `text`.
    public mutating func append(_ packet: Dissection, to text: inout TextBuffer) {
        let limits = TextWriter.Limit.self
        text.write(atMost: limits.number + limits.seconds + 32) { line in
            line.append("{\"frame\":")
            line.append(packet.frame)
            line.append(",\"time\":")
            line.append(seconds: packet.time)
        }
        append(",\"file\":", packet.fileName, to: &text)
        append(",\"interface\":", packet.interfaceName, to: &text)
        if let source = packet.content.sourceEndpoint, let destination = packet.content.destinationEndpoint {
            text.write(atMost: 2 * EndpointNames.room + 64) { line in
                line.append(",\"source\":\"")
                packet.endpointNames.append(source, to: &line)
                line.append("\",\"destination\":\"")
                packet.endpointNames.append(destination, to: &line)
                line.append("\"")
            }
        } else {
            text.append(",\"source\":")
            append(optional: packet.content.source != nil, to: &text) { $0.append(source: packet.content) }
            text.append(",\"destination\":")
            append(optional: packet.content.destination != nil, to: &text) { $0.append(destination: packet.content) }
        }
        // Names of protocols, dialects and messages, and numbers; none needs escapes.
        let names = packet.content.protocols.count + packet.upperProtocols.count + packet.alternatives.count + 2
        text.write(atMost: names * (limits.name + 3) + 2 * limits.number + limits.ring + 128) { appendIdentity(of: packet, to: &$0) }
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
        text.append(",\"summary\":\"")
        packet.appendSummary(to: &text, escaped: true)
        text.append("\",\"problems\":")
        append(packet.problems, to: &text)
        text.append(",\"notes\":")
        append(packet.notes, to: &text)
        text.append("}\n")
    }

    /// What the packet is: protocols, dialect, message, node, ring, length.
    @inline(__always)
    private func appendIdentity(of packet: Dissection, to line: inout TextWriter) {
        line.append(",\"protocols\":[")
        var isFirst = true
        for layer in packet.content.protocols {
            if !isFirst { line.append(byte: UInt8(ascii: ",")) }
            isFirst = false
            line.append(quoted: layer.name)
        }
        for name in packet.upperProtocols {
            line.append(byte: UInt8(ascii: ","))
            line.append(quoted: name)
        }
        line.append("],\"dialect\":")
        if let dialect = packet.dialect { line.append(quoted: dialect.name) } else { line.append("null") }
        line.append(",\"alternatives\":[")
        isFirst = true
        for dialect in packet.alternatives {
            if !isFirst { line.append(byte: UInt8(ascii: ",")) }
            isFirst = false
            line.append(quoted: dialect.name)
        }
        line.append("],\"message\":")
        line.append(quoted: packet.message)
        line.append(",\"node\":")
        if let node = packet.node { line.append(node) } else { line.append("null") }
        line.append(",\"ring\":")
        if let ring = packet.ring {
            line.append(byte: UInt8(ascii: "\""))
            line.append(ring)
            line.append(byte: UInt8(ascii: "\""))
        } else {
            line.append("null")
        }
        line.append(",\"length\":")
        if packet.content.sourceEndpoint != nil { line.append(packet.content.length) } else { line.append("null") }
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
        guard !list.isEmpty else { return text.append("[]") }
        text.append("[")
        for index in 0..<list.count {
            if index > 0 { text.append(",") }
            text.append(quoted: list[index])
        }
        text.append("]")
    }
}
