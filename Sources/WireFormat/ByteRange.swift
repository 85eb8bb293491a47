/// A run of bytes inside a packet, by position. Messages carry payloads as ranges so that reading one copies nothing.
@frozen
public struct ByteRange: Hashable, Sendable {
    /// Offset of the first byte from the start of the buffer that was read.
    public var start: Int
    /// Number of bytes.
    public var count: Int

    /// A run of `count` bytes from `start`.
    @inlinable
    public init(start: Int = 0, count: Int = 0) {
        self.start = start
        self.count = count
    }

    /// Offset of the first byte after the run.
    @inlinable
    public var end: Int { start + count }

    /// The same run as a range of offsets.
    @inlinable
    public var range: Range<Int> { start..<end }
}
