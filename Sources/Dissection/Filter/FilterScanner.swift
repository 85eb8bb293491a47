/// Cuts the text of a filter into tokens. What a token can be depends on where it stands: addresses and ranges have signs in them that are
/// operators elsewhere.
struct FilterScanner {
    let text: String
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    func failure(_ reason: String, _ range: Range<Int>) -> FilterError {
        FilterError(reason: reason, text: text, range: range)
    }

    /// The place of the next token; behind the text when there is none.
    var here: Range<Int> { position..<min(position + 1, max(bytes.count, position)) }

    mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    /// Goes back to `earlier`.
    mutating func rewind(to earlier: Int) { position = earlier }

    var isAtEnd: Bool { position >= bytes.count }

    /// Takes `symbol` if it comes next.
    mutating func take(_ symbol: String) -> Bool {
        skipSpace()
        guard bytes[position...].starts(with: symbol.utf8) else { return false }
        position += symbol.utf8.count
        return true
    }

    /// Takes the first of `symbols` that comes next; longer ones have to stand before their beginnings.
    mutating func takeOne<Value>(of symbols: [(String, Value)]) -> Value? {
        symbols.first { take($0.0) }?.1
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// The next word of letters, digits, dots, underscores and hyphens, without taking it.
    mutating func peekName() -> (name: String, range: Range<Int>)? {
        skipSpace()
        var end = position
        while end < bytes.count, Self.isNameByte(bytes[end]) { end += 1 }
        guard end > position else { return nil }
        return (String(decoding: bytes[position..<end], as: UTF8.self), position..<end)
    }

    mutating func takeName() -> (name: String, range: Range<Int>)? {
        guard let next = peekName() else { return nil }
        position = next.range.upperBound
        return next
    }

    /// Takes the word `word` if it comes next.
    mutating func take(word: String) -> Bool {
        guard let next = peekName(), next.name.lowercased() == word else { return false }
        position = next.range.upperBound
        return true
    }

    /// A value as it stands there: in quotes, or everything up to a space, comma, bracket or range.
    mutating func takeValue() throws(FilterError) -> FilterLiteral {
        skipSpace()
        guard position < bytes.count else { throw failure("a value is missing at the end", here) }
        if bytes[position] == UInt8(ascii: "\"") { return try takeQuoted(isRaw: false) }
        if bytes[position...].starts(with: "r\"".utf8) {
            position += 1
            return try takeQuoted(isRaw: true)
        }
        let start = position
        while position < bytes.count, !" \t\n\r,{}()&|\"".utf8.contains(bytes[position]), !bytes[position...].starts(with: "..".utf8) {
            position += 1
        }
        guard position > start else { throw failure("a value is expected here", here) }
        return FilterLiteral(bytes: Array(bytes[start..<position]), isQuoted: false, range: start..<position)
    }

    private mutating func takeQuoted(isRaw: Bool) throws(FilterError) -> FilterLiteral {
        let start = position
        position += 1
        var value: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return FilterLiteral(bytes: value, isQuoted: true, range: start..<position)
            case UInt8(ascii: "\\") where isRaw:
                // Before a quotation mark a backslash keeps it from ending the text, and stays.
                value.append(byte)
                if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                    value.append(bytes[position])
                    position += 1
                }
            case UInt8(ascii: "\\"): try takeEscape(into: &value)
            default: value.append(byte)
            }
        }
        throw failure("the text has no closing quotation mark", start..<bytes.count)
    }

    private mutating func takeEscape(into value: inout [UInt8]) throws(FilterError) {
        let start = position - 1
        guard position < bytes.count else { throw failure("the text has no closing quotation mark", start..<position) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): value.append(byte)
        case UInt8(ascii: "a"): value.append(7)
        case UInt8(ascii: "b"): value.append(8)
        case UInt8(ascii: "t"): value.append(9)
        case UInt8(ascii: "n"): value.append(10)
        case UInt8(ascii: "v"): value.append(11)
        case UInt8(ascii: "f"): value.append(12)
        case UInt8(ascii: "r"): value.append(13)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            position -= 1
            value.append(UInt8(truncatingIfNeeded: takeDigits(radix: 8, atMost: 3) ?? 0))
        case UInt8(ascii: "x"):
            guard let number = takeDigits(radix: 16, atMost: 2) else {
                throw failure("\\x needs one or two hexadecimal digits", start..<position)
            }
            value.append(UInt8(truncatingIfNeeded: number))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = byte == UInt8(ascii: "u") ? 4 : 8
            guard let number = takeDigits(radix: 16, atMost: digits), let scalar = Unicode.Scalar(number) else {
                throw failure("there is no such character", start..<position)
            }
            value.append(contentsOf: String(scalar).utf8)
        default:
            throw failure("there is no escape \\\(String(decoding: [byte], as: UTF8.self)); a backslash itself is \\\\", start..<position)
        }
    }

    private mutating func takeDigits(radix: UInt32, atMost count: Int) -> UInt32? {
        var number: UInt32 = 0
        let start = position
        while position < bytes.count, position - start < count,
            let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue.map(UInt32.init), digit < radix
        {
            number = number * radix + digit
            position += 1
        }
        return position > start ? number : nil
    }
}

/// A value as a filter's text has it.
struct FilterLiteral {
    var bytes: [UInt8]
    var isQuoted: Bool
    var range: Range<Int>

    var string: String { String(decoding: bytes, as: UTF8.self) }
}
