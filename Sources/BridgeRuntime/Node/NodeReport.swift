/// Something that a member reports on its output: a name, and fields in a fixed order (docs/configuration.md, "Line interface").
struct NodeReport {
    /// The value of a field.
    enum Value {
        case number(UInt64)
        case text(String)
        case flag(Bool)
        case numbers([UInt32])
        case reports([NodeReport])
    }

    let name: String
    private(set) var fields: [(key: StaticString, value: Value)] = []

    init(_ name: String) {
        self.name = name
    }

    /// The same report with one more field.
    func with(_ key: StaticString, _ value: some UnsignedInteger) -> NodeReport { adding(key, .number(UInt64(value))) }

    /// The same report with one more field.
    func with(_ key: StaticString, _ value: String) -> NodeReport { adding(key, .text(value)) }

    /// The same report with one more field.
    func with(_ key: StaticString, _ value: Bool) -> NodeReport { adding(key, .flag(value)) }

    /// The same report with one more field.
    func with(_ key: StaticString, _ value: [UInt32]) -> NodeReport { adding(key, .numbers(value)) }

    /// The same report with one more field.
    func with(_ key: StaticString, _ value: [NodeReport]) -> NodeReport { adding(key, .reports(value)) }

    private func adding(_ key: StaticString, _ value: Value) -> NodeReport {
        var copy = self
        copy.fields.append((key, value))
        return copy
    }

    /// A line of text: the name, then `key=value` with quoted texts.
    var line: String {
        ([name] + fields.map { "\($0.key)=\(Self.plain($0.value))" }).joined(separator: " ")
    }

    /// A JSON object on one line; `time` is in nanoseconds since 1970.
    func json(time: Int64) -> String {
        let seconds = time / 1_000_000_000
        let fraction = String(time % 1_000_000_000 + 1_000_000_000).dropFirst()
        return "{\"time\":\(seconds).\(fraction),\"event\":\(Self.quoted(name))\(jsonFields(leadingComma: true))}"
    }

    private func jsonFields(leadingComma: Bool) -> String {
        let text = fields.map { "\"\($0.key)\":\(Self.json($0.value))" }.joined(separator: ",")
        return leadingComma && !text.isEmpty ? "," + text : text
    }

    private static func plain(_ value: Value) -> String {
        switch value {
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "yes" : "no"
        case .text(let text): text.utf8.allSatisfy(isPlain) && !text.isEmpty ? text : quoted(text)
        case .numbers(let numbers): numbers.isEmpty ? "-" : numbers.map { "\($0)" }.joined(separator: ",")
        case .reports(let reports):
            reports.isEmpty ? "-" : reports.map { $0.fields.map { plain($0.value) }.joined(separator: ":") }.joined(separator: ",")
        }
    }

    private static func json(_ value: Value) -> String {
        switch value {
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "true" : "false"
        case .text(let text): quoted(text)
        case .numbers(let numbers): "[" + numbers.map { "\($0)" }.joined(separator: ",") + "]"
        case .reports(let reports): "[" + reports.map { "{\($0.jsonFields(leadingComma: false))}" }.joined(separator: ",") + "]"
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x3D && byte != 0x5C }

    /// `text` as a JSON string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
