import WireFormat

/// Text that is built piece by piece and thrown away as a whole. Building reuses the same memory, so that a renderer allocates nothing
/// per packet.
public struct TextBuffer: Sendable {
    /// The text as UTF-8.
    public private(set) var bytes: [UInt8] = []

    /// An empty text.
    public init() {}

    /// Number of bytes of UTF-8.
    public var count: Int { bytes.count }

    /// Makes room for `count` bytes.
    public mutating func reserve(_ count: Int) {
        bytes.reserveCapacity(count)
    }

    /// Empties the text and keeps its memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func append(byte: UInt8) {
        bytes.append(byte)
    }

    mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(bytes more: some Collection<UInt8>) {
        bytes.append(contentsOf: more)
    }

    mutating func append(_ number: some BinaryInteger) {
        if number < 0 { append("-") }
        append(magnitude: UInt64(number.magnitude))
    }

    /// A number with at least `width` digits.
    mutating func append(magnitude: UInt64, width: Int = 1) {
        var rest = magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0 || bytes.count - start < width
        bytes[start...].reverse()
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// `0x` and hexadecimal digits.
    mutating func append(hexadecimal number: UInt64) {
        append("0x")
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(Self.hexadecimalDigit(UInt8(rest & 15)))
            rest >>= 4
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Two hexadecimal digits a byte.
    mutating func append(hexadecimal run: UnsafeRawBufferPointer) {
        bytes.reserveCapacity(bytes.count + 2 * run.count)
        for byte in run {
            bytes.append(Self.hexadecimalDigit(byte >> 4))
            bytes.append(Self.hexadecimalDigit(byte & 15))
        }
    }

    /// A time or duration in nanoseconds as seconds with nine decimals.
    mutating func append(seconds nanoseconds: Int64) {
        if nanoseconds < 0 { append("-") }
        let (seconds, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        append(magnitude: seconds)
        append(".")
        append(magnitude: rest, width: 9)
    }

    mutating func append(_ address: IPAddress) {
        guard let number = address.ipv4Number else { return append(address.description) }
        append(magnitude: UInt64(number >> 24))
        for shift: UInt32 in [16, 8, 0] {
            append(".")
            append(magnitude: UInt64(number >> shift & 255))
        }
    }

    /// `address:port`, IPv6 as `[address]:port`.
    mutating func append(_ endpoint: Endpoint) {
        if endpoint.address.family == .ipv6 {
            append("[")
            append(endpoint.address)
            append("]")
        } else {
            append(endpoint.address)
        }
        append(":")
        append(endpoint.port)
    }

    /// Spaces up to column `column`, counted in bytes from `start`.
    mutating func pad(to column: Int, from start: Int) {
        while bytes.count - start < column { bytes.append(UInt8(ascii: " ")) }
    }

    /// Text of a protocol, which may hold anything: as it is when it is UTF-8 without control characters, otherwise with `\xNN` for
    /// every byte that is not printable ASCII, and `\\` for a backslash.
    mutating func append(foreign text: UnsafeRawBufferPointer) {
        guard !isPlain(text) else {
            bytes.append(contentsOf: text)
            return
        }
        for byte in text {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x20..<0x7F: bytes.append(byte)
            default:
                append("\\x")
                bytes.append(Self.hexadecimalDigit(byte >> 4))
                bytes.append(Self.hexadecimalDigit(byte & 15))
            }
        }
    }

    private func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        var ascii = true
        for byte in text {
            if byte < 0x20 || byte == 0x7F { return false }
            if byte >= 0x80 { ascii = false }
        }
        return ascii || String(validating: text, as: UTF8.self) != nil
    }

    /// A JSON string with everything that JSON wants escaped. `text` is UTF-8.
    mutating func append(quoted text: some Sequence<UInt8>) {
        append("\"")
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0..<0x20:
                append("\\u00")
                bytes.append(Self.hexadecimalDigit(byte >> 4))
                bytes.append(Self.hexadecimalDigit(byte & 15))
            default: bytes.append(byte)
            }
        }
        append("\"")
    }

    /// A JSON string of a protocol's text: `append(foreign:)`, escaped.
    mutating func append(quotedForeign text: UnsafeRawBufferPointer) {
        guard !isPlain(text) else { return append(quoted: text) }
        var escaped = TextBuffer()
        escaped.append(foreign: text)
        append(quoted: escaped.bytes)
    }

    mutating func append(quoted text: StaticString) {
        append(quoted: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// Texts that are built and thrown away together.
public struct TextList: Sendable {
    private var buffer = TextBuffer()
    private var ends: [Int] = []

    /// An empty list.
    public init() {}

    /// Number of texts.
    public var count: Int { ends.count }
    /// Whether there is none.
    public var isEmpty: Bool { ends.isEmpty }

    mutating func removeAll() {
        buffer.removeAll()
        ends.removeAll(keepingCapacity: true)
    }

    /// Adds the text that `build` appends to its argument.
    mutating func add(_ build: (inout TextBuffer) -> Void) {
        build(&buffer)
        ends.append(buffer.count)
    }

    /// The text at `index` as UTF-8.
    public subscript(index: Int) -> ArraySlice<UInt8> {
        buffer.bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// All texts.
    public var strings: [String] { (0..<count).map { String(decoding: self[$0], as: UTF8.self) } }
}
