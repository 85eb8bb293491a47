import Captures
import Glibc

/// A capture file: every frame of it is read and its headers are taken off.
struct CaptureTarget: FuzzTarget {
    /// A file without a name, which is read by its descriptor.
    private let descriptor: CInt = {
        var name = Array("/tmp/fuzz-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        unlink(name)
        return descriptor
    }()

    func run(_ input: UnsafeRawBufferPointer) {
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, input.baseAddress, input.count, 0) == input.count,
            let reader = try? PacketReader(path: "/proc/self/fd/\(descriptor)")
        else { return }
        var decapsulator = Decapsulator()
        while let packet = try? reader.next() {
            let content = decapsulator.decapsulate(packet)
            let count = decapsulator.withPayload(of: content, in: packet) { $0.count }
            if count > content.length { fatalError("more payload than the headers tell") }
        }
    }
}
