import WireFormat

/// Writes a run of a field tree as a JSON object.
///
/// Keys are `<protocol>.<field>`, with the names of structures in between; a list is an array, of objects where its elements are
/// structures, and inside those objects names begin with the element's own fields. Bytes that are shown taken apart are left out.
struct JSONFieldWriter {
    private enum Scope {
        /// A protocol or structure: only a part of the names inside.
        case name
        case object
        case array
    }

    private struct Opened {
        var scope: Scope
        /// What to go back to at its end.
        var pathCount: Int
        var pathStart: Int
    }

    /// Names of the protocol and structures around the next field, each with its dot; those before `pathStart` belong to objects further
    /// out.
    private var path = TextBuffer()
    private var pathStart = 0
    private var opened: [Opened] = []
    private var needsComma = false

    mutating func append(_ tree: FieldTree, nodes: Range<Int>, to text: inout TextBuffer) {
        path.removeAll()
        pathStart = 0
        opened.removeAll(keepingCapacity: true)
        needsComma = false
        text.append("{")
        var index = nodes.lowerBound
        while index < nodes.upperBound {
            let name = tree.nodes[index].name
            switch tree.nodes[index].kind {
            case .protocol, .begin(.structure):
                open(.name)
                path.append(name)
                path.append(byte: UInt8(ascii: "."))
            case .begin(.list):
                beginMember(name, to: &text)
                text.append("[")
                open(.array)
                needsComma = false
            case .begin(.element):
                if needsComma { text.append(",") }
                text.append("{")
                open(.object)
                needsComma = false
            case .end: close(to: &text)
            case .field(let value):
                if tree.nodes[index].isTakenApart { break }
                let last = lastOfSameName(tree, from: index, in: nodes)
                beginMember(name, to: &text)
                if last > index {
                    text.append("[")
                    for repeated in index...last {
                        if repeated > index { text.append(",") }
                        if case .field(let value) = tree.nodes[repeated].kind {
                            append(value, tree.format(ofNode: repeated), tree, repeated, to: &text)
                        }
                    }
                    text.append("]")
                    index = last
                } else {
                    append(value, tree.format(ofNode: index), tree, index, to: &text)
                }
                needsComma = true
            }
            index += 1
        }
        text.append("}")
    }

    /// Fields of one name in a row are one member, so that keys stay unique; inside an array every one stands for itself.
    private func lastOfSameName(_ tree: FieldTree, from start: Int, in nodes: Range<Int>) -> Int {
        guard opened.last?.scope != .array else { return start }
        var last = start
        while last + 1 < nodes.upperBound, case .field = tree.nodes[last + 1].kind,
            tree.nodes[last + 1].name.isEqual(to: tree.nodes[start].name)
        {
            last += 1
        }
        return last
    }

    private mutating func open(_ scope: Scope) {
        opened.append(Opened(scope: scope, pathCount: path.count, pathStart: pathStart))
        if scope != .name { pathStart = path.count }
    }

    private mutating func close(to text: inout TextBuffer) {
        guard let scope = opened.popLast() else { return }
        path.truncate(to: scope.pathCount)
        pathStart = scope.pathStart
        switch scope.scope {
        case .name: return
        case .object: text.append("}")
        case .array: text.append("]")
        }
        needsComma = true
    }

    /// The comma and the key of the next value.
    private func beginMember(_ name: StaticString, to text: inout TextBuffer) {
        if needsComma { text.append(byte: UInt8(ascii: ",")) }
        if opened.last?.scope == .array { return }
        text.append(key: path, from: pathStart, name)
    }

    private func append(_ value: FieldValue, _ format: FieldFormat, _ tree: FieldTree, _ index: Int, to text: inout TextBuffer) {
        switch value {
        case .unsigned(let number): text.append(number)
        case .signed(let number): text.append(number)
        case .bytes(let range):
            tree.withBytes(ofNode: index) { bytes in
                let run = UnsafeRawBufferPointer(rebasing: bytes[range.range])
                if case .text = format {
                    text.append(quotedForeign: UnsafeRawBufferPointer(rebasing: run.prefix { $0 != 0 }))
                } else {
                    text.append("\"")
                    text.append(run, format)
                    text.append("\"")
                }
            }
        }
    }
}
