/// Packets and bytes by the node that says it sent them, and by its messages (`-z nodes`). Packets without a node id are not counted.
public struct NodeStatistics: PacketStatistics {
    private struct Key: CountingKey {
        var node: UInt32
        var message: MessageKey

        var mixedBits: UInt64 { message.mixedBits ^ UInt64(node) << 16 }
    }

    private var table = BoundedTable<Key, PacketCount>(limit: 65_536)

    /// Counters at zero.
    public init() {}

    public var interest: Interest { [.message, .origin] }

    public mutating func count(_ packet: Dissection) {
        guard let node = packet.node else { return }
        table.update(Key(node: node, message: MessageKey(packet)), empty: PacketCount(), for: packet) { $0.add(packet) }
    }

    public func append(to text: inout TextBuffer) {
        var lines = TextTable(["node", "dialect", "message", "packets", "bytes"], numbers: [0, 3, 4])
        for (node, places) in Dictionary(grouping: table.keys.indices, by: { table.keys[$0].node }).sorted(by: { $0.key < $1.key }) {
            let sum = places.reduce(PacketCount()) { $0 + table.values[$1] }
            lines.add(["\(node)", "all", "", "\(sum.packets)", "\(sum.bytes)"])
            for place in places.sorted(by: { MessageKey.precedes(table.keys[$0].message, table.keys[$1].message) }) {
                let (key, count) = (table.keys[place].message, table.values[place])
                lines.add([
                    "\(node)", key.dialect?.name.description ?? "-", key.message.description, "\(count.packets)", "\(count.bytes)",
                ])
            }
        }
        text.append("Packets by node\n")
        lines.append(to: &text)
        text.append(refused: table.refused)
    }
}
