import WireFormat

/// Gathers fields from layouts. What several messages and dialects have in common becomes one entry.
struct CatalogueBuilder {
    private(set) var fields: [FieldCatalogue.Field] = []
    private(set) var groups: [FieldCatalogue.Group] = []
    private(set) var messages: [FieldCatalogue.Message] = []
    private(set) var protocols: [StaticString] = []
    private var fieldIndex: [String: Int] = [:]
    private var groupNames: Set<String> = []

    typealias Describer = WireDescriber<LayoutCollector>

    /// Adds a message that a packet can be, or carry, and the fields that `describe` walks over.
    mutating func add(
        _ protocolName: StaticString,
        message: String,
        isCarried: Bool = false,
        dialects: [Dialect],
        _ describe: (inout Describer) throws(WireError) -> Void
    ) {
        if let index = messages.firstIndex(where: { $0.name == message && $0.protocol.isEqual(to: protocolName) }) {
            messages[index].dialects = merged(messages[index].dialects, dialects)
        } else {
            messages.append(FieldCatalogue.Message(protocol: protocolName, name: message, isCarried: isCarried, dialects: dialects))
        }
        add(protocolName, of: isCarried ? message : "\(protocolName).\(message)", dialects: dialects, describe)
    }

    /// Adds fields that are no message of their own, such as headers; `owner` is the message that has them, if it is one only.
    mutating func add(
        _ protocolName: StaticString,
        of owner: String? = nil,
        dialects: [Dialect],
        _ describe: (inout Describer) throws(WireError) -> Void
    ) {
        var describer = WireDescriber(LayoutCollector(protocolName))
        // A describer reads nothing: a layout that throws says what no packet can have.
        do throws(WireError) { try describe(&describer) } catch { assertionFailure("\(protocolName) \(owner ?? ""): \(error)") }
        add(describer.sink, of: owner, dialects: dialects)
    }

    /// Adds a protocol that has no fields, or not yet.
    mutating func add(_ protocolName: StaticString) {
        if !protocols.contains(where: { $0.isEqual(to: protocolName) }) { protocols.append(protocolName) }
    }

    mutating func add(_ layout: LayoutCollector, of owner: String?, dialects: [Dialect]) {
        add(layout.protocolName)
        for group in layout.groups where groupNames.insert(name(of: group.path)).inserted {
            groups.append(FieldCatalogue.Group(name: name(of: group.path), path: group.path, isList: group.isList))
        }
        for field in layout.fields { add(field, of: owner, dialects: dialects) }
    }

    private func name(of path: [StaticString]) -> String { path.map(\.description).joined(separator: ".") }

    private mutating func add(_ found: LayoutCollector.Field, of owner: String?, dialects: [Dialect]) {
        let name = name(of: found.path)
        guard let index = fieldIndex[name] else {
            fieldIndex[name] = fields.count
            fields.append(
                FieldCatalogue.Field(
                    name: name,
                    path: found.path,
                    variants: [FieldCatalogue.Field.Variant(type: found.type, format: found.format)],
                    isRepeated: found.isRepeated,
                    dialects: dialects,
                    messages: owner.map { [$0] } ?? []
                )
            )
            return
        }
        let known = fields[index]
        fields[index] = FieldCatalogue.Field(
            name: name,
            path: known.path,
            variants: known.variants + [FieldCatalogue.Field.Variant(type: found.type, format: found.format)],
            isRepeated: known.isRepeated || found.isRepeated,
            dialects: merged(known.dialects, dialects),
            messages: owner.map { known.messages.contains($0) ? known.messages : known.messages + [$0] } ?? known.messages
        )
    }

    private func merged(_ left: [Dialect], _ right: [Dialect]) -> [Dialect] {
        Dialect.allCases.filter { left.contains($0) || right.contains($0) }
    }
}

/// Takes down what a layout tells.
struct LayoutCollector: LayoutSink {
    struct Field {
        var path: [StaticString]
        var type: String
        var format: FieldFormat
        var isRepeated: Bool
    }

    let protocolName: StaticString
    private(set) var fields: [Field] = []
    private(set) var groups: [(path: [StaticString], isList: Bool)] = []
    private var path: [StaticString]
    private var lists = 0
    private var isListAtDepth: [Bool] = []

    init(_ protocolName: StaticString) {
        self.protocolName = protocolName
        path = [protocolName]
    }

    mutating func field(_ name: StaticString, type: String, _ format: FieldFormat) {
        fields.append(Field(path: path + [name], type: type, format: format, isRepeated: lists > 0 || type.hasSuffix("[]")))
    }

    mutating func beginGroup(_ name: StaticString, isList: Bool) {
        path.append(name)
        groups.append((path, isList))
        isListAtDepth.append(isList)
        if isList { lists += 1 }
    }

    mutating func endGroup() {
        path.removeLast()
        if isListAtDepth.popLast() == true { lists -= 1 }
    }
}
