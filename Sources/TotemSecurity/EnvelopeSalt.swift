/// The 16 bytes that make every packet's encryption its own: fresh and random for each (reference/totem-wire.md 2).
public struct EnvelopeSalt: Sendable, Hashable {
    /// Number of bytes.
    public static let size = EnvelopeLayout.saltSize

    private let words: [2 of UInt64]

    /// A salt drawn from `generator`; outside tests that is the system's random source.
    public init(using generator: inout some RandomNumberGenerator) {
        words = [generator.next(), generator.next()]
    }

    /// The salt that `bytes` hold; nil when they are not 16.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        var words: [2 of UInt64] = [0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
        self.words = [UInt64(littleEndian: words[0]), UInt64(littleEndian: words[1])]
    }

    public static func == (left: EnvelopeSalt, right: EnvelopeSalt) -> Bool {
        left.words[0] == right.words[0] && left.words[1] == right.words[1]
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words[0])
        hasher.combine(words[1])
    }

    /// Hands the bytes to `body`; they are valid during the call only.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Swift.withUnsafeBytes(of: words, body)
    }
}
