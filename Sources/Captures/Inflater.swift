import CZlib

/// Inflates a gzip'd file piece by piece (RFC 1952), with any number of members.
final class Inflater {
    /// What a gzip'd file begins with.
    static let magic: [UInt8] = [0x1F, 0x8B]

    private static let inputSize = 1 << 16
    /// `windowBits` of zlib for the largest window and a gzip header (zlib.h, inflateInit2).
    private static let gzipWindowBits: Int32 = 15 + 16

    private let name: String
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private var isBetweenMembers = true
    private var hasEnded = false

    /// An inflater of the file `name`, of which `beginning` was read already.
    init(name: String, beginning: UnsafeRawBufferPointer) throws(CaptureError) {
        self.name = name
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        input = .allocate(byteCount: max(Self.inputSize, beginning.count), alignment: 16)
        guard inflateInit2_(stream, Self.gzipWindowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw CaptureError(path: name, reason: "no memory to inflate it")
        }
        input.copyMemory(from: beginning)
        give(beginning.count)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    private func give(_ count: Int) {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
    }

    /// Puts inflated bytes into `room` and says how many; 0 at the end of the file. `read` reads on in the file itself, and says 0 at its
    /// end.
    func inflate(
        into room: UnsafeMutableRawBufferPointer,
        read: (UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int
    ) throws(CaptureError) -> Int {
        while !hasEnded {
            if stream.pointee.avail_in == 0 {
                let count = try read(input)
                guard count > 0 else {
                    hasEnded = true
                    if isBetweenMembers { break }
                    throw CaptureError(path: name, reason: "the compressed data end too early")
                }
                give(count)
            }
            if isBetweenMembers {
                // What comes behind the last member and is no member is no part of the file, as for gzip itself.
                guard stream.pointee.next_in.pointee == Self.magic[0] else {
                    hasEnded = true
                    break
                }
                isBetweenMembers = false
            }
            stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room.count)
            let code = CZlib.inflate(stream, Z_NO_FLUSH)
            let count = room.count - Int(stream.pointee.avail_out)
            switch code {
            case Z_STREAM_END:
                isBetweenMembers = true
                inflateReset(stream)
            case Z_OK, Z_BUF_ERROR: break
            default:
                hasEnded = true
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "no memory"
                throw CaptureError(path: name, reason: "the compressed data are damaged: \(reason)")
            }
            if count > 0 { return count }
        }
        return 0
    }
}
