import Dissection
import WireFormat

/// The fields of one protocol's message in a dissection, by their names without the protocol: `group_name.value`.
struct PacketFields {
    private let tree: FieldTree
    private let nodes: Range<Int>
    private var places: [String: Int] = [:]

    /// The fields of `nodes`; of several with one name the first counts. What is inside lists has no name of its own.
    init(_ tree: FieldTree, nodes: Range<Int>) {
        self.tree = tree
        self.nodes = nodes
        var path: [String] = []
        var opened: [Int] = []
        var listDepth = 0
        for index in nodes {
            let node = tree.nodes[index]
            switch node.kind {
            case .protocol: opened.append(path.count)
            case .begin(.structure):
                opened.append(path.count)
                path.append(node.name.description)
            case .begin:
                opened.append(-1)
                listDepth += 1
            case .end:
                switch opened.popLast() {
                case .some(-1): listDepth -= 1
                case .some(let count): path.removeLast(max(0, path.count - count))
                case nil: break
                }
            case .field:
                guard listDepth == 0 else { continue }
                let name = (path + [node.name.description]).joined(separator: ".")
                if places[name] == nil { places[name] = index }
            }
        }
    }

    /// The number in the field `name`.
    func number(_ name: String) -> UInt64? {
        guard let index = places[name], case .field(let value) = tree.nodes[index].kind else { return nil }
        return switch value {
        case .unsigned(let number): number
        case .signed(let number): UInt64(bitPattern: number)
        case .bytes: nil
        }
    }

    /// The number in the field `name` as a node id or the like.
    func word(_ name: String) -> UInt32? { number(name).map { UInt32(truncatingIfNeeded: $0) } }

    /// The bytes of the field `name`.
    func bytes(_ name: String) -> [UInt8]? {
        guard let index = places[name], case .field(.bytes(let range)) = tree.nodes[index].kind else { return nil }
        return tree.withBytes(ofNode: index) { Array($0[range.range]) }
    }

    /// The text of the field `name`, up to its first NUL.
    func text(_ name: String) -> String? {
        bytes(name).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The bytes of the first field called `name`, also inside lists.
    func firstBytes(named name: String) -> [UInt8]? {
        for index in nodes where tree.nodes[index].name.description == name {
            guard case .field(.bytes(let range)) = tree.nodes[index].kind else { continue }
            return tree.withBytes(ofNode: index) { Array($0[range.range]) }
        }
        return nil
    }
}
