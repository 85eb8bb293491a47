import WireFormat

extension FieldCatalogue {
    /// Fields without a description. What is a key too is described as that.
    package var undescribed: [String] {
        fields.map(\.name).filter { PacketKey(rawValue: $0) == nil && FieldDescriptions.key(of: $0) == nil }
    }

    /// Descriptions of no field.
    package var unusedDescriptions: [String] {
        Set(FieldDescriptions.tables.keys).subtracting(fields.compactMap { FieldDescriptions.key(of: $0.name) }).sorted()
    }

    /// What `packet` has and the catalogue does not tell, or tells otherwise; for tests, which ask it of every packet they have.
    package func gaps(in packet: Dissection) -> [String] {
        var gaps: [String] = []
        if knownValues(of: .message)?.contains(packet.message.description) != true { gaps.append("message \(packet.message)") }
        for carried in packet.carries where knownValues(of: .carriedMessage)?.contains(carried.message.description) != true {
            gaps.append("carried message \(carried.message)")
        }
        var paths = TreePaths()
        paths.take(packet.tree)
        for (index, node) in packet.tree.nodes.enumerated() {
            var text = TextBuffer()
            paths.append(nameOf: index, in: packet.tree, separator: ".", to: &text)
            let name = String(decoding: text.bytes, as: UTF8.self)
            switch node.kind {
            case .field(let value):
                guard let field = field(name) else {
                    gaps.append(name)
                    continue
                }
                let kind = FieldReader.withDatum(value, packet.tree.format(ofNode: index), packet.tree, index) { $0.kind }
                // An address of a length that is none is shown as bytes.
                if !field.kinds.contains(kind), !(kind == .bytes && field.kinds.contains(.address)) { gaps.append("\(name) as \(kind)") }
                // A packet whose message is not known has the fields of its header alone, which dialects share.
                if let dialect = packet.dialect, !field.dialects.isEmpty, !field.dialects.contains(dialect) {
                    gaps.append("\(name) in \(dialect.name)")
                }
            case .protocol:
                if !protocols.contains(where: { $0.isEqual(to: node.name) }) { gaps.append("protocol \(name)") }
            case .begin(.structure), .begin(.list):
                if group(name) == nil, field(name) == nil { gaps.append("structure \(name)") }
            case .begin(.element), .end: continue
            }
        }
        return gaps
    }
}

extension FieldDatum {
    var kind: ValueKind {
        switch self {
        case .unsigned: .unsigned
        case .signed: .signed
        case .time: .time
        case .address: .address
        case .text: .text
        case .bytes: .bytes
        case .present: .presence
        }
    }
}
