/// Memory for one decrypted datagram, which is used again for the next one.
final class PlaintextBuffer {
    /// No UDP datagram is longer.
    static let capacity = 65_536

    let bytes: UnsafeMutableRawBufferPointer

    init() {
        bytes = .allocate(byteCount: Self.capacity, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        bytes.deallocate()
    }
}
