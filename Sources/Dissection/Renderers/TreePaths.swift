import WireFormat

/// The full names of the nodes of a tree, for renderers that do not nest. It is used again from packet to packet.
struct TreePaths {
    /// For every node the innermost node around it that has a name in the full name: protocol, structure or list; -1 for none.
    private(set) var parents: [Int] = []
    /// For every node the protocol that it belongs to, by the first node of that protocol in the tree; -1 for none.
    private(set) var protocols: [Int] = []
    /// A number for the full name: nodes of one name have the same.
    private(set) var names: [UInt64] = []
    private var scopes: [(node: Int, isNamed: Bool)] = []
    private var protocolNodes: [Int] = []

    mutating func take(_ tree: FieldTree) {
        parents.removeAll(keepingCapacity: true)
        protocols.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        scopes.removeAll(keepingCapacity: true)
        protocolNodes.removeAll(keepingCapacity: true)
        var parent = -1
        var currentProtocol = -1
        for (index, node) in tree.nodes.enumerated() {
            if case .end = node.kind {
                scopes.removeLast(scopes.isEmpty ? 0 : 1)
                parent = scopes.last?.node ?? -1
                currentProtocol = parent < 0 ? -1 : protocols[parent]
            }
            parents.append(parent)
            switch node.kind {
            case .protocol:
                currentProtocol = protocolNodes.first { tree.nodes[$0].name.isEqual(to: node.name) } ?? index
                if currentProtocol == index { protocolNodes.append(index) }
                protocols.append(currentProtocol)
                names.append(Self.hash(node.name, in: 0))
                // A protocol begins a name anew, also where it lies inside another.
                parents[index] = -1
                open(index, isNamed: true, &parent)
            case .begin(.element):
                protocols.append(currentProtocol)
                names.append(parent < 0 ? 0 : names[parent])
                open(index, isNamed: false, &parent)
            case .begin(.structure), .begin(.list):
                protocols.append(currentProtocol)
                names.append(Self.hash(node.name, in: parent < 0 ? 0 : names[parent]))
                open(index, isNamed: true, &parent)
            case .field:
                // An item of a list of plain values has the list's own name.
                if parent >= 0, scopes.last?.isNamed == true, case .begin(.list) = tree.nodes[parent].kind,
                    tree.nodes[parent].name.isEqual(to: node.name)
                {
                    parents[index] = parents[parent]
                    names.append(names[parent])
                } else {
                    names.append(Self.hash(node.name, in: parent < 0 ? 0 : names[parent]))
                }
                protocols.append(currentProtocol)
            case .end:
                protocols.append(currentProtocol)
                names.append(0)
            }
        }
    }

    private mutating func open(_ index: Int, isNamed: Bool, _ parent: inout Int) {
        if isNamed { parent = index }
        scopes.append((parent, isNamed))
    }

    /// FNV-1a over the name, from that of what is around it. Names come from the layouts, so that nobody can choose two that collide.
    private static func hash(_ name: StaticString, in outer: UInt64) -> UInt64 {
        var hash = outer ^ 0xCBF2_9CE4_8422_2325
        for index in 0..<name.utf8CodeUnitCount { hash = (hash ^ UInt64(name.utf8Start[index])) &* 0x100_0000_01B3 }
        return (hash ^ 0x2E) &* 0x100_0000_01B3
    }

    /// Appends the full name of the node at `index`, with `separator` between its parts.
    func append(nameOf index: Int, in tree: FieldTree, separator: StaticString, to text: inout TextBuffer) {
        if parents[index] >= 0 {
            append(nameOf: parents[index], in: tree, separator: separator, to: &text)
            text.append(separator)
        }
        text.append(part: tree.nodes[index].name, separator: separator)
    }
}

extension TextBuffer {
    /// A part of a full name. Some layouts have names with dots: they are taken for structures.
    fileprivate mutating func append(part name: StaticString, separator: StaticString) {
        for index in 0..<name.utf8CodeUnitCount {
            let byte = name.utf8Start[index]
            if byte == UInt8(ascii: ".") { append(separator) } else { append(byte: byte) }
        }
    }
}
