/// What the replay of a fixture must give: the content of `replay.yaml`.
public struct ReplaySettings: Sendable, Hashable {
    /// Which engine is in the role of the daemons.
    public enum Engine: String, Sendable, Hashable, CaseIterable {
        /// `CmanNode`.
        case cman
        /// `TotemNode`, and `ClusterProcessor` above it.
        case totem
    }

    /// Which engine.
    public var engine: Engine
    /// For each life of each daemon what its replay gives: `equal: 24 messages, 2 acknowledgements`.
    public var lives: [String: String]

    /// Settings with all their values.
    public init(engine: Engine, lives: [String: String]) {
        self.engine = engine
        self.lives = lives
    }

    /// Reads the text of `replay.yaml`; `file` names it in errors.
    public init(yaml text: String, file: String) throws {
        let root = try YAMLFile(text: text, path: file)
        try root.allowOnly(["engine", "lives"])
        let word = try root.text("engine")
        guard let engine = Engine(rawValue: word) else { throw root.error("\(word) is no engine that can be replayed", key: "engine") }
        var lives: [String: String] = [:]
        for (life, result) in try root.mapping("lives") { lives[life] = try result.scalarText() }
        self.init(engine: engine, lives: lives)
    }

    /// The text of `replay.yaml`.
    public var yaml: String {
        "engine: \(engine.rawValue)\nlives:\n"
            + lives.sorted { $0.key < $1.key }.map { "  \(yamlText($0.key)): \(yamlText($0.value))\n" }.joined()
    }
}
