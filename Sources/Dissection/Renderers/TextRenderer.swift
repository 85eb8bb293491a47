import Captures
import WireFormat

/// One line a packet.
public struct TextRenderer {
    /// A renderer.
    public init() {}

    /// Appends a line for `packet` to `text`: frame, time since the first frame, source and destination, dialect, message and detail,
    /// and the file where there are several.
    public func append(_ packet: Dissection, to text: inout TextBuffer) {
        let start = text.count
        text.append(packet.frame)
        text.pad(to: 6, from: start)
        text.append(" ")
        text.append(seconds: packet.relativeTime)
        text.append("  ")
        text.append(packet.content)
        text.append("  ")
        if let dialect = packet.dialect { text.append(dialect.name) } else { text.append("-") }
        text.append("  ")
        text.append(packet.message)
        if packet.detail.count > 0 { text.append("  ") }
        text.append(bytes: packet.detail.bytes)
        append(packet.problems, marked: "  !! ", to: &text)
        append(packet.notes, marked: "  [", closed: "]", to: &text)
        if var file = packet.fileName {
            text.append("  <")
            file.withUTF8 { text.append(foreign: UnsafeRawBufferPointer($0)) }
            text.append(">")
        }
        text.append("\n")
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
