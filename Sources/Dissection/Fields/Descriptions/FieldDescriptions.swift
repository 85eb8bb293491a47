/// What fields mean: the one place where it is written. Names and types come from the layouts.
enum FieldDescriptions {
    /// The tables of all protocols. A key is a full name, or the end of one for what several messages have alike.
    static let tables: [String: String] = [
        headers, security, cman, programs, dlm, totem, knet, services, cmanOnTotem, olderServices,
    ].reduce(into: [:]) { all, table in
        all.merge(table) { _, second in second }
    }

    /// What the field `name` means; nil when it is not written.
    static func description(of name: String) -> String? {
        key(of: name).flatMap { tables[$0] }
    }

    /// The key that `name` is described by: its own, or the longest end of it.
    static func key(of name: String) -> String? {
        // A message inside another one has the fields that it always has.
        var rest = name.replacing(".recovered.", with: ".")[...]
        while tables[String(rest)] == nil {
            guard let dot = rest.firstIndex(of: ".") else { return nil }
            rest = rest[rest.index(after: dot)...]
        }
        return String(rest)
    }
}
