/// Where a capture comes from.
public struct Provenance: Sendable, Hashable {
    /// What the bytes of a capture are.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Recorded from running daemons: evidence.
        case recorded
        /// Put together by hand from the protocol's description: shows what is meant, and proves nothing.
        case constructed
    }

    /// Recorded or constructed.
    public var kind = Kind.recorded
    /// Who recorded it.
    public var by: String?
    /// When.
    public var when: String?
    /// What ran, with versions.
    public var versions: String?
    /// A page that tells more, by its path from the library's folder.
    public var page: String?

    /// A recording of which nothing else is known.
    public init() {}
}

/// A node of a capture.
public struct FixtureNode: Sendable, Hashable {
    /// Its id on the wire.
    public var id: UInt32
    /// What logs call it.
    public var name: String
    /// Its addresses.
    public var addresses: [String]

    /// A node with all its values.
    public init(id: UInt32, name: String, addresses: [String]) {
        self.id = id
        self.name = name
        self.addresses = addresses
    }
}

/// What a fixture is about: the content of `fixture.yaml`.
public struct FixtureSettings: Sendable, Hashable {
    /// The capture files, merged by time; paths below the fixture's folder or `captures/`.
    public var captures: [String] = []
    /// The dialect, by its name.
    public var dialect = ""
    /// One line: what it shows.
    public var shows = ""
    /// Where it comes from.
    public var provenance = Provenance()
    /// Key files that open it, below the fixture's folder or `captures/`.
    public var keys: [String] = []
    /// Names of clusters whose default key opens it.
    public var clusters: [String] = []
    /// What the daemons themselves reported, below the fixture's folder or `captures/`.
    public var reports: [String] = []
    /// The nodes, for what reports call them.
    public var nodes: [FixtureNode] = []
    /// Ids of `docs/requirements.md` that it exercises.
    public var requirements: [String] = []
    /// Checks that do not apply, with the reason: `views: the capture begins in the middle of a transition`.
    public var skips: [String: String] = [:]

    /// Settings without anything.
    public init() {}

    /// Reads the text of `fixture.yaml`; `file` names it in errors.
    public init(yaml text: String, file: String) throws {
        let root = try YAMLFile(text: text, path: file)
        try root.allowOnly([
            "captures", "dialect", "shows", "provenance", "keys", "clusters", "reports", "nodes", "requirements", "skips",
        ])
        self.init()
        captures = try root.texts("captures")
        guard !captures.isEmpty else { throw root.error("name at least one capture", key: "captures") }
        dialect = try root.text("dialect")
        shows = try root.text("shows")
        keys = try root.texts("keys")
        clusters = try root.texts("clusters")
        reports = try root.texts("reports")
        requirements = try root.texts("requirements")
        for (check, reason) in try root.mapping("skips") { skips[check] = try reason.scalarText() }
        if let section = try root.section("provenance") {
            try section.allowOnly(["kind", "by", "when", "versions", "page"])
            let word = try section.text("kind")
            guard let kind = Provenance.Kind(rawValue: word) else {
                throw section.error("\(word) is neither recorded nor constructed", key: "kind")
            }
            provenance.kind = kind
            provenance.by = try section.optionalText("by")
            provenance.when = try section.optionalText("when")
            provenance.versions = try section.optionalText("versions")
            provenance.page = try section.optionalText("page")
        } else {
            throw root.error("is missing: who recorded it, when, and what ran", key: "provenance")
        }
        nodes = try root.list("nodes").map { node in
            try node.allowOnly(["id", "name", "addresses"])
            return FixtureNode(id: try node.requiredNumber("id"), name: try node.text("name"), addresses: try node.texts("addresses"))
        }
    }

    /// The text of `fixture.yaml`.
    public var yaml: String {
        var text = "captures: \(Self.list(captures))\ndialect: \(dialect)\nshows: \(yamlText(shows))\nprovenance:\n"
        text += "  kind: \(provenance.kind.rawValue)\n"
        for (key, value) in [
            ("by", provenance.by), ("when", provenance.when), ("versions", provenance.versions), ("page", provenance.page),
        ] {
            if let value { text += "  \(key): \(yamlText(value))\n" }
        }
        for (key, values) in [("keys", keys), ("clusters", clusters), ("reports", reports)] where !values.isEmpty {
            text += "\(key): \(Self.list(values))\n"
        }
        if !nodes.isEmpty {
            text += "nodes:\n"
            for node in nodes { text += "  - {id: \(node.id), name: \(yamlText(node.name)), addresses: \(Self.list(node.addresses))}\n" }
        }
        if !skips.isEmpty {
            text += "skips:\n"
            for (check, reason) in skips.sorted(by: { $0.key < $1.key }) { text += "  \(check): \(yamlText(reason))\n" }
        }
        if !requirements.isEmpty {
            text += "requirements:\n  [\n"
            var line = "   "
            for id in requirements {
                if line.count + id.count > 100 {
                    text += line + "\n"
                    line = "   "
                }
                line += " \(id),"
            }
            text += "\(line)\n  ]\n"
        }
        return text
    }

    private static func list(_ texts: [String]) -> String {
        "[\(texts.map { $0.contains(",") ? "\"\($0)\"" : yamlText($0) }.joined(separator: ", "))]"
    }
}
