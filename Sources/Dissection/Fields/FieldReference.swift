import WireFormat

/// A name that was found in the catalogue.
public struct FieldReference: Sendable {
    enum Target: Sendable {
        case key(PacketKey)
        case field([StaticString])
        /// A structure or list of structures.
        case group([StaticString])
        case `protocol`(StaticString)
        /// A message that the packet is, or carries by its full name.
        case message(protocol: StaticString, name: String, qualifiedName: String)
    }

    /// The name.
    public let name: String
    /// What kinds of values it has; more than one where dialects differ.
    public let kinds: Set<ValueKind>
    let target: Target
    /// How values are shown, one for each way.
    let formats: [FieldFormat]
    /// Whether it is a field of the headers around the datagram, which are kept only on demand.
    public let isInHeaders: Bool

    /// Whether it is found only in packets of which all fields are taken apart.
    public var needsFields: Bool {
        if case .key = target { return false }
        return true
    }

    init(_ name: String, _ target: Target, kinds: Set<ValueKind>, formats: [FieldFormat] = [], isInHeaders: Bool = false) {
        self.name = name
        self.target = target
        self.kinds = kinds
        self.formats = formats
        self.isInHeaders = isInHeaders
    }
}

extension FieldCatalogue {
    /// What `name` stands for: a key, a field, a structure, a protocol, or a message with its protocol; in this order.
    public func reference(_ name: String) -> FieldReference? {
        if let key = PacketKey(rawValue: name) { return FieldReference(name, .key(key), kinds: [key.kind]) }
        if let field = field(name) {
            return FieldReference(
                name,
                .field(field.path),
                kinds: field.kinds,
                formats: field.variants.map(\.format),
                isInHeaders: Self.isHeader(field.path[0])
            )
        }
        if let group = group(name) { return FieldReference(name, .group(group.path), kinds: [.presence]) }
        if let known = protocols.first(where: { $0.description == name }) {
            return FieldReference(name, .protocol(known), kinds: [.presence])
        }
        if let message = message(name) {
            return FieldReference(
                name,
                .message(protocol: message.protocol, name: message.name, qualifiedName: name),
                kinds: [.presence]
            )
        }
        return nil
    }

    /// Whether fields of the protocol lie in the headers around the datagram.
    static func isHeader(_ protocolName: StaticString) -> Bool {
        ["eth", "vlan", "sll", "ip", "ipv6", "udp", "tcp"].contains(protocolName.description)
    }

    /// Every name that can be asked for.
    public var allNames: [String] {
        PacketKey.allCases.map(\.rawValue) + fields.map(\.name) + groups.map(\.name) + protocols.map(\.description)
            + messages.map(\.qualifiedName)
    }

    /// The names that are most like `name`, the likeliest first.
    public func names(like name: String, limit: Int = 3) -> [String] {
        NearestNames.of(name, among: allNames, limit: limit)
    }
}

extension FieldCatalogue.Field {
    /// What kinds of values it has.
    var kinds: Set<ValueKind> {
        var kinds: Set<ValueKind> = []
        for variant in variants {
            switch variant.format {
            case .ipAddress: kinds.insert(.address)
            case .text: kinds.insert(.text)
            case .hardwareAddress: kinds.insert(.bytes)
            case .decimal, .hexadecimal, .labelled, .flags, .padding:
                kinds.insert(variant.type.hasPrefix("u") ? .unsigned : variant.type.hasPrefix("i") ? .signed : .bytes)
            }
        }
        return kinds
    }
}
