import WireFormat

/// Everything that packets can be asked for by name: what they say of themselves (`PacketKey`), the fields of every message of every
/// dialect, as the layouts describe them, and the protocols and messages.
public struct FieldCatalogue: Sendable {
    /// A field of the protocols.
    public struct Field: Sendable {
        /// Its full name: protocol, structures, field, with dots in between.
        public internal(set) var name: String
        /// The parts of its name.
        let path: [StaticString]
        /// What it is on the wire and how it is shown; more than one where dialects or messages differ.
        let variants: [Variant]
        /// Whether a packet can have it more than once because it is in a list.
        public internal(set) var isRepeated: Bool
        /// The dialects that have it, oldest first; empty for the headers below them.
        public internal(set) var dialects: [Dialect]
        /// The messages that have it, in the order of the protocol.
        public internal(set) var messages: [String]

        /// What a field is in one message.
        struct Variant: Sendable {
            /// `u16`, `bytes[33]`, `text`, ...
            var type: String
            var format: FieldFormat
        }

        /// Its types on the wire.
        public var types: [String] {
            variants.reduce(into: []) { types, variant in
                if !types.contains(variant.type) { types.append(variant.type) }
            }
        }

        /// What it says.
        public var description: String { FieldDescriptions.description(of: name) ?? "" }
    }

    /// A structure or a list of structures: it has no value of its own, and can be asked for.
    public struct Group: Sendable {
        /// Its full name.
        public internal(set) var name: String
        /// The parts of its name.
        let path: [StaticString]
        /// Whether it is a list of structures.
        let isList: Bool
    }

    /// A message that packets are or carry.
    public struct Message: Sendable {
        /// The protocol, e.g. `cman`.
        public internal(set) var `protocol`: StaticString
        /// Its name, e.g. `hello`; of a carried message with the protocol in front, e.g. `cpg.mcast`.
        public internal(set) var name: String
        /// Whether other messages carry it.
        public internal(set) var isCarried: Bool
        /// The dialects that have it.
        public internal(set) var dialects: [Dialect]

        /// What it is asked for by: `cman.hello`, `cpg.mcast`.
        public var qualifiedName: String { isCarried ? name : "\(`protocol`).\(name)" }
    }

    /// The fields, by protocol and in the order of the wire.
    public let fields: [Field]
    /// The structures.
    public let groups: [Group]
    /// The messages, outer ones first.
    public let messages: [Message]
    /// The protocols, from the outside in.
    public let protocols: [StaticString]

    private let fieldIndex: [String: Int]
    private let groupIndex: [String: Int]
    private let messageIndex: [String: Int]

    /// Asks every layout for its fields.
    public init() {
        var builder = CatalogueBuilder()
        builder.addAllLayouts()
        fields = builder.fields
        groups = builder.groups
        messages = builder.messages
        protocols = builder.protocols
        fieldIndex = Dictionary(uniqueKeysWithValues: builder.fields.enumerated().map { ($1.name, $0) })
        groupIndex = Dictionary(uniqueKeysWithValues: builder.groups.enumerated().map { ($1.name, $0) })
        // A message of cman on Totem has the name of one of legacy cman: both are asked for by it.
        messageIndex = Dictionary(builder.messages.enumerated().map { ($1.qualifiedName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The field called `name`.
    public func field(_ name: String) -> Field? { fieldIndex[name].map { fields[$0] } }

    /// The number of the field called `name`, which no structure has.
    func number(ofField name: String) -> Int32? { fieldIndex[name].map { Int32($0) } }

    /// The number of the structure called `name`, which no field has.
    func number(ofGroup name: String) -> Int32? { groupIndex[name].map { Int32(fields.count + $0) } }

    /// The structure called `name`.
    public func group(_ name: String) -> Group? { groupIndex[name].map { groups[$0] } }

    /// The message called `name`, with its protocol.
    public func message(_ name: String) -> Message? { messageIndex[name].map { messages[$0] } }
}
