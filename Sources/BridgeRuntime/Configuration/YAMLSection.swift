import EngineKit
import WireFormat
import Yams

/// A mapping in a YAML file that knows where it stands, and which of its keys are allowed.
struct YAMLSection {
    private let mapping: Node.Mapping
    private let file: String
    /// How the mapping is called in messages, e.g. `legacy`; empty for the file itself.
    private let path: String
    let place: ConfigurationPlace

    /// Reads the text of a file whose outermost node is a mapping.
    init(text: String, file: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw Self.describe(error, file: file)
        } catch {
            throw ConfigurationError(ConfigurationPlace(file: file), "is not YAML: \(error)", remedy: "mend it")
        }
        let place = ConfigurationPlace(file: file, line: 1)
        guard let mapping = root?.mapping else {
            throw ConfigurationError(place, "is not a mapping of keys to values", remedy: "see docs/configuration.md for the keys")
        }
        self.init(mapping: mapping, file: file, path: "", place: place)
    }

    private init(mapping: Node.Mapping, file: String, path: String, place: ConfigurationPlace) {
        self.mapping = mapping
        self.file = file
        self.path = path
        self.place = place
    }

    private static func describe(_ error: YamlError, file: String) -> ConfigurationError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            // The context is where the broken construct began: more useful than where the parser noticed.
            ConfigurationError(
                ConfigurationPlace(file: file, line: context?.mark.line ?? mark.line),
                "is not YAML: \(problem)",
                remedy: "mend it"
            )
        case .duplicatedKeysInMapping(let duplicates, let context):
            ConfigurationError(
                ConfigurationPlace(file: file, line: context.mark.line),
                "the key \(duplicates.sorted().joined(separator: ", ")) is there twice",
                remedy: "remove one"
            )
        default: ConfigurationError(ConfigurationPlace(file: file), "is not YAML", remedy: "mend it")
        }
    }

    /// Refuses keys that are not in `known`: a misspelt key must not be taken for an absent one.
    func allowOnly(_ known: Set<String>) throws(ConfigurationError) {
        for key in mapping.keys {
            guard let name = key.scalar?.string, known.contains(name) else {
                throw ConfigurationError(
                    at(key),
                    "unknown key \(qualified(key.scalar?.string ?? "?"))",
                    remedy: "known here: \(known.sorted().joined(separator: ", "))"
                )
            }
        }
    }

    /// Every key with its mapping or text, in the file's order.
    var keys: [String] { mapping.keys.compactMap { $0.scalar?.string } }

    /// Where the value of `key` stands.
    func place(of key: String) -> ConfigurationPlace { mapping[key].map(at) ?? place }

    /// The text of `key`; nil when it is not there.
    func text(_ key: String) throws(ConfigurationError) -> String? {
        guard let node = mapping[key] else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else {
            throw ConfigurationError(at(node), "\(qualified(key)) is no text", remedy: "write `\(key): value`")
        }
        return text
    }

    /// Whether `key` is there, whatever it holds.
    func has(_ key: String) -> Bool { mapping[key] != nil }

    /// The text of a key that must be there.
    func requiredText(_ key: String) throws(ConfigurationError) -> String {
        guard let text = try text(key) else {
            throw ConfigurationError(place, "\(qualified(key)) is missing", remedy: "add it")
        }
        return text
    }

    /// The number of `key`; nil when it is not there.
    func number<T: FixedWidthInteger>(_ key: String, _ range: ClosedRange<T>) throws(ConfigurationError) -> T? {
        guard let text = try text(key) else { return nil }
        guard let number = T(text), range.contains(number) else {
            throw ConfigurationError(
                place(of: key),
                "\(qualified(key)): \(text) is no number from \(range.lowerBound) to \(range.upperBound)",
                remedy: "mend it"
            )
        }
        return number
    }

    /// `true` or `false` of `key`; nil when it is not there.
    func flag(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let text = try text(key) else { return nil }
        switch text {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw ConfigurationError(place(of: key), "\(qualified(key)): \(text) is neither true nor false", remedy: "mend it")
        }
    }

    /// The IP address of `key`; nil when it is not there.
    func address(_ key: String) throws(ConfigurationError) -> IPAddress? {
        guard let text = try text(key) else { return nil }
        guard let address = IPAddress(text) else {
            throw ConfigurationError(place(of: key), "\(qualified(key)): \(text) is no IP address", remedy: "write the address in numbers")
        }
        return address
    }

    /// The length of time of `key`, in milliseconds, or with the unit s or ms; nil when it is not there.
    func interval(_ key: String) throws(ConfigurationError) -> Interval? {
        guard let text = try text(key) else { return nil }
        let digits = text.prefix { $0.isNumber }
        let unit = text.dropFirst(digits.count).trimmingPrefix { $0 == " " }
        guard let number = Int64(digits), number <= 86_400_000, number > 0, ["", "ms", "s"].contains(unit) else {
            throw ConfigurationError(
                place(of: key),
                "\(qualified(key)): \(text) is no length of time",
                remedy: "write milliseconds, or a unit: 500, 500 ms, 5 s"
            )
        }
        return unit == "s" ? .seconds(number) : .milliseconds(number)
    }

    /// The mapping of `key`; nil when it is not there.
    func section(_ key: String) throws(ConfigurationError) -> YAMLSection? {
        guard let node = mapping[key] else { return nil }
        guard let inner = node.mapping else {
            throw ConfigurationError(at(node), "\(qualified(key)) is no mapping", remedy: "write its keys below it, indented")
        }
        return YAMLSection(mapping: inner, file: file, path: qualified(key), place: at(node))
    }

    /// The mapping of a key that must be there.
    func requiredSection(_ key: String) throws(ConfigurationError) -> YAMLSection {
        guard let section = try section(key) else {
            throw ConfigurationError(place, "\(qualified(key)) is missing", remedy: "add it")
        }
        return section
    }

    /// The mappings in the list of `key`; nil when it is not there.
    func sections(_ key: String) throws(ConfigurationError) -> [YAMLSection]? {
        guard let node = mapping[key] else { return nil }
        guard let sequence = node.sequence else {
            throw ConfigurationError(at(node), "\(qualified(key)) is no list", remedy: "write its elements with leading dashes")
        }
        var result: [YAMLSection] = []
        for (index, element) in sequence.enumerated() {
            guard let inner = element.mapping else {
                throw ConfigurationError(at(element), "\(qualified(key))[\(index)] is no mapping", remedy: "write its keys and values")
            }
            result.append(YAMLSection(mapping: inner, file: file, path: "\(qualified(key))[\(index)]", place: at(element)))
        }
        return result
    }

    /// The texts in the list of `key`; nil when it is not there.
    func texts(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let node = mapping[key] else { return nil }
        guard let sequence = node.sequence else {
            throw ConfigurationError(at(node), "\(qualified(key)) is no list", remedy: "write e.g. [1, 2]")
        }
        return sequence.compactMap { $0.scalar?.string }
    }

    /// Which packets are recorded; nil when it is not said.
    func captureDirection() throws(ConfigurationError) -> PacketRecorder.Direction? {
        guard let text = try text("captureDirection") else { return nil }
        guard let direction = PacketRecorder.Direction(rawValue: text) else {
            throw ConfigurationError(place(of: "captureDirection"), "captureDirection: \(text) is unknown", remedy: "write all or sent")
        }
        return direction
    }

    /// How `key` of this mapping is called in messages.
    func qualified(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func at(_ node: Node) -> ConfigurationPlace { ConfigurationPlace(file: file, line: node.mark?.line ?? place.line) }
}
