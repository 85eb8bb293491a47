import TotemWire

/// The first field in which two packets differ.
public struct TotemPacketDifference: Sendable, Hashable {
    /// The field's name, e.g. `totem.token_seq`; `message` when the packets are of different kinds.
    public var field: String
    /// The value that the daemon sent.
    public var recorded: String
    /// The value that the engine sent.
    public var replayed: String

    /// The beginnings of the messages that a daemon and its replay have not finished.
    struct OpenMessages {
        var recorded: [UInt8] = []
        var replayed: [UInt8] = []
    }

    /// Compares two packets of a dialect, field by field; messages are compared in the packet in which they end.
    static func first<Dialect: TotemDialect>(
        _ dialect: Dialect.Type,
        recorded: [UInt8],
        replayed: [UInt8],
        continuing open: inout OpenMessages
    ) -> TotemPacketDifference? {
        let left = TotemFields<Dialect>(of: recorded, continuing: &open.recorded).fields
        let right = TotemFields<Dialect>(of: replayed, continuing: &open.replayed).fields
        for (one, other) in zip(left, right) where one != other {
            return TotemPacketDifference(field: one.name, recorded: one.value, replayed: other.name == one.name ? other.value : other.name)
        }
        guard left.count != right.count else { return nil }
        let longer = left.count > right.count ? left : right
        let name = longer[min(left.count, right.count)].name
        return TotemPacketDifference(field: name, recorded: "\(left.count) fields", replayed: "\(right.count) fields")
    }
}
