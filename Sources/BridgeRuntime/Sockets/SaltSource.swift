import CLinuxNet

/// The system's random source, read for many packets at once: a system call per packet would cost as much as sealing it.
struct SaltSource: RandomNumberGenerator {
    private var words = [UInt64](repeating: 0, count: 128)
    private var position = 128

    mutating func next() -> UInt64 {
        if position == words.count { refill() }
        defer { position += 1 }
        return words[position]
    }

    private mutating func refill() {
        position = 0
        let result = words.withUnsafeMutableBytes { linuxnet_random($0.baseAddress, $0.count) }
        guard result != 0 else { return }
        // A kernel without getrandom; the standard library knows another way.
        var generator = SystemRandomNumberGenerator()
        for index in words.indices { words[index] = generator.next() }
    }
}
