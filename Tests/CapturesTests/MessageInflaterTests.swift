import Captures
import Testing

@Suite struct MessageInflaterTests {
    private static let message = Array(String(repeating: "Totem test packet ", count: 40).utf8)

    /// What `zlib.compress` of Python makes of it.
    private static let compressed: [UInt8] = [
        0x78, 0x9C, 0x0B, 0xC9, 0x2F, 0x49, 0xCD, 0x55, 0x28, 0x49, 0x2D, 0x2E, 0x51, 0x28, 0x48, 0x4C,
        0xCE, 0x4E, 0x2D, 0x51, 0x08, 0x19, 0x15, 0x19, 0x15, 0x19, 0xB2, 0x22, 0x00, 0xBB, 0xEB, 0x09,
        0x38,
    ]

    private func inflate(_ inflater: MessageInflater, _ bytes: [UInt8]) -> [UInt8]? {
        bytes.withUnsafeBytes { bytes in inflater.inflate(bytes).map { Array($0) } }
    }

    @Test func messagesComeOutOneAfterTheOther() {
        let inflater = MessageInflater(limit: 65_536)
        for _ in 0..<3 { #expect(inflate(inflater, Self.compressed) == Self.message) }
        #expect(inflate(inflater, Self.compressed + [1, 2, 3]) == Self.message)
    }

    @Test func halfAMessageIsNone() {
        let inflater = MessageInflater(limit: 65_536)
        for count in 0..<Self.compressed.count { #expect(inflate(inflater, Array(Self.compressed.prefix(count))) == nil) }
        #expect(inflate(inflater, Self.compressed) == Self.message)
    }

    @Test func aDamagedMessageIsNone() {
        let inflater = MessageInflater(limit: 65_536)
        for index in Self.compressed.indices {
            var damaged = Self.compressed
            damaged[index] ^= 0x10
            #expect(inflate(inflater, damaged) == nil, "byte \(index)")
        }
    }

    @Test func aMessageAboveTheLimitIsNone() {
        #expect(inflate(MessageInflater(limit: Self.message.count), Self.compressed) == Self.message)
        #expect(inflate(MessageInflater(limit: Self.message.count - 1), Self.compressed) == nil)
        #expect(inflate(MessageInflater(limit: 0), Self.compressed) == nil)
    }
}
