import Captures
import TotemWire
import WireFormat

/// Writes text into room that `TextBuffer.write(atMost:)` made for it. It does not look whether there is room left: whoever writes says
/// before how much it is at most, from the greatest lengths of numbers and names. Debug builds look.
struct TextWriter {
    /// Where the next byte goes.
    private(set) var place: UnsafeMutablePointer<UInt8>
    /// Behind the last byte of the room.
    private let end: UnsafeMutablePointer<UInt8>

    /// Greatest lengths of what can be written.
    enum Limit {
        /// A number of 64 bits with its sign.
        static let number = 20
        /// A time or duration: sign, seconds, point, nine decimals.
        static let seconds = 31
        /// A ring.
        static let ring = 32
        /// A protocol, dialect or message of Totem; longer names go through `TextBuffer.append`.
        static let name = 64
    }

    /// A writer into `room` bytes from `place` on.
    @inline(__always)
    init(_ place: UnsafeMutablePointer<UInt8>, room: Int) {
        self.place = place
        end = place + room
    }

    /// Bytes that can still be written.
    @inline(__always)
    var room: Int { end - place }

    /// Goes on behind `count` bytes that were written at `place`.
    @inline(__always)
    mutating func advance(_ count: Int) {
        assert(count <= room)
        place += count
    }

    @inline(__always)
    mutating func append(byte: UInt8) {
        assert(room >= 1)
        place.pointee = byte
        place += 1
    }

    /// A constant text; of a literal the bytes are stored without a call.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(text.utf8Start, text.utf8CodeUnitCount)
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        assert(bytes.count <= room)
        UnsafeMutableRawPointer(place).copyMemory(from: start, byteCount: bytes.count)
        place += bytes.count
    }

    /// A name that is not known when this is compiled. Most are short: two words that may overlap are sooner copied than called for.
    @inline(__always)
    mutating func append(name: StaticString) {
        append(short: name.utf8Start, name.utf8CodeUnitCount)
    }

    /// `count` bytes, most often no more than 16.
    @inline(__always)
    mutating func append(short start: UnsafePointer<UInt8>, _ count: Int) {
        assert(count <= room)
        let (source, target) = (UnsafeRawPointer(start), UnsafeMutableRawPointer(place))
        if count >= 8, count <= 16 {
            Self.copyEnds(UInt64.self, source, target, count)
        } else if count >= 4, count < 8 {
            Self.copyEnds(UInt32.self, source, target, count)
        } else {
            target.copyMemory(from: source, byteCount: count)
        }
        place += count
    }

    /// Copies the first and the last word of `count` bytes, which are no fewer than a word has and no more than two have.
    @inline(__always)
    private static func copyEnds<Word: FixedWidthInteger & BitwiseCopyable>(
        _: Word.Type,
        _ source: UnsafeRawPointer,
        _ target: UnsafeMutableRawPointer,
        _ count: Int
    ) {
        let last = count &- MemoryLayout<Word>.size
        let (head, tail) = (source.loadUnaligned(as: Word.self), source.loadUnaligned(fromByteOffset: last, as: Word.self))
        target.storeBytes(of: head, as: Word.self)
        target.storeBytes(of: tail, toByteOffset: last, as: Word.self)
    }

    @inline(__always)
    mutating func append(_ start: UnsafePointer<UInt8>, _ count: Int) {
        assert(count <= room)
        UnsafeMutableRawPointer(place).copyMemory(from: start, byteCount: count)
        place += count
    }

    /// A name in quotes, which needs no escapes.
    @inline(__always)
    mutating func append(quoted name: StaticString) {
        append(byte: UInt8(ascii: "\""))
        append(name: name)
        append(byte: UInt8(ascii: "\""))
    }

    // MARK: Numbers

    /// `00` to `99`.
    private static let pairs: StaticString = """
        0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
        5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
        """

    /// Both digits of a number below 100 at `target`.
    @inline(__always)
    private static func writePair(_ number: UInt32, at target: UnsafeMutablePointer<UInt8>) {
        let pair = UnsafeRawPointer(pairs.utf8Start).loadUnaligned(fromByteOffset: 2 &* Int(number), as: UInt16.self)
        UnsafeMutableRawPointer(target).storeBytes(of: pair, as: UInt16.self)
    }

    /// The last `count` digits of `number`, which has no more of them, at `place`.
    @inline(__always)
    private func write(_ number: UInt32, digits count: Int) {
        var rest = number
        var target = place + count
        while target - place >= 2 {
            let quotient = rest / 100
            target -= 2
            Self.writePair(rest &- quotient &* 100, at: target)
            rest = quotient
        }
        if target > place { place.pointee = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest) }
    }

    @inline(__always)
    private static func digits(of number: UInt32) -> Int {
        // Numbers are short far more often than not.
        if number < 100 { return number < 10 ? 1 : 2 }
        if number < 10_000 { return number < 1000 ? 3 : 4 }
        if number < 1_000_000 { return number < 100_000 ? 5 : 6 }
        if number < 100_000_000 { return number < 10_000_000 ? 7 : 8 }
        return number < 1_000_000_000 ? 9 : 10
    }

    @inline(__always)
    mutating func append(_ number: UInt32) {
        let digits = Self.digits(of: number)
        assert(digits <= room)
        write(number, digits: digits)
        place += digits
    }

    @inline(__always)
    mutating func append(_ number: UInt64) {
        if number >> 32 == 0 { append(UInt32(truncatingIfNeeded: number)) } else { append(long: number) }
    }

    @inline(__always)
    mutating func append(_ number: Int64) {
        if number < 0 { append(byte: UInt8(ascii: "-")) }
        append(number.magnitude)
    }

    @inline(__always)
    mutating func append(_ number: Int) {
        append(Int64(number))
    }

    /// A number with more than 32 bits.
    @inline(never)
    private mutating func append(long number: UInt64) {
        let (upper, lower) = number.quotientAndRemainder(dividingBy: 100_000_000)
        append(upper)
        append(digits: UInt32(truncatingIfNeeded: lower), count: 8)
    }

    /// A number with zeros in front, so that it has `count` digits; it has no more of them.
    @inline(__always)
    mutating func append(digits number: UInt32, count: Int) {
        assert(count <= room)
        write(number, digits: count)
        place += count
    }

    /// A number with zeros in front, so that it has at least `width` digits.
    mutating func append(magnitude number: UInt64, width: Int) {
        var limit: UInt64 = 10
        var digits = 1
        // 2^64 has 20 digits.
        while digits < 20, number >= limit {
            digits += 1
            limit &*= 10
        }
        for _ in 0..<max(0, width - digits) { append(byte: UInt8(ascii: "0")) }
        append(number)
    }

    /// A time or duration in nanoseconds as seconds with nine decimals.
    @inline(__always)
    mutating func append(seconds nanoseconds: Int64) {
        if nanoseconds < 0 { append(byte: UInt8(ascii: "-")) }
        let magnitude = nanoseconds.magnitude
        let seconds = magnitude / 1_000_000_000
        append(seconds)
        append(byte: UInt8(ascii: "."))
        append(digits: UInt32(truncatingIfNeeded: magnitude &- seconds &* 1_000_000_000), count: 9)
    }

    /// A ring: representative and sequence number.
    @inline(__always)
    mutating func append(_ ring: RingID) {
        append(ring.representative)
        append(byte: UInt8(ascii: "."))
        append(ring.sequence)
    }

    // MARK: Hexadecimal

    private static let hexadecimal: StaticString = "0123456789abcdef"

    /// `00` to `ff`.
    private static let hexadecimalPairs: StaticString = """
        000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\
        404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f\
        808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf\
        c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
        """

    /// `0x` and at least `width` digits.
    mutating func append(hexadecimal number: UInt64, width: Int) {
        append("0x")
        var digits = max(width, (UInt64.bitWidth - number.leadingZeroBitCount + 3) / 4)
        while digits > 0 {
            digits -= 1
            append(byte: Self.hexadecimal.utf8Start[Int(truncatingIfNeeded: number >> UInt64(4 * digits) & 15)])
        }
    }

    /// Two hexadecimal digits a byte.
    mutating func append(hexadecimalOf run: UnsafeRawBufferPointer) {
        assert(2 * run.count <= room)
        let pairs = UnsafeRawPointer(Self.hexadecimalPairs.utf8Start)
        for byte in run {
            UnsafeMutableRawPointer(place).storeBytes(
                of: pairs.loadUnaligned(fromByteOffset: 2 &* Int(byte), as: UInt16.self),
                as: UInt16.self
            )
            place += 2
        }
    }

    // MARK: Addresses

    /// Dotted decimal.
    @inline(__always)
    mutating func append(ipv4 number: UInt32) {
        append(octet: number >> 24)
        append(byte: UInt8(ascii: "."))
        append(octet: number >> 16 & 255)
        append(byte: UInt8(ascii: "."))
        append(octet: number >> 8 & 255)
        append(byte: UInt8(ascii: "."))
        append(octet: number & 255)
    }

    @inline(__always)
    private mutating func append(octet: UInt32) {
        let digits = octet < 10 ? 1 : octet < 100 ? 2 : 3
        write(octet, digits: digits)
        place += digits
    }
}
