/// The grammar of corosync.conf: sections in braces, `key: value` lines, comments (corosync 3.1.7, exec/coroparse.c, parse_section).
struct CorosyncSection {
    /// A `key: value` line.
    struct Entry {
        var key: String
        var value: String
        var place: ConfigurationPlace
    }

    /// Its name; empty for the file itself.
    var name: String
    /// Where it opens.
    var place: ConfigurationPlace
    /// Its entries, in order.
    var entries: [Entry] = []
    /// The sections inside, in order.
    var sections: [CorosyncSection] = []

    /// Reads a whole file.
    static func parse(_ text: String, file: String) throws(ConfigurationError) -> CorosyncSection {
        var lines = Lines(rest: text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...], file: file)
        return try parse(name: "", from: &lines)
    }

    private struct Lines {
        var rest: ArraySlice<Substring>
        var file: String
        var number = 0

        var place: ConfigurationPlace { ConfigurationPlace(file: file, line: number) }

        mutating func next() -> String? {
            guard let line = rest.popFirst() else { return nil }
            number += 1
            return trimmed(line)
        }
    }

    private static func parse(name: String, from lines: inout Lines) throws(ConfigurationError) -> CorosyncSection {
        var section = CorosyncSection(name: name, place: lines.place)
        while let line = lines.next() {
            if line.isEmpty || line.hasPrefix("#") { continue }
            if let brace = line.firstIndex(of: "{") {
                let inner = trimmed(line[..<brace])
                guard !inner.isEmpty, trimmed(line[line.index(after: brace)...]).isEmpty else {
                    throw ConfigurationError(
                        lines.place,
                        "a section must open as `name {` alone on its line",
                        remedy: "move the rest to the next line"
                    )
                }
                section.sections.append(try parse(name: inner, from: &lines))
            } else if let colon = line.firstIndex(of: ":") {
                section.entries.append(
                    Entry(key: trimmed(line[..<colon]), value: trimmed(line[line.index(after: colon)...]), place: lines.place)
                )
            } else if line == "}" {
                guard !name.isEmpty else {
                    throw ConfigurationError(lines.place, "a closing brace too many", remedy: "remove it")
                }
                return section
            } else {
                throw ConfigurationError(lines.place, "`\(line)` is no section, `key: value` or closing brace", remedy: "mend the line")
            }
        }
        guard name.isEmpty else {
            throw ConfigurationError(section.place, "section \(name) is not closed", remedy: "add the missing closing brace")
        }
        return section
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        let tail = text.drop(while: isBlank)
        guard let last = tail.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(tail[...last])
    }
}
