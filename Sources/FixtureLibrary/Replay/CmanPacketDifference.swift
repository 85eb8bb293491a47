import CmanWire
import WireFormat

/// The first field in which two packets differ.
public struct CmanPacketDifference: Sendable, Hashable {
    /// The field, e.g. `cman.sequence`; `message` when the packets are of different kinds.
    public var field: String
    /// The value that the daemon sent.
    public var recorded: String
    /// The value that the engine sent.
    public var replayed: String

    /// A difference with all its values.
    public init(field: String, recorded: String, replayed: String) {
        self.field = field
        self.recorded = recorded
        self.replayed = replayed
    }

    /// Compares two packets, except for what is chance in a daemon (reference/cman-behaviour.md 2, 3, bug B9): bytes that it does not
    /// set (padding, what follows the NUL of a text), the value of NEWCLUSTER and whether the last one has an id already, and the
    /// flag MSG_DONTWAIT, which tells whether a message had to queue for a moment.
    static func first(recorded: [UInt8], replayed: [UInt8]) -> CmanPacketDifference? {
        all(recorded: recorded, replayed: replayed).first
    }

    /// All fields in which two packets differ, as far as they have the same fields.
    static func all(recorded: [UInt8], replayed: [UInt8]) -> [CmanPacketDifference] {
        let left = fields(of: recorded)
        let right = fields(of: replayed)
        var result: [CmanPacketDifference] = []
        for (one, other) in zip(left, right) where one != other {
            result.append(
                CmanPacketDifference(field: one.name, recorded: one.value, replayed: other.name == one.name ? other.value : other.name)
            )
        }
        if left.count != right.count {
            result.append(CmanPacketDifference(field: "length", recorded: "\(left.count) fields", replayed: "\(right.count) fields"))
        }
        return result
    }

    private struct Field: Equatable {
        var name: String
        var value: String
    }

    private struct Collector: FieldSink {
        let bytes: [UInt8]
        var fields: [Field] = []
        private var path = ["cman"]
        private let isNewCluster: Bool

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            isNewCluster = bytes[0] == CmanPort.membership && bytes[CmanHeader.size] == CmanMessageKind.newCluster.command
        }

        mutating func field(_ name: StaticString, _ value: FieldValue, at range: ByteRange, _ format: FieldFormat) {
            if case .padding = format { return }
            var text: String
            switch value {
            case .unsigned(let number) where name.description == "flags":
                text = String(number & ~UInt64(CmanFlags.dontWait.rawValue))
            case .unsigned(let number): text = String(number)
            case .signed(let number): text = String(number)
            case .bytes(let range):
                var content = bytes[range.range]
                if case .text = format { content = content.prefix { $0 != 0 } }
                text = content.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            if isNewCluster, name.description == "value" || name.description == "source_id" { text = "any" }
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
            var packet = CmanPacket(shapeOf: buffer)
            var dissector = WireDissector(buffer, sink: Collector(bytes))
            let isReadable = (try? packet.visit(&dissector)) != nil
            return [Field(name: "message", value: isReadable ? packet.body.name.description : "unreadable")] + dissector.sink.fields
        }
    }
}
