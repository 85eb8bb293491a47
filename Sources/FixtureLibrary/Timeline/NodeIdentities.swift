import Dissection
import WireFormat

/// Which node sends from which address.
///
/// Packets say who sent them, but not all can be believed: openais 0.80 repeats tokens under the id of the one who sent them first, and a
/// retransmitted message names its author. JOIN and merge detect are always one's own.
struct NodeIdentities {
    private var votes: [IPAddress: [UInt32: Int]] = [:]
    private let known: [IPAddress: UInt32]

    /// What `nodes` says is true whatever packets say.
    init(_ nodes: [FixtureNode]) {
        var known: [IPAddress: UInt32] = [:]
        for node in nodes { for address in node.addresses.compactMap({ IPAddress($0) }) { known[address] = node.id } }
        self.known = known
    }

    /// Takes what a packet from `source` says of its sender.
    mutating func take(_ packet: Dissection, from source: IPAddress) {
        guard known[source] == nil, let node = packet.node, node != 0 else { return }
        let weight =
            switch packet.message.description {
            case "mcast": 0
            case "join", "merge-detect": 1 << 20
            default: 1
            }
        votes[source, default: [:]][node, default: 0] += weight
    }

    /// The node that sends from `address`.
    func node(at address: IPAddress) -> UInt32? {
        known[address] ?? votes[address]?.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    /// The addresses of each node.
    var addresses: [UInt32: Set<IPAddress>] {
        var result: [UInt32: Set<IPAddress>] = [:]
        for address in Set(known.keys).union(votes.keys) {
            if let node = node(at: address) { result[node, default: []].insert(address) }
        }
        return result
    }
}
