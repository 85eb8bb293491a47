/// An ordered set of node ids. Order matters on the wire only: lists are compared as sets, and grow at the end
/// (memb_set_* totemsrp.c:1184-1420@ma).
struct NodeList: Sendable, Hashable {
    /// The ids, in the order in which they came.
    private(set) var nodes: [UInt32] = []

    init(_ nodes: [UInt32] = []) {
        merge(nodes)
    }

    var isEmpty: Bool { nodes.isEmpty }

    var count: Int { nodes.count }

    func contains(_ node: UInt32) -> Bool { nodes.contains(node) }

    mutating func insert(_ node: UInt32) {
        if !nodes.contains(node) { nodes.append(node) }
    }

    mutating func merge(_ others: [UInt32]) {
        for node in others { insert(node) }
    }

    mutating func merge(_ others: NodeList) {
        merge(others.nodes)
    }

    func subtracting(_ others: NodeList) -> NodeList {
        var result = NodeList()
        for node in nodes where !others.contains(node) { result.nodes.append(node) }
        return result
    }

    func isSubset(of others: NodeList) -> Bool {
        nodes.allSatisfy { others.contains($0) }
    }

    /// Whether both hold the same ids in any order.
    func isSameSet(as others: NodeList) -> Bool {
        count == others.count && isSubset(of: others)
    }
}
