import WireFormat

/// Finds the nodes of a field tree that have a full name.
enum PathWalk {
    /// Hands every node called `path` to `body`: fields, or the beginnings of structures and lists, until `body` wants no more.
    static func forEachNode(_ path: [StaticString], in tree: FieldTree, _ body: (Int) -> Bool) {
        // How many of the scopes around the current node have names in the path of every node inside, and how many of these names are
        // the first ones of `path`.
        var depth = 0
        var matched = 0
        var scopes = ScopeStack()
        for (index, node) in tree.nodes.enumerated() {
            switch node.kind {
            case .end:
                if scopes.pop() {
                    depth -= 1
                    if matched > depth { matched = depth }
                }
            case .begin(.element): scopes.push(isNamed: false)
            case .protocol, .begin(.structure), .begin(.list):
                if depth == matched, depth < path.count, node.name.isEqual(to: path[depth]) {
                    matched += 1
                    if matched == path.count, !isListOfFields(tree, index), !body(index) { return }
                }
                depth += 1
                scopes.push(isNamed: true)
            case .field:
                // A list of plain values has fields of its own name.
                let isItem = matched == path.count && depth == matched && scopes.isInnermostNamed
                let isNamed = matched == path.count - 1 && depth == matched
                if isItem || isNamed, node.name.isEqual(to: path[path.count - 1]), !body(index) { return }
            }
        }
    }

    /// Whether the node at `index` begins a list of values that are no structures.
    private static func isListOfFields(_ tree: FieldTree, _ index: Int) -> Bool {
        guard case .begin(.list) = tree.nodes[index].kind, index + 1 < tree.nodes.count else { return false }
        if case .field = tree.nodes[index + 1].kind { return true }
        return false
    }
}

/// Which of the open scopes have a name of their own, innermost last. No layout is deeper than 64.
private struct ScopeStack {
    private var bits: UInt64 = 0

    mutating func push(isNamed: Bool) {
        bits = bits << 1 | (isNamed ? 1 : 0)
    }

    /// Whether the innermost scope has a name of its own.
    var isInnermostNamed: Bool { bits & 1 == 1 }

    mutating func pop() -> Bool {
        defer { bits >>= 1 }
        return bits & 1 == 1
    }
}
