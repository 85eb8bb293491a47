import CZlib

/// Inflates messages that were compressed one by one with zlib (RFC 1950), as knet's are (reference/totem-wire.md 6.1). What a message may
/// become is bounded, and the memory is used again.
public final class MessageInflater {
    /// The longest message that comes out, in bytes.
    public let limit: Int

    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutableRawBufferPointer

    /// An inflater of messages of at most `limit` bytes.
    public init(limit: Int) {
        self.limit = limit
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        output = .allocate(byteCount: max(limit, 1), alignment: 16)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    /// The message that was compressed to `bytes`, valid until the next one is inflated; nil when they are no whole zlib stream, or when
    /// the message is longer than the limit. Bytes behind the stream are left alone, as by knet (uncompress, compress_zlib.c@kn).
    public func inflate(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard isReady(), let source = bytes.bindMemory(to: UInt8.self).baseAddress else { return nil }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: source)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(clamping: limit)
        let result = CZlib.inflate(stream, Z_FINISH)
        stream.pointee.next_in = nil
        guard result == Z_STREAM_END else { return nil }
        return UnsafeRawBufferPointer(rebasing: output[..<(limit - Int(stream.pointee.avail_out))])
    }

    private func isReady() -> Bool {
        if stream.pointee.state != nil { return inflateReset(stream) == Z_OK }
        return inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    }
}
