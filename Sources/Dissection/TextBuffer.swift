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

    // MARK: Numbers

    mutating func append(_ number: some BinaryInteger) {
        if number < 0 { append(byte: UInt8(ascii: "-")) }
        append(magnitude: UInt64(number.magnitude))
    }

    /// A number with at least `width` digits.
    mutating func append(magnitude: UInt64, width: Int = 1) {
        extend(max(width, 20)) { Self.write(magnitude, to: $0, width: width) }
    }

    /// Writes a number with at least `width` digits, and says how many it has.
    @inline(__always)
    private static func write(_ number: UInt64, to target: UnsafeMutablePointer<UInt8>, width: Int = 1) -> Int {
        var digits = 1
        var limit: UInt64 = 10
        // 2^64 has 20 digits.
        while number >= limit, digits < 20 {
            digits &+= 1
            limit &*= 10
        }
        digits = max(digits, width)
        let pairs: StaticString = """
            0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
            5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
            """
        var rest = number
        var place = digits
        while place >= 2 {
            let quotient = rest / 100
            let pair = 2 &* Int(truncatingIfNeeded: rest &- quotient &* 100)
            place &-= 2
            target[place] = pairs.utf8Start[pair]
            target[place &+ 1] = pairs.utf8Start[pair &+ 1]
            rest = quotient
        }
        if place == 1 { target[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest) }
        return digits
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }

    /// `0x` and at least `width` hexadecimal digits.
    mutating func append(hexadecimal number: UInt64, width: Int = 1) {
        append("0x")
        let digits = max(width, (UInt64.bitWidth - number.leadingZeroBitCount + 3) / 4)
        extend(digits) { target in
            for place in 0..<digits {
                target[digits - 1 - place] = Self.hexadecimalDigit(UInt8(truncatingIfNeeded: number >> UInt64(4 * place) & 15))
            }
            return digits
        }
    }

    mutating func append(hexadecimalByte byte: UInt8) {
        extend(2) {
            $0[0] = Self.hexadecimalDigit(byte >> 4)
            $0[1] = Self.hexadecimalDigit(byte & 15)
            return 2
        }
    }

    /// Two hexadecimal digits a byte.
    mutating func append(hexadecimal run: UnsafeRawBufferPointer) {
        extend(2 * run.count) { target in
            for (index, byte) in run.enumerated() {
                target[2 * index] = Self.hexadecimalDigit(byte >> 4)
                target[2 * index + 1] = Self.hexadecimalDigit(byte & 15)
            }
            return 2 * run.count
        }
    }

    /// A time or duration in nanoseconds as seconds with nine decimals.
    mutating func append(seconds nanoseconds: Int64) {
        if nanoseconds < 0 { append(byte: UInt8(ascii: "-")) }
        let (seconds, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        extend(30) { target in
            let digits = Self.write(seconds, to: target)
            target[digits] = UInt8(ascii: ".")
            return digits &+ 1 &+ Self.write(rest, to: target + digits + 1, width: 9)
        }
    }

    // MARK: Addresses

    mutating func append(_ address: IPAddress) {
        guard let number = address.ipv4Number else { return append(address.description) }
        extend(15) { Self.write(ipv4: number, to: $0) }
    }

    @inline(__always)
    private static func write(ipv4 number: UInt32, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var count = write(UInt64(number >> 24), to: target)
        var shift: UInt32 = 24
        while shift > 0 {
            shift &-= 8
            target[count] = UInt8(ascii: ".")
            count &+= 1
            count &+= write(UInt64(number >> shift & 255), to: target + count)
        }
        return count
    }

    /// `address:port`, IPv6 as `[address]:port`.
    mutating func append(_ endpoint: Endpoint) {
        if let number = endpoint.address.ipv4Number {
            extend(21) { target in
                let count = Self.write(ipv4: number, to: target)
                target[count] = UInt8(ascii: ":")
                return count &+ 1 &+ Self.write(UInt64(endpoint.port), to: target + count + 1)
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
        if text.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            append(text)
        } else {
            for byte in text { append(escaped: byte) }
        }
        append(byte: UInt8(ascii: "\""))
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

    /// A JSON key and its colon: what stands in `path` from `start` on, and `name`. Names of fields need no escapes.
    @inline(__always)
    mutating func append(key path: TextBuffer, from start: Int, _ name: StaticString) {
        let (pathCount, nameCount) = (path.count - start, name.utf8CodeUnitCount)
        path.storage.withUnsafeBytes { path in
            extend(pathCount + nameCount + 3) { target in
                target[0] = UInt8(ascii: "\"")
                let target = UnsafeMutableRawPointer(target) + 1
                if let source = path.baseAddress { target.copyMemory(from: source + start, byteCount: pathCount) }
                (target + pathCount).copyMemory(from: name.utf8Start, byteCount: nameCount)
                (target + pathCount + nameCount).storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
                (target + pathCount + nameCount + 1).storeBytes(of: UInt8(ascii: ":"), as: UInt8.self)
                return pathCount + nameCount + 3
            }
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

    /// An empty list.
    public init() {}

    /// Number of texts.
    public var count: Int { ends.count }
    /// Whether there is none.
    public var isEmpty: Bool { ends.isEmpty }

    mutating func removeAll() {
        guard !ends.isEmpty else { return }
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
