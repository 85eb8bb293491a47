/// Packets and bytes by dialect and message (`-z types`).
public struct TypeStatistics: PacketStatistics {
    private var table = BoundedTable<MessageKey, PacketCount>(limit: 1024)
    private var total = PacketCount()

    /// Counters at zero.
    public init() {}

    public var interest: Interest { [.message] }

    public mutating func count(_ packet: Dissection) {
        total.add(packet)
        table.update(MessageKey(packet), empty: PacketCount(), for: packet) { $0.add(packet) }
    }

    public func append(to text: inout TextBuffer) {
        var lines = TextTable(["dialect", "message", "packets", "bytes"], numbers: [2, 3])
        for place in table.keys.indices.sorted(by: { MessageKey.precedes(table.keys[$0], table.keys[$1]) }) {
            let (key, count) = (table.keys[place], table.values[place])
            lines.add([key.dialect?.name.description ?? "-", key.message.description, "\(count.packets)", "\(count.bytes)"])
        }
        lines.add(["total", "", "\(total.packets)", "\(total.bytes)"])
        text.append("Packets by type\n")
        lines.append(to: &text)
        text.append(refused: table.refused)
    }
}
