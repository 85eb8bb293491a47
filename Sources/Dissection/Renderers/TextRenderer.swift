import Captures
import WireFormat

/// One line a packet.
public struct TextRenderer {
    /// A renderer.
    public init() {}

    /// Appends a line for `packet` to `text`: frame, time since the first frame, source and destination, dialect, message and detail,
    /// and the file where there are several.
    public func append(_ packet: Dissection, to text: inout TextBuffer) {
        // Sizes: frame, time, two addresses, dialect and message, and what stands between them.
        let limits = TextWriter.Limit.self
        if let source = packet.content.sourceEndpoint, let destination = packet.content.destinationEndpoint {
            text.write(atMost: limits.number + limits.seconds + 2 * EndpointNames.room + limits.name + 32) { line in
                appendPlace(of: packet, to: &line)
                packet.endpointNames.append(source, to: &line)
                line.append(" → ")
                packet.endpointNames.append(destination, to: &line)
                appendMessage(of: packet, to: &line)
            }
        } else {
            text.write(atMost: limits.number + limits.seconds + 32) { appendPlace(of: packet, to: &$0) }
            text.append(packet.content)
            text.write(atMost: limits.name + 32) { appendMessage(of: packet, to: &$0) }
        }
        text.append(contentsOf: packet.detail)
        if packet.hasRemarks {
            append(packet.problems, marked: "  !! ", to: &text)
            append(packet.notes, marked: "  [", closed: "]", to: &text)
        }
        if var file = packet.fileName {
            text.append("  <")
            file.withUTF8 { text.append(foreign: UnsafeRawBufferPointer($0)) }
            text.append(">")
        }
        text.append("\n")
    }

    /// Frame and time since the first frame.
    @inline(__always)
    private func appendPlace(of packet: Dissection, to line: inout TextWriter) {
        let start = line.place
        line.append(packet.frame)
        while line.place - start < 6 { line.append(byte: UInt8(ascii: " ")) }
        line.append(byte: UInt8(ascii: " "))
        line.append(seconds: packet.relativeTime)
        line.append("  ")
    }

    /// Dialect and message.
    @inline(__always)
    private func appendMessage(of packet: Dissection, to line: inout TextWriter) {
        line.append("  ")
        if let dialect = packet.dialect { line.append(name: dialect.name) } else { line.append("-") }
        line.append("  ")
        line.append(name: packet.message)
        if packet.detail.count > 0 { line.append("  ") }
    }

    private func append(_ list: TextList, marked mark: StaticString, closed end: StaticString = "", to text: inout TextBuffer) {
        for index in 0..<list.count {
            text.append(mark)
            text.append(bytes: list[index])
            text.append(end)
        }
    }
}

extension TextBuffer {
    /// Source and destination as far as there are any.
    mutating func append(_ content: Decapsulation) {
        append(source: content)
        append(" → ")
        append(destination: content)
    }

    mutating func append(source content: Decapsulation) {
        if let endpoint = content.sourceEndpoint {
            append(endpoint)
        } else if let address = content.source {
            append(address)
        } else {
            append("?")
        }
    }

    mutating func append(destination content: Decapsulation) {
        if let endpoint = content.destinationEndpoint {
            append(endpoint)
        } else if let address = content.destination {
            append(address)
        } else {
            append("?")
        }
    }
}
