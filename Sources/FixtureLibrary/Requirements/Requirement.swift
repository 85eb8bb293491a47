/// Something that a protocol demands: a row of `docs/requirements.md`.
public struct Requirement: Sendable, Hashable {
    /// How strong it is.
    public enum Level: String, Sendable, Hashable, CaseIterable {
        /// Without it members do not understand each other.
        case must = "MUST"
        /// Members do without it, worse.
        case should = "SHOULD"
    }

    /// Its id: protocol, section of the document it comes from, and number: `CMAN-4.11-2`.
    public var id: String
    /// How strong it is.
    public var level: Level
    /// What it demands.
    public var text: String
    /// What a capture must hold to exercise it; empty where no capture shows it.
    public var evidence: [Evidence]

    /// A requirement with all its values.
    public init(id: String, level: Level, text: String, evidence: [Evidence]) {
        self.id = id
        self.level = level
        self.text = text
        self.evidence = evidence
    }
}

/// A sign that a capture exercises a requirement. All signs of a requirement must be there.
public enum Evidence: Sendable, Hashable {
    /// A packet or carried message of this name.
    case message(String)
    /// A packet or carried message in which the field has the value.
    case field(message: String, name: String, value: String)
    /// A packet with a note that begins so; of any message where the name is `anyMessage`.
    case note(message: String, prefix: String)
    /// A check of this name that held.
    case check(String)
    /// A dialect.
    case dialect(String)
    /// A protocol below Totem or cman, as `protocols` names it.
    case protocolName(String)
    /// `fixture.yaml` names the requirement: only a reader can tell that the capture shows it.
    case named

    /// Stands for every message.
    public static let anyMessage = "*"

    /// Reads one word: `starttrans`, `starttrans:reason=4`, `data~repeats`, `@views`, `%cman-5`, `#ipv6`, `named`.
    public init?(_ word: Substring) {
        guard let first = word.first else { return nil }
        let rest = String(word.dropFirst())
        switch first {
        case "@": self = .check(rest)
        case "%": self = .dialect(rest)
        case "#": self = .protocolName(rest)
        default:
            if let tilde = word.firstIndex(of: "~") {
                self = .note(message: String(word[..<tilde]), prefix: String(word[word.index(after: tilde)...]))
            } else if let equals = word.firstIndex(of: "=") {
                // Carried messages have a dot in their names; the field begins behind the colon.
                let parts = word[..<equals].split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { return nil }
                self = .field(message: String(parts[0]), name: String(parts[1]), value: String(word[word.index(after: equals)...]))
            } else if word == "named" {
                self = .named
            } else {
                self = .message(String(word))
            }
        }
    }
}
