/// The stream cipher of openais and corosync 1 (reference/totem-wire.md 2.1), keyed.
///
/// It is SOBER-128 as those daemons have it: 17 registers of 32 bits, of which this keeps the state after the key was taken in. Every
/// packet starts from there, so that a key is scheduled once.
struct Sober128: Sendable {
    private static let registerCount = 17

    private var registers = InlineArray<17, UInt32>(repeating: 0)
    private var constant: UInt32 = 0x6996_C53A

    /// Takes in a key of any length that is a multiple of 4; none is a key too.
    init(key: UnsafeRawBufferPointer) {
        precondition(key.count % 4 == 0)
        registers[0] = 1
        registers[1] = 1
        for index in 2..<Self.registerCount { registers[index] = registers[index - 1] &+ registers[index - 2] }
        var scheduled = self
        withGenerator { generator in
            generator.load(key)
            repeat {
                generator.cycle()
                scheduled.constant = generator.output()
            } while scheduled.constant & 0xFF00_0000 == 0
            for index in 0..<Self.registerCount { scheduled.registers[index] = generator[index] }
        }
        self = scheduled
    }

    /// XORs the keystream that belongs to `initializationVector` into `buffer`, from the keystream's first byte on. Without a vector
    /// it is the keystream of the key alone. The vector's length is a multiple of 4.
    func apply(initializationVector: UnsafeRawBufferPointer?, to buffer: UnsafeMutableRawBufferPointer) {
        precondition((initializationVector?.count ?? 0) % 4 == 0)
        withGenerator { generator in
            if let initializationVector { generator.load(initializationVector) }
            var offset = 0
            while offset + 4 <= buffer.count {
                let word = buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                buffer.storeBytes(of: word ^ generator.next().littleEndian, toByteOffset: offset, as: UInt32.self)
                offset += 4
            }
            guard offset < buffer.count else { return }
            var word = generator.next()
            while offset < buffer.count {
                buffer[offset] ^= UInt8(truncatingIfNeeded: word)
                word >>= 8
                offset += 1
            }
        }
    }

    private func withGenerator(_ body: (inout Generator) -> Void) {
        Sober128Tables.multiplication.withUnsafeBufferPointer { multiplication in
            Sober128Tables.substitution.withUnsafeBufferPointer { substitution in
                withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Generator.windowSize) { window in
                    for index in 0..<Self.registerCount { window[index] = registers[index] }
                    var generator = Generator(
                        window: window,
                        constant: constant,
                        multiplication: multiplication,
                        substitution: substitution
                    )
                    body(&generator)
                }
            }
        }
    }

    /// The running cipher. The shift register is a window that moves over a larger buffer, so that nothing is shifted.
    private struct Generator {
        static let windowSize = 8 * Sober128.registerCount

        let window: UnsafeMutableBufferPointer<UInt32>
        let constant: UInt32
        let multiplication: UnsafeBufferPointer<UInt32>
        let substitution: UnsafeBufferPointer<UInt32>
        var start = 0

        init(
            window: UnsafeMutableBufferPointer<UInt32>,
            constant: UInt32,
            multiplication: UnsafeBufferPointer<UInt32>,
            substitution: UnsafeBufferPointer<UInt32>
        ) {
            self.window = window
            self.constant = constant
            self.multiplication = multiplication
            self.substitution = substitution
        }

        /// Register R`index`.
        @inline(__always)
        subscript(index: Int) -> UInt32 {
            get { window[start &+ index] }
            nonmutating set { window[start &+ index] = newValue }
        }

        /// One step of the shift register.
        @inline(__always)
        mutating func cycle() {
            let first = self[0]
            let feedback = self[15] ^ self[4] ^ (first << 8) ^ multiplication[Int(first >> 24)]
            if start &+ Sober128.registerCount == window.count {
                for index in 1..<Sober128.registerCount { window[index &- 1] = self[index] }
                start = 0
            } else {
                start &+= 1
            }
            self[16] = feedback
        }

        /// The nonlinear filter over the registers.
        @inline(__always)
        func output() -> UInt32 {
            var word = self[0] &+ self[16]
            word ^= substitution[Int(word >> 24)]
            word = word >> 8 | word << 24
            word = ((word &+ self[1]) ^ constant) &+ self[6]
            word ^= substitution[Int(word >> 24)]
            return word &+ self[13]
        }

        /// The next four bytes of the keystream, the first one lowest.
        @inline(__always)
        mutating func next() -> UInt32 {
            cycle()
            return output()
        }

        /// Takes in a key or an initialization vector.
        mutating func load(_ bytes: UnsafeRawBufferPointer) {
            for offset in stride(from: 0, to: bytes.count, by: 4) {
                self[15] &+= UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                mix()
            }
            self[15] &+= UInt32(truncatingIfNeeded: bytes.count)
            for _ in 0..<Sober128.registerCount { mix() }
        }

        @inline(__always)
        private mutating func mix() {
            cycle()
            self[4] ^= output()
        }
    }
}
