import Glibc
import WireFormat

/// One test of a filter: a name, and what is asked of its values.
struct FilterTest: Sendable {
    enum Comparison: Sendable, Hashable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    }

    enum Relation: Sendable {
        case isPresent
        case compares(Comparison, FilterConstant)
        /// Between two constants, both included, one pair for each item.
        case isIn([(first: FilterConstant, last: FilterConstant)])
        case contains(SearchedBytes)
        /// Some of the bits are set.
        case hasBits(UInt64)
        /// The flag of this name is set; which bit it is, depends on the dialect.
        case hasFlag([UInt8])
    }

    let field: FieldReference
    /// Whether every value has to fit, and not just one.
    let isForAll: Bool
    let relation: Relation

    /// Whether one value from `source`, or each, fits. What is not there never fits.
    func holds(for packet: Dissection, from source: FieldReader.Source, _ reader: inout FieldReader) -> Bool {
        var fits = false
        reader.forEachValue(of: source, in: packet) { datum, style in
            fits = self.fits(datum, style.format)
            return fits == isForAll
        }
        return fits
    }

    private func fits(_ datum: FieldDatum, _ format: FieldFormat) -> Bool {
        switch relation {
        case .isPresent: true
        case .compares(let comparison, let constant): constant.holds(comparison, for: datum, format)
        case .isIn(let items):
            items.contains { item in
                item.first.holds(.greaterOrEqual, for: datum, format) && item.last.holds(.lessOrEqual, for: datum, format)
            }
        case .contains(let wanted):
            switch datum {
            case .text(let run), .bytes(let run): wanted.occur(in: run)
            default: false
            }
        case .hasBits(let mask): datum.bits.map { $0 & mask != 0 } ?? false
        case .hasFlag(let name): datum.bits.map { format.names($0, as: name) } ?? false
        }
    }
}

/// A value that a filter compares with, as what each kind of field takes it for.
struct FilterConstant: Sendable {
    /// A number of 64 bits with or without a sign.
    var number: Int128?
    /// Nanoseconds.
    var time: Int64?
    /// An address, or a network from its first to its last one.
    var addresses: (first: IPAddress, last: IPAddress)?
    var text: [UInt8]?
    var bytes: [UInt8]?

    func holds(_ comparison: FilterTest.Comparison, for datum: FieldDatum, _ format: FieldFormat) -> Bool {
        switch datum {
        case .unsigned(let value): holds(comparison, for: Int128(value), meaning: value, format)
        case .signed(let value): holds(comparison, for: Int128(value), meaning: UInt64(bitPattern: value), format)
        case .time(let value): time.map { comparison.holds(value < $0 ? -1 : value > $0 ? 1 : 0) } ?? false
        case .address(let value):
            addresses.map { range in
                range.first.family == value.family && comparison.holds(value < range.first ? -1 : value > range.last ? 1 : 0)
            } ?? false
        case .text(let run): text.map { comparison.holds(run.order(to: $0)) } ?? false
        case .bytes(let run): bytes.map { comparison.holds(run.order(to: $0)) } ?? false
        case .present: false
        }
    }

    private func holds(_ comparison: FilterTest.Comparison, for value: Int128, meaning: UInt64, _ format: FieldFormat) -> Bool {
        if let number { return comparison.holds(value < number ? -1 : value > number ? 1 : 0) }
        guard let text else { return false }
        let isNamedSo = format.names(meaning, as: text)
        return switch comparison {
        case .equal, .greaterOrEqual, .lessOrEqual: isNamedSo
        case .notEqual: !isNamedSo
        case .less, .greater: false
        }
    }
}

extension FieldDatum {
    /// The bits of a number.
    fileprivate var bits: UInt64? {
        switch self {
        case .unsigned(let number): number
        case .signed(let number): UInt64(bitPattern: number)
        default: nil
        }
    }
}

extension FilterTest.Comparison {
    /// Whether it holds for a value that is smaller than the constant (-1), equal (0) or greater (1).
    func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

extension FieldFormat {
    /// Whether `text` is the name of `number`, or of flags that are set in it. Capitals do not matter.
    func names(_ number: UInt64, as text: [UInt8]) -> Bool {
        switch self {
        case .labelled(let label): label(number)?.isEqualIgnoringCase(to: text) ?? false
        case .flags(let labels):
            labels.contains { flag in
                number & flag.mask == flag.mask && flag.mask != 0 && flag.name.utf8.elementsEqual(text, by: areEqualIgnoringCase)
            }
        default: false
        }
    }

    /// Every name that a number can have.
    var allNames: [String] {
        switch self {
        case .labelled(let label):
            // Labels are functions: numbers above the second byte have none in any protocol here.
            var names: [String] = []
            for number in 0..<0x1_0000 as Range<UInt64> {
                if let name = label(number)?.description, names.last != name { names.append(name) }
            }
            return names
        case .flags(let labels): return labels.map(\.name)
        default: return []
        }
    }
}

private func areEqualIgnoringCase(_ left: UInt8, _ right: UInt8) -> Bool {
    func lower(_ byte: UInt8) -> UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte }
    return lower(left) == lower(right)
}

extension StaticString {
    fileprivate func isEqualIgnoringCase(to text: [UInt8]) -> Bool {
        UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount).elementsEqual(text, by: areEqualIgnoringCase)
    }
}

extension UnsafeRawBufferPointer {
    /// -1, 0 or 1: how it stands to `other` in the order of the bytes.
    fileprivate func order(to other: [UInt8]) -> Int {
        let common = Swift.min(count, other.count)
        let result = other.withUnsafeBytes { bytes in
            guard let left = baseAddress, let right = bytes.baseAddress else { return Int32(0) }
            return memcmp(left, right, common)
        }
        if result != 0 { return result < 0 ? -1 : 1 }
        return count < other.count ? -1 : count > other.count ? 1 : 0
    }
}
