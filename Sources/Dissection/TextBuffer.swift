import WireFormat

/// Text that is built piece by piece and thrown away as a whole. Building reuses the same memory, so that a renderer allocates nothing
/// per packet.
public struct TextBuffer: Sendable {
    /// Memory of the text and room for more of it.
    private var storage: [UInt8] = []
    /// Number of bytes of UTF-8.
    public private(set) var count = 0

    /// An empty text.
    public init() {}

    /// The text as UTF-8.
    public var bytes: ArraySlice<UInt8> { storage[..<count] }

    /// Makes room for `count` bytes.
    public mutating func reserve(_ count: Int) {
        if count > storage.count { grow(by: count - self.count) }
    }

    /// Empties the text and keeps its memory.
    public mutating func removeAll() {
        count = 0
    }

    /// Takes the last byte away.
    mutating func removeLast() {
        count -= 1
    }

    /// Takes everything behind the first `count` bytes away.
    mutating func truncate(to count: Int) {
        self.count = min(count, self.count)
    }

    @inline(never)
    private mutating func grow(by room: Int) {
        storage.append(contentsOf: repeatElement(0, count: max(count + room, 2 * storage.count, 256) - storage.count))
    }

    /// Makes room for `room` bytes and calls `write` with it, which says how many it wrote.
    @inline(__always)
    private mutating func extend(_ room: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        if storage.count &- count < room { grow(by: room) }
        let start = count
        count = storage.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return start }
            return start &+ write(base + start)
        }
    }

    @inline(__always)
    mutating func append(byte: UInt8) {
        extend(1) {
            $0.pointee = byte
            return 1
        }
    }

    @inline(__always)
    private mutating func append(_ more: UnsafeRawBufferPointer) {
        guard let source = more.baseAddress else { return }
        extend(more.count) {
            UnsafeMutableRawPointer($0).copyMemory(from: source, byteCount: more.count)
            return more.count
        }
    }

    /// Appends a constant text.
    @inline(__always)
    public mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    // A literal would be a String rather than a StaticString by default, which is built anew every time.
    @_disfavoredOverload
    mutating func append(_ text: String) {
        append(bytes: text.utf8)
    }

    mutating func append(bytes more: some Collection<UInt8>) {
        let isContiguous: Void? = more.withContiguousStorageIfAvailable { append(UnsafeRawBufferPointer($0)) }
        if isContiguous == nil {
            for byte in more { append(byte: byte) }
        }
    }

    // MARK: Room for many pieces at once

    /// Makes room for `room` bytes, which `body` writes as far as it needs them.
    @inline(__always)
    mutating func write(atMost room: Int, _ body: (inout TextWriter) -> Void) {
        extend(room) {
            var writer = TextWriter($0, room: room)
            body(&writer)
            return writer.place - $0
        }
    }

    /// Appends another text.
    @inline(__always)
    mutating func append(contentsOf other: borrowing TextBuffer) {
        let count = other.count
        other.storage.withUnsafeBytes { append(UnsafeRawBufferPointer(start: $0.baseAddress, count: count)) }
    }

    // MARK: Numbers

    @inline(__always)
    mutating func append(_ number: some BinaryInteger) {
        let isNegative = number < 0
        let magnitude = UInt64(number.magnitude)
        write(atMost: TextWriter.Limit.number) {
            if isNegative { $0.append(byte: UInt8(ascii: "-")) }
            $0.append(magnitude)
        }
    }

    /// A number with at least `width` digits.
    mutating func append(magnitude: UInt64, width: Int = 1) {
        write(atMost: max(width, TextWriter.Limit.number)) { $0.append(magnitude: magnitude, width: width) }
    }

    /// `0x` and at least `width` hexadecimal digits.
    mutating func append(hexadecimal number: UInt64, width: Int = 1) {
        write(atMost: max(width, 16) + 2) { $0.append(hexadecimal: number, width: width) }
    }

    mutating func append(hexadecimalByte byte: UInt8) {
        withUnsafeBytes(of: byte) { append(hexadecimal: $0) }
    }

    /// Two hexadecimal digits a byte.
    mutating func append(hexadecimal run: UnsafeRawBufferPointer) {
        write(atMost: 2 * run.count) { $0.append(hexadecimalOf: run) }
    }

    /// A time or duration in nanoseconds as seconds with nine decimals.
    mutating func append(seconds nanoseconds: Int64) {
        write(atMost: TextWriter.Limit.seconds) { $0.append(seconds: nanoseconds) }
    }

    // MARK: Addresses

    mutating func append(_ address: IPAddress) {
        guard let number = address.ipv4Number else { return append(address.description) }
        write(atMost: 15) { $0.append(ipv4: number) }
    }

    /// `address:port`, IPv6 as `[address]:port`.
    mutating func append(_ endpoint: Endpoint) {
        if let number = endpoint.address.ipv4Number {
            write(atMost: 21) {
                $0.append(ipv4: number)
                $0.append(byte: UInt8(ascii: ":"))
                $0.append(UInt32(endpoint.port))
            }
        } else {
            append(byte: UInt8(ascii: "["))
            append(endpoint.address)
            append("]:")
            append(magnitude: UInt64(endpoint.port))
        }
    }

    /// Spaces up to column `column`, counted in bytes from `start`.
    mutating func pad(to column: Int, from start: Int) {
        while count - start < column { append(byte: UInt8(ascii: " ")) }
    }

    // MARK: Foreign text

    /// Text of a protocol, which may hold anything: as it is when it is UTF-8 without control characters, otherwise with `\xNN` for
    /// every byte that is not printable ASCII, and `\\` for a backslash.
    mutating func append(foreign text: UnsafeRawBufferPointer) {
        guard !isPlain(text) else { return append(text) }
        for byte in text {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x20..<0x7F: append(byte: byte)
            default:
                append("\\x")
                append(hexadecimalByte: byte)
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

    // MARK: JSON

    /// A JSON string with everything that JSON wants escaped. `text` is UTF-8.
    mutating func append(quoted text: some Collection<UInt8>) {
        let isContiguous: Void? = text.withContiguousStorageIfAvailable { append(quoted: UnsafeRawBufferPointer($0)) }
        if isContiguous == nil {
            Array(text).withUnsafeBytes { append(quoted: $0) }
        }
    }

    private mutating func append(quoted text: UnsafeRawBufferPointer) {
        append(byte: UInt8(ascii: "\""))
        append(escaped: text)
        append(byte: UInt8(ascii: "\""))
    }

    /// The inside of a JSON string.
    mutating func append(escaped text: borrowing TextBuffer) {
        let count = text.count
        text.storage.withUnsafeBytes { append(escaped: UnsafeRawBufferPointer(start: $0.baseAddress, count: count)) }
    }

    private mutating func append(escaped text: UnsafeRawBufferPointer) {
        guard Self.needsEscapes(text) else { return append(text) }
        for byte in text { append(escaped: byte) }
    }

    /// Whether a byte below 0x20, a quote or a backslash is in `text`.
    private static func needsEscapes(_ text: UnsafeRawBufferPointer) -> Bool {
        // Eight bytes at once. A byte is below a small `limit` when taking it away sets the upper bit that the byte itself has not; bytes
        // behind the first such one may be marked too, which does not matter.
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var place = 0
        while place &+ 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let found = ((word &- (ones &* 0x20)) & ~word) | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
            if found & tops != 0 { return true }
            place &+= 8
        }
        while place < text.count {
            let byte = text[place]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return true }
            place &+= 1
        }
        return false
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0..<0x20:
            append("\\u00")
            append(hexadecimalByte: byte)
        default: append(byte: byte)
        }
    }

    /// A JSON string of a protocol's text: `append(foreign:)`, escaped.
    mutating func append(quotedForeign text: UnsafeRawBufferPointer) {
        guard !isPlain(text) else { return append(quoted: text) }
        var escaped = TextBuffer()
        escaped.append(foreign: text)
        append(quoted: escaped.bytes)
    }

    mutating func append(quoted text: StaticString) {
        append(quoted: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// Texts that are built and thrown away together.
public struct TextList: Sendable {
    private var buffer = TextBuffer()
    private var ends: [Int] = []
    /// Number of texts.
    public private(set) var count = 0

    /// An empty list.
    public init() {}

    /// Whether there is none.
    public var isEmpty: Bool { count == 0 }

    mutating func removeAll() {
        guard count > 0 else { return }
        count = 0
        buffer.removeAll()
        ends.removeAll(keepingCapacity: true)
    }

    /// Adds the text that `build` appends to its argument.
    mutating func add(_ build: (inout TextBuffer) -> Void) {
        build(&buffer)
        ends.append(buffer.count)
        count += 1
    }

    /// The text at `index` as UTF-8.
    public subscript(index: Int) -> ArraySlice<UInt8> {
        buffer.bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// All texts.
    public var strings: [String] { (0..<count).map { String(decoding: self[$0], as: UTF8.self) } }
}
