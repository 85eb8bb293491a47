/// Messages that packets complete above the outer protocol, by name and sender (`-z carried`).
public struct CarriedStatistics: PacketStatistics {
    private struct Key: CountingKey {
        var message: MessageKey
        var sender: UInt32

        var mixedBits: UInt64 { message.mixedBits ^ UInt64(sender) << 16 }
    }

    private var table = BoundedTable<Key, Int>(limit: 65_536)

    /// Counters at zero.
    public init() {}

    public var interest: Interest { [.message, .carried] }

    public mutating func count(_ packet: Dissection) {
        for carried in packet.carries {
            table.update(Key(message: MessageKey(carried: carried.message), sender: carried.sender), empty: 0, for: packet) { $0 += 1 }
        }
    }

    public func append(to text: inout TextBuffer) {
        var lines = TextTable(["message", "sender", "messages"], numbers: [1, 2])
        let order = table.keys.indices.sorted {
            (table.keys[$0].message.name, table.keys[$0].sender) < (table.keys[$1].message.name, table.keys[$1].sender)
        }
        for place in order {
            lines.add([table.keys[place].message.name, "\(table.keys[place].sender)", "\(table.values[place])"])
        }
        text.append("Carried messages\n")
        lines.append(to: &text)
        text.append(refused: table.refused)
    }
}
