import Foundation

/// A fixture that is about to be added: what was found in the captures, and what the user tells.
public struct FixtureProposal {
    /// What will be written.
    public var settings = FixtureSettings()
    private let reading: FixtureDraft.Reading
    private let catalogue: FixtureCatalogue

    /// Decodes `captures`; paths are those of the file system.
    public init(captures: [String], keys: [String], clusters: [String], catalogue: FixtureCatalogue) throws {
        self.catalogue = catalogue
        settings.captures = try captures.map { try catalogue.relative($0) }
        settings.keys = try keys.map { try catalogue.relative($0) }
        settings.clusters = clusters
        reading = try FixtureDraft.read(captures, keys: keys, clusters: clusters)
        settings.dialect = reading.timeline.mainDialect ?? ""
        settings.nodes = reading.timeline.nodes
    }

    /// What was found, for people.
    public var findings: String {
        let timeline = reading.timeline
        var text = "\(timeline.packets) packets in \(yamlSeconds(timeline.duration)) s\n"
        func table(_ title: String, _ counts: [String: Int]) {
            guard !counts.isEmpty else { return }
            text += "\(title): \(counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))\n"
        }
        table("dialects", timeline.dialects)
        table("messages", timeline.messages)
        table("carried", timeline.carried)
        for node in settings.nodes { text += "node \(node.id): \(node.addresses.joined(separator: " "))\n" }
        if timeline.encrypted > 0 { text += "\(timeline.encrypted) packets are encrypted and no key opens them: name one with --key\n" }
        for problem in timeline.problems { text += "problem in \(problem)\n" }
        return text
    }

    /// The capture's name without its ending.
    public var suggestedName: String {
        let file = FixtureDraft.captureName(settings.captures.first ?? "capture")
        return file.hasSuffix(".pcap") ? String(file.dropLast(5)) : file
    }

    /// What the page says that comes with the capture.
    public var suggestedLine: String? {
        guard let page = settings.provenance.page, let text = try? LibraryFile.text("\(catalogue.folder)/\(page)"),
            let capture = settings.captures.first
        else { return nil }
        return CapturePage(text).summary(of: FixtureDraft.captureName(capture))
    }

    /// The day of the first packet.
    public var suggestedTime: String? {
        guard reading.timeline.packets > 0 else { return nil }
        let time = Date(timeIntervalSince1970: Double(reading.timeline.firstTime / 1_000_000_000))
        return time.formatted(.iso8601.year().month().day())
    }

    /// Calls the node with an address by another name, `co1=10.77.2.1`, and by another id where packets do not tell it,
    /// `1:oanode1=10.77.4.1`.
    public mutating func rename(_ entry: String) throws {
        let parts = entry.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let name = parts[0].split(separator: ":").last else {
            throw FixtureError("--node \(entry)", "should be name=address, or id:name=address")
        }
        for index in settings.nodes.indices where settings.nodes[index].addresses.contains(String(parts[1])) {
            settings.nodes[index].name = String(name)
            guard name.count < parts[0].count else { continue }
            guard let id = UInt32(parts[0].prefix { $0 != ":" }) else {
                throw FixtureError("--node \(entry)", "the id is no number")
            }
            settings.nodes[index].id = id
        }
    }

    /// Writes the fixture and says what was written and what is left to do.
    public func write(as name: String) throws -> String {
        guard !settings.dialect.isEmpty else {
            throw FixtureError(settings.captures.joined(separator: ", "), "no packet of a known dialect; nothing can be said about it")
        }
        let draft = FixtureDraft(catalogue)
        let full = "\(settings.dialect)/\(name)"
        let folder = "\(catalogue.fixturesFolder)/\(full)"
        let reported = try draft.expectations(settings, reading.timeline, folder: folder)
        try draft.write(full, settings, reported ?? reading.timeline.draft(), summary: reading.summary)
        var text = "written: \(folder)/fixture.yaml, expected.yaml\(reading.summary == nil ? "" : ", summary.txt")\n"
        if reported == nil {
            text +=
                "expected.yaml is a draft from the decoder itself. Compare it with what the daemons reported, then remove «draft: true»\n"
            text += "and name in «source» whose words it is.\n"
        }
        return text + "check it with: ringbridge fixtures verify \(full)\n"
    }
}
