/// Records of the kernel DLM, constructed (reference/cman-wire.md 12.2), for there are no recordings.
enum DLMSeed {
    static let bytes: [UInt8] =
        lockRequest + [1, 0, 1, 0, 5, 0, 72, 0] + zeros(8 + 56) + [5, 0, 68, 0] + zeros(8 + 56) + [1, 0, 1, 0, 21, 0, 28, 0] + zeros(12)
        + [4, 0, 0, 3, 0, 0, 0, 2] + [1, 0, 2, 0, 2, 0, 0, 1, 3, 0, 0, 0, 104, 0, 1, 0, 1, 0, 0, 0] + zeros(84)

    private static let lockRequest: [UInt8] = [1, 0, 1, 0, 2, 0, 94, 0] + zeros(82) + Array("vg00".utf8)

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}
