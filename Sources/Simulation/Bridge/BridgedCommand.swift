/// What the workload tells the nodes of a bridged cluster to do. Nodes are numbered from 0.
public enum BridgedCommand: Sendable, Hashable, CustomStringConvertible {
    /// A node sends its next message of so many bytes to another, or to all.
    case send(node: Int, to: Int?, length: Int)
    /// A node leaves its side in order and comes back on the other one: a step of the upgrade, or back.
    case move(node: Int)

    public var description: String {
        switch self {
        case .send(let node, let target, let length): "node \(node) sends \(length) bytes to \(target.map { "node \($0)" } ?? "all")"
        case .move(let node): "node \(node) moves to the other side"
        }
    }
}
