import Yams

/// What is wrong with a file of the library.
public struct FixtureError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, and the line where there is one.
    public var place: String
    /// What is wrong, and what to do where that is not plain.
    public var reason: String

    /// Says what is wrong where.
    public init(_ place: String, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    public var description: String { "\(place): \(reason)" }
}

/// A mapping in one of the library's YAML files. It knows its place, so that errors name file and line.
struct YAMLFile {
    private let node: Node
    private let path: String

    /// Reads a file whose outermost node is a mapping.
    init(text: String, path: String) throws(FixtureError) {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw FixtureError(path, "is not YAML: \(error)") }
        guard let root, root.mapping != nil else { throw FixtureError(path, "is not a mapping of keys to values") }
        self.init(node: root, path: path)
    }

    private init(node: Node, path: String) {
        self.node = node
        self.path = path
    }

    func error(_ reason: String, key: String? = nil) -> FixtureError {
        let line = (key.flatMap { node.mapping?[$0] } ?? node).mark?.line
        return FixtureError(line.map { "\(path):\($0)" } ?? path, key.map { "\($0): \(reason)" } ?? reason)
    }

    /// Refuses keys that are not in `known`: a misspelt key must not be taken for an absent one.
    func allowOnly(_ known: Set<String>) throws(FixtureError) {
        guard let mapping = node.mapping else { throw error("is not a mapping") }
        for key in mapping.keys {
            let name = key.scalar?.string ?? ""
            guard known.contains(name) else { throw error("is not a key that is known here", key: name) }
        }
    }

    private func value(_ key: String) -> Node? { node.mapping?[key] }

    func optionalText(_ key: String) throws(FixtureError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.scalar?.string else { throw error("is not a text", key: key) }
        return text
    }

    func text(_ key: String) throws(FixtureError) -> String {
        guard let text = try optionalText(key) else { throw error("is missing", key: key) }
        return text
    }

    func texts(_ key: String) throws(FixtureError) -> [String] {
        guard let value = value(key) else { return [] }
        guard let sequence = value.sequence else { throw error("is not a list", key: key) }
        var texts: [String] = []
        for element in sequence {
            guard let text = element.scalar?.string else { throw error("is not a list of texts", key: key) }
            texts.append(text)
        }
        return texts
    }

    func optionalFlag(_ key: String) throws(FixtureError) -> Bool? {
        switch try optionalText(key) {
        case nil: nil
        case "true": true
        case "false": false
        default: throw error("is neither true nor false", key: key)
        }
    }

    func flag(_ key: String) throws(FixtureError) -> Bool { try optionalFlag(key) ?? false }

    func number<Number: FixedWidthInteger>(_ key: String) throws(FixtureError) -> Number? {
        guard let text = try optionalText(key) else { return nil }
        guard let number = Number(text) else { throw error("\(text) is not a number", key: key) }
        return number
    }

    func requiredNumber<Number: FixedWidthInteger>(_ key: String) throws(FixtureError) -> Number {
        guard let number: Number = try number(key) else { throw error("is missing", key: key) }
        return number
    }

    func numbers(_ key: String) throws(FixtureError) -> [UInt32] {
        var numbers: [UInt32] = []
        for text in try texts(key) {
            guard let number = UInt32(text) else { throw error("\(text) is not a number", key: key) }
            numbers.append(number)
        }
        return numbers
    }

    func seconds(_ key: String) throws(FixtureError) -> Double? {
        guard let text = try optionalText(key) else { return nil }
        guard let seconds = Double(text), seconds.isFinite else { throw error("\(text) is not a time in seconds", key: key) }
        return seconds
    }

    func requiredSeconds(_ key: String) throws(FixtureError) -> Double {
        guard let seconds = try seconds(key) else { throw error("is missing", key: key) }
        return seconds
    }

    /// The mappings of a list.
    func list(_ key: String) throws(FixtureError) -> [YAMLFile] {
        guard let value = value(key) else { return [] }
        guard let sequence = value.sequence else { throw error("is not a list", key: key) }
        return sequence.map { YAMLFile(node: $0, path: path) }
    }

    /// The values of a mapping by their keys.
    func mapping(_ key: String) throws(FixtureError) -> [(String, YAMLFile)] {
        guard let value = value(key) else { return [] }
        guard let mapping = value.mapping else { throw error("is not a mapping", key: key) }
        return mapping.map { ($0.key.scalar?.string ?? "", YAMLFile(node: $0.value, path: path)) }
    }

    /// The mapping under `key`.
    func section(_ key: String) throws(FixtureError) -> YAMLFile? {
        guard let value = value(key) else { return nil }
        guard value.mapping != nil else { throw error("is not a mapping", key: key) }
        return YAMLFile(node: value, path: path)
    }

    /// The text that this node itself is.
    func scalarText() throws(FixtureError) -> String {
        guard let text = node.scalar?.string else { throw error("is not a text") }
        return text
    }

    /// The number that this node itself is.
    func requiredNumber() throws(FixtureError) -> Int {
        guard let number = node.scalar.flatMap({ Int($0.string) }) else { throw error("is not a number") }
        return number
    }
}

/// `text` as a YAML scalar: as it is where it can only be read as itself, in double quotes otherwise.
func yamlText(_ text: String) -> String {
    let isPlain =
        !text.isEmpty && text.first != "-" && text.first != " " && text.last != " " && Double(text) == nil
        && !["true", "false", "null", "yes", "no", "on", "off", "~"].contains(text.lowercased())
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: " "), UInt8(ascii: "("),
                UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: ";"):
                true
            default: byte >= 0x80
            }
        }
    if isPlain { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\t": quoted += "\\t"
        default:
            if scalar.value < 0x20 || scalar.value == 0x7F {
                let digits = String(scalar.value, radix: 16)
                quoted += "\\x\(digits.count < 2 ? "0" : "")\(digits)"
            } else {
                quoted.unicodeScalars.append(scalar)
            }
        }
    }
    return quoted + "\""
}
