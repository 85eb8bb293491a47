/// Numbers by which payloads are told apart. They are different in every run, so that nobody can prepare payloads that have the same.
struct PayloadDigest: Sendable {
    private let seed = UInt64.random(in: .min ... .max)
    private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The number of `bytes`. Four words at once, because each step waits for the one before.
    func digest(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var (first, second, third, fourth) = (seed, seed &+ 1, seed &+ 2, seed &+ 3)
        var place = 0
        while place &+ 32 <= bytes.count {
            Self.mix(&first, bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            Self.mix(&second, bytes.loadUnaligned(fromByteOffset: place &+ 8, as: UInt64.self))
            Self.mix(&third, bytes.loadUnaligned(fromByteOffset: place &+ 16, as: UInt64.self))
            Self.mix(&fourth, bytes.loadUnaligned(fromByteOffset: place &+ 24, as: UInt64.self))
            place &+= 32
        }
        while place &+ 8 <= bytes.count {
            Self.mix(&first, bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            place &+= 8
        }
        var rest: UInt64 = 0
        while place < bytes.count {
            rest = rest << 8 ^ UInt64(bytes[place])
            place &+= 1
        }
        Self.mix(&first, second)
        Self.mix(&first, third)
        Self.mix(&first, fourth)
        Self.mix(&first, rest)
        Self.mix(&first, UInt64(bytes.count))
        return first
    }

    @inline(__always)
    private static func mix(_ state: inout UInt64, _ word: UInt64) {
        let (high, low) = (state ^ word).multipliedFullWidth(by: factor)
        state = high ^ low
    }
}
