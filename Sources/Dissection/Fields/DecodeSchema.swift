import WireFormat

/// The JSON Schema (2020-12) of `-T ndjson`, version 1. Names and types of fields are the catalogue's.
public struct DecodeSchema {
    private let catalogue: FieldCatalogue

    /// What stands in an object: members by name, in order.
    private final class Node {
        var members: [(name: String, node: Node)] = []
        var kinds: Set<ValueKind> = []
        /// An array of values or of objects.
        var isList = false

        func member(_ name: String) -> Node {
            if let known = members.first(where: { $0.name == name }) { return known.node }
            let node = Node()
            members.append((name, node))
            return node
        }
    }

    /// The schema of what `catalogue` lists.
    public init(_ catalogue: FieldCatalogue) {
        self.catalogue = catalogue
    }

    /// Appends the schema, one field a line.
    public func append(to text: inout TextBuffer) {
        text.append(
            """
            {"$schema":"https://json-schema.org/draft/2020-12/schema",
            "title":"ringbridge decode -T ndjson, version 1",
            "type":"object",
            "required":["frame","time","source","destination","protocols","dialect","alternatives","message","node","ring","length","carries",\
            "fields","summary","problems","notes"],
            "properties":{
            "frame":{"type":"integer","minimum":1},
            "time":{"type":"number"},
            "file":{"type":"string"},
            "interface":{"type":"string"},
            "source":{"type":["string","null"]},
            "destination":{"type":["string","null"]},
            "protocols":{"type":"array","items":{"enum":
            """
        )
        text.append(quoted: catalogue.protocols.map(\.description))
        text.append("}},\n\"dialect\":{\"enum\":[null")
        for dialect in Dialect.allCases {
            text.append(",")
            text.append(quoted: dialect.name)
        }
        text.append("]},\n\"alternatives\":{\"type\":\"array\",\"items\":{\"enum\":")
        text.append(quoted: Dialect.allCases.map(\.name.description))
        text.append("}},\n\"message\":{\"enum\":")
        text.append(quoted: unique(catalogue.knownValues(of: .message) ?? []))
        text.append(
            """
            },
            "node":{"type":["integer","null"],"minimum":0},
            "ring":{"type":["string","null"],"pattern":"^[0-9]+\\\\.[0-9]+$"},
            "length":{"type":["integer","null"],"minimum":0},
            "carries":{"type":"array","items":{"type":"object","required":["message","sender","fields"],"additionalProperties":false,
            "properties":{"message":{"enum":
            """
        )
        text.append(quoted: unique(catalogue.knownValues(of: .carriedMessage) ?? []))
        text.append(
            """
            },"sender":{"type":"integer","minimum":0},"fields":{"$ref":"#/$defs/fields"}}}},
            "fields":{"$ref":"#/$defs/fields"},
            "summary":{"type":"string"},
            "problems":{"type":"array","items":{"type":"string"}},
            "notes":{"type":"array","items":{"type":"string"}}},
            "additionalProperties":false,
            "$defs":{"fields":
            """
        )
        append(object: tree(), to: &text)
        text.append("}}\n")
    }

    private func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The fields as the objects and arrays that hold them.
    private func tree() -> Node {
        let root = Node()
        let lists = Set(catalogue.groups.filter(\.isList).map(\.name))
        for field in catalogue.fields where !FieldCatalogue.isHeader(field.path[0]) {
            var node = root
            var name = ""
            var member = ""
            for (index, part) in field.path.enumerated() {
                name += (index == 0 ? "" : ".") + part.description
                member += (member.isEmpty ? "" : ".") + part.description
                if index < field.path.count - 1, lists.contains(name) {
                    node = node.member(member)
                    node.isList = true
                    member = ""
                }
            }
            let leaf = node.member(member)
            leaf.kinds.formUnion(field.kinds)
            // A list of plain values, and names of groups, of which a message can have several.
            leaf.isList = leaf.isList || field.types.contains { $0.hasSuffix("[]") } || field.name == "totempg.names"
        }
        return root
    }

    private func append(object node: Node, to text: inout TextBuffer) {
        text.append("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{")
        for (index, member) in node.members.enumerated() {
            text.append(index == 0 ? "\n" : ",\n")
            text.append(quoted: member.name.utf8)
            text.append(":")
            append(value: member.node, to: &text)
        }
        text.append("}}")
    }

    private func append(value node: Node, to text: inout TextBuffer) {
        let values = types(of: node)
        guard node.isList else { return append(types: values, to: &text) }
        // One name is written by itself; what is a list in one message can be a value in another.
        text.append("{\"type\":")
        text.append(quoted: ["array"] + values)
        text.append(",\"items\":")
        if node.members.isEmpty { append(types: values, to: &text) } else { append(object: node, to: &text) }
        text.append("}")
    }

    private func append(types: [String], to text: inout TextBuffer) {
        text.append("{\"type\":")
        text.append(quoted: types)
        text.append("}")
    }

    private func types(of node: Node) -> [String] {
        var types: [String] = []
        if node.kinds.contains(.unsigned) || node.kinds.contains(.signed) { types.append("integer") }
        if !node.kinds.isDisjoint(with: [.text, .bytes, .address]) { types.append("string") }
        return types
    }
}
