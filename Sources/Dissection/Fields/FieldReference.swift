import Captures
import CmanWire
import TotemSecurity
import TotemWire
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
    /// Whether it is a field of the headers around the datagram.
    let isInHeaders: Bool

    /// What of packets has to be looked at to find it.
    public let interest: Interest
    /// The number of the field, structure or protocol in the catalogue, by which field trees keep its values.
    let number: Int32?
    /// Whether a structure has the name of the field in some dialects.
    let isGroupToo: Bool

    init(
        _ name: String,
        _ target: Target,
        kinds: Set<ValueKind>,
        interest: Interest,
        formats: [FieldFormat] = [],
        isInHeaders: Bool = false,
        number: Int32? = nil,
        isGroupToo: Bool = false
    ) {
        self.name = name
        self.target = target
        self.kinds = kinds
        self.interest = interest
        self.formats = formats
        self.isInHeaders = isInHeaders
        self.number = number
        self.isGroupToo = isGroupToo
    }
}

extension FieldCatalogue {
    /// What `name` stands for: a key, a field, a structure, a protocol, or a message with its protocol; in this order.
    public func reference(_ name: String) -> FieldReference? {
        if let key = PacketKey(rawValue: name) { return FieldReference(name, .key(key), kinds: [key.kind], interest: key.interest) }
        let (field, group) = (field(name), group(name))
        if let field {
            return FieldReference(
                name,
                .field(field.path),
                kinds: field.kinds,
                interest: interest(inPath: field.path, messages: field.messages),
                formats: field.variants.map(\.format),
                isInHeaders: Self.isHeader(field.path[0]),
                number: number(ofField: name),
                isGroupToo: group != nil
            )
        }
        if let group {
            return FieldReference(
                name,
                .group(group.path),
                kinds: [.presence],
                interest: interest(inPath: group.path, messages: []),
                isInHeaders: Self.isHeader(group.path[0]),
                number: number(ofGroup: name)
            )
        }
        if let index = protocols.firstIndex(where: { $0.description == name }) {
            return FieldReference(
                name,
                .protocol(protocols[index]),
                kinds: [.presence],
                interest: interest(inProtocol: protocols[index]),
                number: Int32(fields.count + groups.count + index)
            )
        }
        if let message = message(name) {
            // A message of cman on Totem can have the name of one of legacy cman: both are asked for by it.
            let isCarried = messages.contains { $0.isCarried && $0.qualifiedName == name }
            return FieldReference(
                name,
                .message(protocol: message.protocol, name: message.name, qualifiedName: name),
                kinds: [.presence],
                interest: isCarried ? [.message, .origin, .carried] : [.message, .origin]
            )
        }
        return nil
    }

    /// What has to be looked at for a field or structure: no message that is carried where it cannot be in one.
    private func interest(inPath path: [StaticString], messages owners: [String]) -> Interest {
        if Self.isHeader(path[0]) { return [] }
        // What a packet of the process groups holds is one thing, what the messages in it begin with another.
        let isOuter =
            path[0].isEqual(to: ProcessGroupPacket.protocolName)
            ? !owners.isEmpty && owners.allSatisfy { message($0)?.isCarried == false } : Self.isOuter(path[0])
        return isOuter ? [.message] : [.message, .carried]
    }

    private func interest(inProtocol name: StaticString) -> Interest {
        if FrameProtocol.allCases.contains(where: { $0.name.isEqual(to: name) }) { return [] }
        return Self.isOuter(name) ? [.message, .origin] : [.message, .origin, .carried]
    }

    /// Whether no message of the process groups has fields of the protocol.
    private static func isOuter(_ protocolName: StaticString) -> Bool {
        [
            TotemDissector.protocolName, KnetPacket.protocolName, EnvelopeLayout.protocolName, GroupdMessage.protocolName,
            ClvmdMessage.protocolName, DLMRecord.protocolName, PacketDissector.dataProtocol,
        ].contains { $0.isEqual(to: protocolName) }
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
