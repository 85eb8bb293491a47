/// Bytes to be looked for, in time that is linear in what is searched whatever both hold (Knuth, Morris and Pratt).
struct SearchedBytes: Sendable {
    private let bytes: [UInt8]
    /// For every length of what has matched, how much of it still matches when the next byte does not.
    private let fallback: [Int]

    init(_ bytes: [UInt8]) {
        var fallback = [Int](repeating: 0, count: bytes.count + 1)
        var matched = 0
        for index in bytes.indices.dropFirst() {
            while matched > 0, bytes[index] != bytes[matched] { matched = fallback[matched] }
            if bytes[index] == bytes[matched] { matched += 1 }
            fallback[index + 1] = matched
        }
        self.bytes = bytes
        self.fallback = fallback
    }

    /// Whether they occur in `run`; none at all occur everywhere.
    func occur(in run: UnsafeRawBufferPointer) -> Bool {
        guard !bytes.isEmpty else { return true }
        var matched = 0
        for byte in run {
            while matched > 0, byte != bytes[matched] { matched = fallback[matched] }
            if byte == bytes[matched] { matched += 1 }
            if matched == bytes.count { return true }
        }
        return false
    }
}
