/// A JSON text taken apart by the grammar of RFC 8259, members in their order. It knows nothing of the renderer.
indirect enum JSONValue: Equatable {
    case null
    case bool(Bool)
    /// The digits as they stand there.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    struct Failure: Error {
        var offset: Int
        var reason: String
    }

    init(parsing text: some Collection<UInt8>) throws {
        var parser = Parser(bytes: Array(text))
        self = try parser.value()
        guard parser.position == parser.bytes.count else { throw parser.failure("more behind the value") }
    }

    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var number: String? { if case .number(let digits) = self { digits } else { nil } }
    var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    var keys: [String]? { if case .object(let members) = self { members.map(\.key) } else { nil } }

    static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }

    private struct Parser {
        var bytes: [UInt8]
        var position = 0

        func failure(_ reason: String) -> Failure { Failure(offset: position, reason: reason) }

        mutating func take(_ scalar: UnicodeScalar) throws {
            guard isNext(scalar) else { throw failure("no \(scalar)") }
            position += 1
        }

        func isNext(_ scalar: UnicodeScalar) -> Bool {
            position < bytes.count && bytes[position] == UInt8(truncatingIfNeeded: scalar.value)
        }

        mutating func value() throws -> JSONValue {
            guard position < bytes.count else { throw failure("no value") }
            switch UnicodeScalar(bytes[position]) {
            case "{": return .object(try members())
            case "[":
                try take("[")
                var values: [JSONValue] = []
                if isNext("]") {
                    try take("]")
                    return .array(values)
                }
                while true {
                    values.append(try value())
                    if isNext("]") { break }
                    try take(",")
                }
                try take("]")
                return .array(values)
            case "\"": return .string(try text())
            case "n": return try word("null", .null)
            case "t": return try word("true", .bool(true))
            case "f": return try word("false", .bool(false))
            default: return .number(try digits())
            }
        }

        mutating func word(_ word: String, _ value: JSONValue) throws -> JSONValue {
            for scalar in word.unicodeScalars { try take(scalar) }
            return value
        }

        mutating func members() throws -> [(key: String, value: JSONValue)] {
            try take("{")
            var members: [(key: String, value: JSONValue)] = []
            if isNext("}") {
                try take("}")
                return members
            }
            while true {
                let key = try text()
                guard !members.contains(where: { $0.key == key }) else { throw failure("the key \(key) twice") }
                try take(":")
                members.append((key, try value()))
                if isNext("}") { break }
                try take(",")
            }
            try take("}")
            return members
        }

        mutating func text() throws -> String {
            try take("\"")
            var raw: [UInt8] = []
            while true {
                let plain = bytes[position...].prefix { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }
                raw.append(contentsOf: plain)
                position = plain.endIndex
                if isNext("\"") { break }
                guard isNext("\\") else { throw failure("a control character or the end in a string") }
                raw.append(contentsOf: try escape())
            }
            try take("\"")
            guard let text = String(validating: raw, as: UTF8.self) else { throw failure("a string that is not UTF-8") }
            return text
        }

        /// The UTF-8 of an escape sequence.
        mutating func escape() throws -> [UInt8] {
            try take("\\")
            guard position < bytes.count else { throw failure("the end in a string") }
            let escaped = bytes[position]
            position += 1
            switch UnicodeScalar(escaped) {
            case "\"", "\\", "/": return [escaped]
            case "n": return [10]
            case "u":
                guard position + 4 <= bytes.count,
                    let code = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
                    let scalar = UnicodeScalar(code)
                else { throw failure("a wrong escape") }
                position += 4
                return Array(String(Character(scalar)).utf8)
            default: throw failure("an unknown escape")
            }
        }

        mutating func digits() throws -> String {
            let start = position
            if isNext("-") { position += 1 }
            let first = position
            while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
            guard position > first, bytes[first] != 0x30 || position == first + 1 else { throw failure("no number") }
            if isNext(".") {
                position += 1
                let fraction = position
                while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
                guard position > fraction else { throw failure("no digits behind the point") }
            }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
    }
}
