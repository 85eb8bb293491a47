/// A fixture in words.
public enum FixtureText {
    /// One JSON object.
    public static func json(_ fixture: Fixture) -> String {
        let settings = fixture.settings
        func quoted(_ text: String) -> String {
            var result = "\""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\"": result += "\\\""
                case "\\": result += "\\\\"
                default:
                    if scalar.value < 0x20 {
                        let digits = String(scalar.value, radix: 16)
                        result += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)"
                    } else {
                        result.unicodeScalars.append(scalar)
                    }
                }
            }
            return result + "\""
        }
        func list(_ texts: [String]) -> String { "[\(texts.map(quoted).joined(separator: ","))]" }
        return
            "{\"name\":\(quoted(fixture.name)),\"dialect\":\(quoted(settings.dialect)),\"kind\":\"\(settings.provenance.kind.rawValue)\","
            + "\"shows\":\(quoted(settings.shows)),\"captures\":\(list(settings.captures)),\"keys\":\(list(settings.keys)),"
            + "\"reports\":\(list(settings.reports)),\"requirements\":\(list(settings.requirements))}"
    }

    /// What it is and what its capture must mean, for people.
    public static func description(_ fixture: Fixture) throws -> String {
        let settings = fixture.settings
        let expected = try fixture.expectations()
        var text = "\(fixture.name): \(settings.shows)\n\n"
        text += "captures    \(settings.captures.joined(separator: ", "))\n"
        let provenance = settings.provenance
        text +=
            "provenance  \(provenance.kind.rawValue)\(provenance.by.map { " by \($0)" } ?? "")\(provenance.when.map { ", \($0)" } ?? "")\n"
        if let versions = provenance.versions { text += "            \(versions)\n" }
        if let page = provenance.page { text += "            \(page)\n" }
        if !settings.keys.isEmpty { text += "keys        \(settings.keys.joined(separator: ", "))\n" }
        if !settings.clusters.isEmpty { text += "clusters    \(settings.clusters.joined(separator: ", "))\n" }
        if !settings.reports.isEmpty { text += "reports     \(settings.reports.joined(separator: ", "))\n" }
        for node in settings.nodes { text += "node        \(node.id) \(node.name) \(node.addresses.joined(separator: " "))\n" }
        text += "\nexpected by \(expected.source)\(expected.isDraft ? " (draft: nobody has confirmed it)" : "")\n"
        text += "packets     \(expected.packets)"
        if !expected.messages.isEmpty {
            text += ": " + expected.messages.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        }
        text += "\n\n" + timeline(expected)
        for reception in expected.receptions {
            text +=
                "\n\(reception.receiver) on node \(reception.node) received by \(reception.service.rawValue), \(reception.hash.rawValue):\n"
            for message in reception.messages { text += "    \(message.line)\n" }
        }
        if !settings.requirements.isEmpty {
            text += "\nrequirements: \(settings.requirements.joined(separator: " "))\n"
        }
        return text
    }

    private static func timeline(_ expected: Expectations) -> String {
        var events: [(at: Double, text: String)] = expected.views.map { view in
            var text = "node \(view.node) sees \(view.members)"
            if let generation = view.generation { text += " generation \(generation)" }
            if let ring = view.ring { text += " ring \(ring)" }
            if let isQuorate = view.isQuorate { text += isQuorate ? ", quorate" : ", inquorate" }
            return (view.at, text)
        }
        events += expected.departures.map { ($0.at, "node \($0.node) is \($0.manner.rawValue)") }
        var text = ""
        for event in events.sorted(by: { $0.at < $1.at }) {
            let time = yamlSeconds(event.at)
            text += "\(String(repeating: " ", count: max(0, 10 - time.count)))\(time)  \(event.text)\n"
        }
        for formation in expected.formations {
            text += "    ring    node \(formation.node) took \(formation.ring ?? "one") of \(formation.members) into use\n"
        }
        return text
    }
}
