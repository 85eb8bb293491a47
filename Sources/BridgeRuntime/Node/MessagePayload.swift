/// Payloads as the line interface writes and reports them.
enum MessagePayload {
    /// The bytes of a payload argument: `hex:0aff`, `size:1000` (bytes that count up), or text as it is. Nil for bad hexadecimal.
    static func bytes(of argument: Substring) -> [UInt8]? {
        if argument.hasPrefix("hex:") {
            let digits = argument.dropFirst(4).utf8.map { $0 }
            guard digits.count % 2 == 0 else { return nil }
            var bytes: [UInt8] = []
            for index in stride(from: 0, to: digits.count, by: 2) {
                guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else { return nil }
                bytes.append(byte)
            }
            return bytes
        }
        if argument.hasPrefix("size:") {
            guard let count = Int(argument.dropFirst(5)), (0...1 << 20).contains(count) else { return nil }
            return (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        }
        return Array(argument.utf8)
    }

    /// `size` bytes: `<tag>-<number>;` as far as it fits, then bytes of which each is its place in the message.
    static func filled(tag: [UInt8], number: Int, size: Int) -> [UInt8] {
        let text = tag + Array("-\(number);".utf8)
        return (0..<size).map { $0 < text.count ? text[$0] : UInt8(truncatingIfNeeded: $0) }
    }

    /// The FNV-1a hash of 32 bits, in eight hexadecimal digits.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> String {
        var hash: UInt32 = 0x811C_9DC5
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The payload as text, when it is short and printable.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count <= 256, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        return text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? text : nil
    }
}
