import Yams

extension Expectations {
    /// Reads the text of `expected.yaml`; `file` names it in errors.
    public init(yaml text: String, file: String) throws {
        let root = try YAMLFile(text: text, path: file)
        try root.allowOnly([
            "source", "draft", "packets", "malformed", "messages", "views", "formations", "incomplete_logs", "departures", "receptions",
        ])
        self.init()
        source = try root.text("source")
        isDraft = try root.flag("draft")
        packets = try root.number("packets") ?? 0
        malformed = try root.number("malformed") ?? 0
        for (name, value) in try root.mapping("messages") { messages[name] = try value.requiredNumber() }
        views = try root.list("views").map { try MembershipView($0) }
        formations = try root.list("formations").map { try RingFormation($0) }
        incompleteLogs = try root.numbers("incomplete_logs")
        departures = try root.list("departures").map { try Departure($0) }
        receptions = try root.list("receptions").map { try Reception($0) }
    }

    /// The text of `expected.yaml`; what is read from it again is equal.
    public var yaml: String {
        var text = "source: \(yamlText(source))\n"
        if isDraft { text += "draft: true\n" }
        text += "packets: \(packets)\n"
        if malformed > 0 { text += "malformed: \(malformed)\n" }
        if !messages.isEmpty {
            text += "messages:\n"
            for (name, count) in messages.sorted(by: { $0.key < $1.key }) { text += "  \(yamlText(name)): \(count)\n" }
        }
        text += Self.section("views", views.map(\.yaml))
        text += Self.section("formations", formations.map(\.yaml))
        if !incompleteLogs.isEmpty { text += "incomplete_logs: \(list(incompleteLogs))\n" }
        text += Self.section("departures", departures.map(\.yaml))
        text += Self.section("receptions", receptions.map(\.yaml))
        return text
    }

    private static func section(_ name: String, _ lines: [String]) -> String {
        lines.isEmpty ? "" : "\(name):\n" + lines.map { "  - \($0)\n" }.joined()
    }
}

/// Seconds with as many digits as the daemons' own reports have at most.
func yamlSeconds(_ seconds: Double) -> String {
    let milliseconds = Int64((seconds * 1000).rounded())
    let fraction = String(milliseconds.magnitude % 1000)
    return "\(milliseconds < 0 ? "-" : "")\(milliseconds.magnitude / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
}

private func list(_ numbers: [UInt32]) -> String {
    "[\(numbers.map(String.init).joined(separator: ", "))]"
}

extension MembershipView {
    fileprivate init(_ section: YAMLFile) throws {
        try section.allowOnly(["at", "node", "generation", "ring", "members", "quorate"])
        self.init(
            at: try section.requiredSeconds("at"),
            node: try section.requiredNumber("node"),
            members: try section.numbers("members"),
            generation: try section.number("generation"),
            ring: try section.optionalText("ring"),
            isQuorate: try section.optionalFlag("quorate")
        )
    }

    fileprivate var yaml: String {
        var parts = ["at: \(yamlSeconds(at))", "node: \(node)"]
        if let generation { parts.append("generation: \(generation)") }
        if let ring { parts.append("ring: \(yamlText(ring))") }
        parts.append("members: \(list(members))")
        if let isQuorate { parts.append("quorate: \(isQuorate)") }
        return "{\(parts.joined(separator: ", "))}"
    }
}

extension RingFormation {
    fileprivate init(_ section: YAMLFile) throws {
        try section.allowOnly(["node", "ring", "members"])
        self.init(
            node: try section.requiredNumber("node"),
            ring: try section.optionalText("ring"),
            members: try section.numbers("members")
        )
    }

    fileprivate var yaml: String {
        "{node: \(node), \(ring.map { "ring: \(yamlText($0)), " } ?? "")members: \(list(members))}"
    }
}

extension Departure {
    fileprivate init(_ section: YAMLFile) throws {
        try section.allowOnly(["at", "node", "how"])
        let word = try section.text("how")
        guard let manner = Manner(rawValue: word) else { throw section.error("\(word) is no way to go", key: "how") }
        self.init(at: try section.requiredSeconds("at"), node: try section.requiredNumber("node"), manner: manner)
    }

    fileprivate var yaml: String {
        "{at: \(yamlSeconds(at)), node: \(node), how: \(manner.rawValue)}"
    }
}

extension Reception {
    fileprivate init(_ section: YAMLFile) throws {
        try section.allowOnly(["receiver", "node", "process", "service", "hash", "places", "from", "until", "messages"])
        let service = try section.text("service")
        guard let known = Service(rawValue: service) else { throw section.error("\(service) is no service", key: "service") }
        let hash = try section.text("hash")
        guard let kind = ContentHash(rawValue: hash) else { throw section.error("\(hash) is no hash", key: "hash") }
        self.init(receiver: try section.text("receiver"), node: try section.requiredNumber("node"), service: known, hash: kind)
        process = try section.number("process") ?? 0
        places = try section.texts("places")
        from = try section.seconds("from")
        until = try section.seconds("until")
        messages = try section.texts("messages").map { line in
            guard let message = DeliveredMessage(line: line) else { throw section.error("\(line) is no message", key: "messages") }
            return message
        }
    }

    fileprivate var yaml: String {
        var text = "receiver: \(yamlText(receiver))\n    node: \(node)\n"
        if process != 0 { text += "    process: \(process)\n" }
        text += "    service: \(service.rawValue)\n    hash: \(hash.rawValue)\n"
        if !places.isEmpty { text += "    places: [\(places.map(yamlText).joined(separator: ", "))]\n" }
        if let from { text += "    from: \(yamlSeconds(from))\n" }
        if let until { text += "    until: \(yamlSeconds(until))\n" }
        if messages.isEmpty {
            text += "    messages: []"
        } else {
            text += "    messages:\n" + messages.map { "      - \(yamlText($0.line))" }.joined(separator: "\n")
        }
        return text
    }
}

extension DeliveredMessage {
    /// `<sender>/<process> <length> <hash> <place>`: `1/10481 50 ad2ead4d alpha`.
    public var line: String {
        let digits = String(hash, radix: 16)
        return "\(sender)/\(process) \(length) \(String(repeating: "0", count: 8 - digits.count))\(digits) \(place)"
    }

    /// Reads a `line`; nil when it is none.
    public init?(line: String) {
        let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, let length = Int(words[1]), let hash = UInt32(words[2], radix: 16) else { return nil }
        let who = words[0].split(separator: "/", maxSplits: 1)
        guard who.count == 2, let sender = UInt32(who[0]), let process = UInt32(who[1]) else { return nil }
        self.init(sender: sender, process: process, place: String(words[3]), length: length, hash: hash)
    }
}
