import TotemSecurity
import WireFormat

/// All fields of a packet, one a line, indented, each with its place in the datagram (or, for a carried message, in the message).
public struct TreeRenderer {
    /// A renderer.
    public init() {}

    /// Appends the packet's line, its fields, and an empty line to `text`.
    public func append(_ packet: Dissection, to text: inout TextBuffer) {
        TextRenderer().append(packet, to: &text)
        append(packet.recognition, packet.envelope, to: &text)
        append(packet.tree, nodes: 0..<packet.ownNodes, indent: 1, to: &text)
        for carried in packet.carries {
            text.append("    carries ")
            text.append(carried, in: packet.tree)
            text.append(" (sender ")
            text.append(carried.sender)
            text.append(")\n")
            append(packet.tree, nodes: carried.nodes, indent: 2, to: &text)
        }
        text.append("\n")
    }

    /// Why the packet is what it is, and how it was protected.
    private func append(_ recognition: Recognition?, _ envelope: TotemEnvelope?, to text: inout TextBuffer) {
        guard let recognition else { return }
        text.append("    recognised by: ")
        text.append(recognition.form)
        if let choice = recognition.choice {
            text.append("; ")
            text.append(choice)
        }
        if let envelope {
            text.append("; ")
            text.append(envelope.scheme.description)
            if let keyName = envelope.keyName {
                text.append(", key ")
                text.append(keyName)
            }
        }
        text.append("\n")
    }

    private func append(_ tree: FieldTree, nodes: Range<Int>, indent: Int, to text: inout TextBuffer) {
        var depth = indent
        var index = nodes.lowerBound
        while index < nodes.upperBound {
            let node = tree.nodes[index]
            if case .end = node.kind {
                depth -= 1
                index += 1
                continue
            }
            for _ in 0..<depth { text.append("    ") }
            text.append(node.name)
            switch node.kind {
            case .end: break
            case .protocol:
                depth += 1
                appendOrigin(of: tree.runs[tree.runIndex(ofNode: index)], to: &text)
            case .begin(.list(let count)):
                depth += 1
                if let end = plainListEnd(tree, from: index, in: nodes) {
                    appendPlainList(tree, index + 1..<end, to: &text)
                    index = end
                    depth -= 1
                } else {
                    if let count {
                        text.append(": ")
                        text.append(count)
                    }
                }
            case .begin(.structure): depth += 1
            case .begin(.element(let number)):
                text.append("[")
                text.append(number)
                text.append("]")
                depth += 1
            case .field(let value):
                text.append(": ")
                if node.isTakenApart {
                    text.append(node.range.count)
                    text.append(" bytes")
                } else {
                    text.append(described: value, tree.format(ofNode: index), tree, index)
                }
                append(node.range, to: &text)
            }
            text.append("\n")
            index += 1
        }
    }

    /// Says of bytes that the datagram does not hold as they are what they are: places count in them.
    private func appendOrigin(of run: ByteRun, to text: inout TextBuffer) {
        switch run.origin {
        case .decrypted: text.append("  (decrypted, ")
        case .decompressed: text.append("  (decompressed, ")
        case .reassembled: text.append("  (reassembled, ")
        case .frame, .datagram, .part: return
        }
        text.append(run.range.count)
        text.append(" bytes)")
    }

    /// Where the list that begins at `start` ends, when it holds nothing but numbers.
    private func plainListEnd(_ tree: FieldTree, from start: Int, in nodes: Range<Int>) -> Int? {
        for index in start + 1..<nodes.upperBound {
            switch tree.nodes[index].kind {
            case .field: continue
            case .end: return index
            case .begin, .protocol: return nil
            }
        }
        return nil
    }

    /// The numbers of a list on one line; equal numbers at its end are counted.
    private func appendPlainList(_ tree: FieldTree, _ nodes: Range<Int>, to text: inout TextBuffer) {
        func number(_ index: Int) -> Int64 {
            switch tree.nodes[index].kind {
            case .field(.unsigned(let number)): Int64(bitPattern: number)
            case .field(.signed(let number)): number
            default: 0
            }
        }
        text.append(": {")
        var end = nodes.upperBound
        while end - nodes.lowerBound > 1, number(end - 1) == number(nodes.upperBound - 1) { end -= 1 }
        let repeats = nodes.upperBound - end
        if repeats < 4 { end = nodes.upperBound }
        for index in nodes.lowerBound..<end {
            if index > nodes.lowerBound { text.append(",") }
            text.append(number(index))
        }
        if end < nodes.upperBound {
            text.append(end > nodes.lowerBound ? "," : "")
            text.append(number(end))
            text.append(" ×")
            text.append(repeats)
        }
        text.append("}")
        if let first = nodes.first, let last = nodes.last {
            let start = tree.nodes[first].range.start
            append(ByteRange(start: start, count: tree.nodes[last].range.end - start), to: &text)
        }
    }

    private func append(_ range: ByteRange, to text: inout TextBuffer) {
        text.append("  [")
        text.append(range.start)
        if range.count != 1 {
            text.append("..<")
            text.append(range.end)
        }
        text.append("]")
    }
}

extension TextBuffer {
    /// A value with what it means, for people.
    mutating func append(described value: FieldValue, _ format: FieldFormat, _ tree: FieldTree, _ index: Int) {
        switch value {
        case .unsigned(let number):
            append(number)
            switch format {
            case .labelled, .flags, .hexadecimal, .ipAddress:
                append(" (")
                append(meaningOf: number, format)
                append(")")
            case .padding: append(" (not set)")
            case .decimal, .text, .hardwareAddress: break
            }
        case .signed(let number):
            append(number)
            if case .labelled = format {
                append(" (")
                append(meaningOf: UInt64(bitPattern: number), format)
                append(")")
            }
        case .bytes(let range):
            tree.withBytes(ofNode: index) { bytes in
                append(UnsafeRawBufferPointer(rebasing: bytes[range.range]), format, limit: 64)
            }
        }
    }

    /// Bytes as the format wants them; no more than `limit` in hexadecimal.
    mutating func append(_ run: UnsafeRawBufferPointer, _ format: FieldFormat, limit: Int = .max) {
        switch format {
        case .text: append(foreign: UnsafeRawBufferPointer(rebasing: run.prefix { $0 != 0 }))
        case .ipAddress:
            if let address = IPAddress(networkBytes: run) { append(address) } else { append(hexadecimal: run) }
        case .hardwareAddress:
            for (index, byte) in run.enumerated() {
                if index > 0 { append(":") }
                append(hexadecimalByte: byte)
            }
        case .decimal, .hexadecimal, .labelled, .flags, .padding:
            append(hexadecimal: UnsafeRawBufferPointer(rebasing: run.prefix(limit)))
            if run.count > limit {
                append("... ")
                append(run.count)
                append(" bytes")
            }
        }
    }
}
