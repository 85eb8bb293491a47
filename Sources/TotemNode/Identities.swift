import TotemWire
import WireFormat

/// The configured processors: how messages name each of them, and in which order the token passes them.
///
/// Inside the engine a processor is its node id. On the wire it is what its dialect says, and in lists a daemon repeats what it heard byte
/// for byte, garbage included (reference/totem-wire.md 3); so does this.
struct Identities<Dialect: TotemDialect>: Sendable {
    private struct Entry: Sendable {
        var node: UInt32
        var identity: TotemIdentity
        var address: Dialect.Address
    }

    /// In the order in which a token passes them.
    private var entries: [Entry]

    /// The processors of `configuration`.
    init(_ configuration: TotemConfiguration) {
        entries = configuration.nodes.map { node in
            let address = Dialect.Address(nodeID: node, at: configuration.addresses[node] ?? [])
            return Entry(node: node, identity: address.identity, address: address)
        }
        entries.sort { TotemIdentity.precedes($0.identity, $1.identity) }
    }

    /// Which processor `address` names; nil when none is configured there.
    func node(of address: Dialect.Address) -> UInt32? {
        let identity = address.identity
        for entry in entries where entry.identity == identity { return entry.node }
        return nil
    }

    /// Whether node `node` is configured.
    func contains(_ node: UInt32) -> Bool {
        for entry in entries where entry.node == node { return true }
        return false
    }

    /// How messages name node `node`, which is configured.
    subscript(node: UInt32) -> Dialect.Address {
        for entry in entries where entry.node == node { return entry.address }
        return Dialect.Address(nodeID: node, at: [])
    }

    /// A processor has named itself `address`: that is how it is named from now on.
    mutating func remember(_ address: Dialect.Address) {
        for index in entries.indices where entries[index].identity == address.identity && entries[index].node == address.nodeID {
            entries[index].address = address
        }
    }

    /// The nodes of `list`, all of them configured, in the order in which a token passes them.
    func ordered(_ list: NodeList) -> [UInt32] {
        entries.compactMap { list.contains($0.node) ? $0.node : nil }
    }

    /// The first of `list` in that order: the one that makes the commit token (lowest, reference/totem-engine.md 2).
    func first(of list: NodeList) -> UInt32? {
        for entry in entries where list.contains(entry.node) { return entry.node }
        return nil
    }

    /// The nodes that `addresses` name; nil when one of them is not configured.
    func nodes(of addresses: [Dialect.Address]) -> NodeList? {
        var list = NodeList()
        for address in addresses {
            guard let node = node(of: address) else { return nil }
            list.insert(node)
        }
        return list
    }

    /// `list` as messages write it.
    func addresses(of list: NodeList) -> [Dialect.Address] { list.nodes.map { self[$0] } }
}
