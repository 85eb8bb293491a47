import WireFormat

/// The catalogue as a listing.
public struct FieldList {
    private struct Line {
        var name: String
        var type: String
        var isRepeated: Bool
        var dialects: [String]
        var messages: [String]
        var description: String
    }

    private let lines: [Line]

    /// A listing of `catalogue`: keys, fields, messages.
    public init(_ catalogue: FieldCatalogue) {
        var lines = PacketKey.allCases.map { key in
            Line(
                name: key.rawValue,
                type: key.kind == .unsigned ? "number" : key.kind.rawValue,
                isRepeated: key.isRepeated,
                dialects: [],
                messages: [],
                description: key.description
            )
        }
        // The headers have some of the keys as fields: what a name stands for is the key.
        for field in catalogue.fields where PacketKey(rawValue: field.name) == nil {
            lines.append(
                Line(
                    name: field.name,
                    type: field.typeName,
                    isRepeated: field.isRepeated,
                    dialects: field.dialects.map(\.name.description),
                    messages: field.messages,
                    description: field.description
                )
            )
        }
        var listed: Set<String> = []
        for message in catalogue.messages
        where listed.insert(message.qualifiedName).inserted && catalogue.field(message.qualifiedName) == nil
            && catalogue.group(message.qualifiedName) == nil
        {
            lines.append(
                Line(
                    name: message.qualifiedName,
                    type: "message",
                    isRepeated: message.isCarried,
                    dialects: message.dialects.map(\.name.description),
                    messages: [],
                    description: message.isCarried ? "the packet completes such a message" : "the packet is such a message"
                )
            )
        }
        self.lines = lines
    }

    /// Appends one line a field, with tabs between name, type, dialects and description; or one JSON array.
    public func append(to text: inout TextBuffer, asJSON: Bool) {
        if asJSON { text.append("[") }
        for (index, line) in lines.enumerated() {
            if asJSON {
                text.append(index == 0 ? "\n" : ",\n")
                append(json: line, to: &text)
            } else {
                text.append(
                    "\(line.name)\t\(line.type)\(line.isRepeated ? " repeated" : "")\t\(line.dialects.joined(separator: ","))\t\(line.description)\n"
                )
            }
        }
        if asJSON { text.append("\n]\n") }
    }

    private func append(json line: Line, to text: inout TextBuffer) {
        text.append("{\"name\":")
        text.append(quoted: line.name.utf8)
        text.append(",\"type\":")
        text.append(quoted: line.type.utf8)
        text.append(line.isRepeated ? ",\"repeated\":true,\"dialects\":" : ",\"repeated\":false,\"dialects\":")
        text.append(quoted: line.dialects)
        text.append(",\"messages\":")
        text.append(quoted: line.messages)
        text.append(",\"description\":")
        text.append(quoted: line.description.utf8)
        text.append("}")
    }
}

extension FieldCatalogue.Field {
    /// Its type for people: what it is on the wire, or what its bytes hold.
    var typeName: String {
        var names: [String] = []
        for variant in variants {
            let name: String =
                switch variant.format {
                case .ipAddress: ValueKind.address.rawValue
                case .text: ValueKind.text.rawValue
                default: variant.type
                }
            if !names.contains(name) { names.append(name) }
        }
        return names.joined(separator: "|")
    }
}

extension TextBuffer {
    /// A JSON array of texts.
    mutating func append(quoted texts: [String]) {
        append("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { append(",") }
            append(quoted: text.utf8)
        }
        append("]")
    }
}
