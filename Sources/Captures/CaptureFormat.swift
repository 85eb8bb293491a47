import WireFormat

/// A kind of capture file, as `PacketReader` reads it.
protocol CaptureFormat: AnyObject {
    /// The interfaces of the packets read so far.
    var interfaces: [CaptureInterface] { get }
    /// Whether the next packet is there without waiting for a pipe.
    var hasNext: Bool { get }
    /// The next packet, which is number `frame`; nil at the end of the file.
    func next(_ frame: Int) throws(CaptureError) -> CapturedPacket?
}

extension WireStructure {
    /// Reads a structure of a capture file from bytes that are enough for it; of fewer it would be zeros.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, _ byteOrder: ByteOrder) {
        self.init()
        var reader = WireReader(bytes, byteOrder: byteOrder)
        do throws(WireError) { try visit(&reader) } catch { self.init() }
    }
}

/// A 32-bit number of a capture file.
struct CaptureNumber: WireStructure {
    static let size = 4

    var value: UInt32 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("value", &value, .hexadecimal)
    }
}
