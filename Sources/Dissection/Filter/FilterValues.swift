import CmanWire
import WireFormat

/// Turns the values of a filter's text into what one field is compared with, and says what does not fit.
struct FilterValues {
    let field: FieldReference
    let nameRange: Range<Int>
    let scanner: FilterScanner
    let catalogue: FieldCatalogue

    /// The constant that `literal` stands for.
    func constant(_ literal: FilterLiteral, _ comparison: FilterTest.Comparison) throws(FilterError) -> FilterConstant {
        try requireValues("is compared")
        var constant = FilterConstant()
        for kind in field.kinds {
            switch kind {
            case .unsigned, .signed: constant.number = literal.isQuoted ? nil : Self.number(literal.string)
            case .time: constant.time = Self.nanoseconds(literal.string)
            case .address: constant.addresses = Self.addresses(literal.string)
            case .text: constant.text = literal.bytes
            case .bytes: constant.bytes = literal.isQuoted ? literal.bytes : Self.bytes(literal.string)
            case .presence: break
            }
        }
        if constant.number == nil, !names.isEmpty, names.contains(where: { $0.lowercased() == literal.string.lowercased() }) {
            guard comparison == .equal || comparison == .notEqual else {
                throw scanner.failure("a name has no order: only == and != compare with one", literal.range)
            }
            constant.text = literal.bytes
        }
        let fits =
            constant.number != nil || constant.time != nil || constant.addresses != nil || constant.text != nil || constant.bytes != nil
        guard fits else { throw misfit(literal) }
        if comparison == .equal || comparison == .notEqual { try checkKnown(literal) }
        return constant
    }

    /// The bytes that `literal` looks for.
    func searched(_ literal: FilterLiteral) throws(FilterError) -> [UInt8] {
        try requireValues("contains nothing")
        guard field.kinds.contains(.text) || field.kinds.contains(.bytes) else {
            throw scanner.failure("contains looks into text and bytes; \(field.name) is neither", nameRange)
        }
        if literal.isQuoted || !field.kinds.contains(.bytes) { return literal.bytes }
        return Self.bytes(literal.string) ?? literal.bytes
    }

    /// The bits that `literal` asks for.
    func bits(_ literal: FilterLiteral) throws(FilterError) -> FilterTest.Relation {
        guard field.kinds.contains(.unsigned) || field.kinds.contains(.signed) else {
            throw scanner.failure("& asks for bits of a number; \(field.name) is none", nameRange)
        }
        if let number = Self.number(literal.string), let mask = UInt64(exactly: number) { return .hasBits(mask) }
        for case .flags(let labels) in field.formats {
            if labels.contains(where: { $0.name.lowercased() == literal.string.lowercased() }) { return .hasFlag(literal.bytes) }
        }
        throw misfit(literal)
    }

    private func requireValues(_ verb: String) throws(FilterError) {
        guard field.kinds != [.presence] else {
            throw scanner.failure("\(field.name) has no value of its own: it is there or not", nameRange)
        }
    }

    /// The names that the field's numbers have.
    private var names: [String] { field.formats.flatMap(\.allNames) }

    private func misfit(_ literal: FilterLiteral) -> FilterError {
        let kinds = field.kinds.map { kind in
            switch kind {
            case .unsigned, .signed: "a number, as in 12 or 0x0c"
            case .time: "seconds, as in 1.5"
            case .address: "an address or network, as in 10.0.0.0/8"
            case .bytes: "bytes, as in 01:ff, or \"text\""
            case .text: "text"
            case .presence: "nothing"
            }
        }
        let like = NearestNames.of(literal.string, among: names, limit: 3)
        let advice = like.isEmpty ? "" : "; did you mean \(like.map { "\"\($0)\"" }.joined(separator: ", or "))?"
        return scanner.failure("\(field.name) takes \(Set(kinds).sorted().joined(separator: ", or "))\(advice)", literal.range)
    }

    /// Of keys whose values are all known, an unknown one is a mistake.
    private func checkKnown(_ literal: FilterLiteral) throws(FilterError) {
        guard case .key(let key) = field.target, let known = catalogue.knownValues(of: key), !known.contains(literal.string) else { return }
        let like = NearestNames.of(literal.string, among: known, limit: 3)
        let advice =
            like.isEmpty ? "`ringbridge dialects` lists all" : "did you mean \(like.map { "\"\($0)\"" }.joined(separator: ", or "))?"
        throw scanner.failure(
            "no \(key == .dialect || key == .alternatives ? "dialect" : "message") is called so; \(advice)",
            literal.range
        )
    }

    // MARK: notations

    static func number(_ text: String) -> Int128? {
        let (sign, digits): (Int128, Substring) = text.hasPrefix("-") ? (-1, text.dropFirst()) : (1, text[...])
        guard digits.first?.isHexDigit == true else { return nil }
        let magnitude: Int128? =
            if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
                Int128(digits.dropFirst(2), radix: 16)
            } else if digits.hasPrefix("0b") {
                Int128(digits.dropFirst(2), radix: 2)
            } else if digits.hasPrefix("0") {
                Int128(digits, radix: 8)
            } else {
                Int128(digits, radix: 10)
            }
        guard let magnitude, magnitude >= 0, magnitude <= Int128(UInt64.max) else { return nil }
        return sign * magnitude
    }

    /// Seconds with up to nine decimals.
    static func nanoseconds(_ text: String) -> Int64? {
        let isNegative = text.hasPrefix("-")
        let parts = (isNegative ? text.dropFirst() : text[...]).split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let seconds = Int64(parts[0]), parts[0].first?.isNumber == true else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard (1...9).contains(parts[1].count), parts[1].allSatisfy(\.isNumber), let digits = Int64(parts[1]) else { return nil }
            fraction = (0..<9 - parts[1].count).reduce(digits) { number, _ in number * 10 }
        }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, whole <= Int64.max - fraction else { return nil }
        return isNegative ? -(whole + fraction) : whole + fraction
    }

    /// An address, or a network with the number of its leading bits behind a slash.
    static func addresses(_ text: String) -> (first: IPAddress, last: IPAddress)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = IPAddress(String(parts[0])) else { return nil }
        guard parts.count == 2 else { return (address, address) }
        var first = address.networkBytes
        guard let bits = Int(parts[1]), (0...first.count * 8).contains(bits) else { return nil }
        var last = first
        for index in first.indices {
            let kept = min(8, max(0, bits - 8 * index))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> kept)
            first[index] &= mask
            last[index] = first[index] | ~mask
        }
        guard let lowest = IPAddress(networkBytes: first), let highest = IPAddress(networkBytes: last) else { return nil }
        return (lowest, highest)
    }

    /// Two hexadecimal digits a byte, with colons, hyphens or dots in between, or nothing.
    static func bytes(_ text: String) -> [UInt8]? {
        let separator = text.first { ":-.".contains($0) }
        if let separator {
            var bytes: [UInt8] = []
            for part in text.split(separator: separator, omittingEmptySubsequences: false) {
                guard (1...2).contains(part.count), part.allSatisfy(\.isHexDigit), let byte = UInt8(part, radix: 16) else { return nil }
                bytes.append(byte)
            }
            return bytes
        }
        let digits = Array(text.hasPrefix("0x") ? text.dropFirst(2) : text[...])
        guard !digits.isEmpty, digits.count % 2 == 0, digits.allSatisfy(\.isHexDigit) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 }
    }
}

extension FieldCatalogue {
    /// All values of a key, where they are known.
    func knownValues(of key: PacketKey) -> [String]? {
        switch key {
        case .message:
            // A segment of the DLM is called like the first record that it completes.
            Self.otherMessages + messages.filter { !$0.isCarried || $0.protocol.isEqual(to: DLMRecord.protocolName) }.map(\.name)
        case .carriedMessage: messages.filter(\.isCarried).map(\.name)
        case .dialect, .alternatives: Dialect.allCases.map(\.name.description)
        default: nil
        }
    }

    /// What packets are called that are no message of any dialect.
    static let otherMessages = ["unknown", "encrypted", "icmp", "arp", "fragment", "other", "dlm.segment"]
}
