import TotemWire
import WireFormat

/// The first field in which two packets differ.
public struct TotemPacketDifference: Sendable, Hashable {
    /// The field's name, e.g. `totem.token_seq`; `message` when the packets are of different kinds.
    public var field: String
    /// The value that the daemon sent.
    public var recorded: String
    /// The value that the engine sent.
    public var replayed: String

    /// Compares two packets of corosync 3. `target_nodeid` is left out: over udp and udpu the daemons send what the memory held
    /// (reference/totem-wire.md 3).
    static func first(recorded: [UInt8], replayed: [UInt8]) -> TotemPacketDifference? {
        let left = fields(of: recorded)
        let right = fields(of: replayed)
        for (one, other) in zip(left, right) where one != other {
            return TotemPacketDifference(field: one.name, recorded: one.value, replayed: other.name == one.name ? other.value : other.name)
        }
        guard left.count != right.count else { return nil }
        let longer = left.count > right.count ? left : right
        let name = longer[min(left.count, right.count)].name
        return TotemPacketDifference(field: name, recorded: "\(left.count) fields", replayed: "\(right.count) fields")
    }

    private struct Field: Equatable {
        var name: String
        var value: String
    }

    private struct Collector: FieldSink {
        let bytes: [UInt8]
        var fields: [Field] = []
        private var path = ["totem"]

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
            guard name.description != "target_nodeid" else { return }
            let text =
                switch value {
                case .unsigned(let number): String(number)
                case .signed(let number): String(number)
                case .bytes(let range): bytes[range.range].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                }
            fields.append(Field(name: (path + [name.description]).joined(separator: "."), value: text))
        }

        mutating func beginGroup(_ name: StaticString, _ kind: FieldGroup, at offset: Int) {
            switch kind {
            case .structure, .list: path.append(name.description)
            case .element(let index): path.append(String(index))
            }
        }

        mutating func endGroup(at offset: Int) { path.removeLast() }
    }

    private static func fields(of bytes: [UInt8]) -> [Field] {
        bytes.withUnsafeBytes { buffer in
            guard let (kind, byteOrder) = try? TotemPacket<Corosync3>.identify(buffer) else {
                return [Field(name: "message", value: "unreadable")]
            }
            var dissector = WireDissector(buffer, byteOrder: byteOrder, sink: Collector(bytes))
            var message = TotemMessage<Corosync3>(kind)
            let isReadable = (try? message.visit(&dissector)) != nil
            return [Field(name: "message", value: isReadable ? kind.name.description : "unreadable")] + dissector.sink.fields
        }
    }
}
