import Dissection
import Testing
import WireFormat

/// What a selection keeps is what the list of all fields has, whatever else is asked for.
@Suite struct SelectionTests {
    static let catalogue = FieldCatalogue()

    /// A capture of every generation, transport and envelope.
    static let captures = [
        "cman/07-userdata.pcap", "cman/12b-ipv6.pcap", "constructed/cman-2a-messages.pcap", "constructed/cman-4-messages.pcap",
        "openais/wt-f5586a7-cpg-small.pcap", "openais/cman0-06267550e-join3.pcap", "openais/cman2-02a34df25-secauth-join3.pcap",
        "corosync/flatiron1.4-udp-rrppassive-cutring0.pcap", "corosync/needle2.4-udpu-cpg.pcap", "corosync/3.1.7-udp-recovery.pcap",
        "corosync/3.1.7-knet2link-form.pcap",
    ]

    static func references(_ names: [String]) throws -> [FieldReference] {
        try names.map { try #require(catalogue.reference($0), "\($0)") }
    }

    /// Lines of `references`, read with `interest` and these fields alone.
    static func lines(_ references: [FieldReference], _ interest: Interest, _ source: FrameSource) -> [[String]] {
        var options = FieldsRenderer.Options()
        options.aggregator = 1
        var renderer = FieldsRenderer(references, options: options)
        var text = TextBuffer()
        source.dissect(interest: interest, selection: FieldSelection(references)) { renderer.append($0, to: &text) }
        return String(decoding: text.bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Every field by itself and all at once, with the selected fields alone and with the whole list.
    @Test(arguments: captures)
    func everyFieldIsWhatTheListHas(name: String) throws {
        var source = try FrameSource(name)
        source.keys = TotemCapture.keys
        if source.frames.count > 40 { source.frames.removeSubrange(25..<source.frames.count - 15) }
        let names = Self.catalogue.fields.map(\.name) + Self.catalogue.groups.map(\.name)
        let references = try Self.references(names)
        var expected: [[String: [ListedValue]]] = []
        source.dissect(keepingFrames: true) { packet in
            expected.append(ListedValue.byName(packet.headers).merging(ListedValue.byName(packet.tree)) { first, _ in first })
        }
        let all = Self.lines(references, [], source)
        #expect(all == Self.lines(references, .everything, source))
        try #require(all.count == expected.count)
        var met: Set<String> = []
        let fieldIndices = references.indices.filter { references[$0].isField }
        for (line, fields) in zip(all, expected) {
            for index in fieldIndices {
                let values = fields[names[index]] ?? []
                if values.isEmpty, line[index].isEmpty { continue }
                let shown =
                    line[index].isEmpty && values.count != 1 ? [] : line[index].split(separator: "\u{1}", omittingEmptySubsequences: false)
                #expect(shown.count == values.count, "\(names[index]): \(line[index])")
                for (text, value) in zip(shown, values) {
                    if let number = value.number { #expect(text == number, "\(names[index])") }
                }
                if !values.isEmpty { met.insert(names[index]) }
            }
        }
        // Whatever there is of a packet is found too when only what is of one protocol is asked for, or one field.
        #expect(met.count > 10)
        let ordered = names.indices.filter { met.contains(names[$0]) }
        let byProtocol = Dictionary(grouping: ordered) { names[$0].prefix { $0 != "." } }.values
        for indices in Array(byProtocol) + ordered.prefix(5).map({ [$0] }) {
            let lines = Self.lines(indices.map { references[$0] }, [], source)
            #expect(lines == all.map { line in indices.map { line[$0] } }, "\(names[indices[0]])")
        }
    }

    /// What packets say of themselves does not depend on what else is asked for.
    @Test(arguments: captures)
    func keysAreWhatTheWholeDissectionHas(name: String) throws {
        var source = try FrameSource(name)
        source.keys = TotemCapture.keys
        if source.frames.count > 40 { source.frames.removeSubrange(25..<source.frames.count - 15) }
        let names = PacketKey.allCases.map(\.rawValue) + Self.catalogue.protocols.map(\.description)
        let messages = Set(Self.catalogue.messages.map(\.qualifiedName)).sorted()
        let references = try Self.references(names + messages)
        let all = Self.lines(references, .everything, source)
        for index in references.indices where all.contains(where: { !$0[index].isEmpty }) {
            #expect(Self.lines([references[index]], [], source).map { $0[0] } == all.map { $0[index] }, "\(references[index].name)")
        }
    }
}

extension FieldReference {
    /// Whether it is a field with values rather than what an outer protocol, structure or message is asked for by.
    fileprivate var isField: Bool {
        PacketKey(rawValue: name) == nil && SelectionTests.catalogue.field(name) != nil && SelectionTests.catalogue.group(name) == nil
    }
}

/// A value of the list of all fields, found by the names of the structures around it.
private struct ListedValue {
    /// A number as it is shown; nil for anything else.
    var number: String?

    static func byName(_ tree: FieldTree) -> [String: [ListedValue]] {
        var values: [String: [ListedValue]] = [:]
        /// The names of the scopes around a node, which elements of lists have none of, and whether it is a list.
        var scopes: [(name: String?, isList: Bool)] = []
        for (index, node) in tree.nodes.enumerated() {
            switch node.kind {
            case .protocol, .begin(.structure): scopes.append((node.name.description, false))
            case .begin(.list): scopes.append((node.name.description, true))
            case .begin(.element): scopes.append((nil, false))
            case .end: _ = scopes.popLast()
            case .field(let value):
                var path = scopes.compactMap(\.name)
                // A list of plain values has fields of its own name.
                if scopes.last?.isList != true { path.append(node.name.description) }
                values[path.joined(separator: "."), default: []].append(ListedValue(value, tree.format(ofNode: index), node.range.count))
            }
        }
        return values
    }

    init(_ value: FieldValue, _ format: FieldFormat, _ width: Int) {
        switch (value, format) {
        case (.signed(let number), _): self.number = "\(number)"
        case (.unsigned(let number), .decimal), (.unsigned(let number), .labelled), (.unsigned(let number), .padding):
            self.number = "\(number)"
        case (.unsigned(let number), .hexadecimal), (.unsigned(let number), .flags):
            let digits = String(number, radix: 16)
            self.number = "0x" + String(repeating: "0", count: max(0, 2 * width - digits.count)) + digits
        default: self.number = nil
        }
    }
}
