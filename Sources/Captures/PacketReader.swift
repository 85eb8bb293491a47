import CPcap
import CZlib
import Glibc

/// A frame of a capture file. Its bytes are valid until the next one is read.
public struct CapturedPacket {
    /// Its number in the file, from 1.
    public var frame: Int
    /// When it was recorded, in nanoseconds since 1970-01-01 00:00 UTC.
    public var time: Int64
    /// What its bytes start with.
    public var linkType: LinkType
    /// How long it was on the wire; more than `bytes.count` when the recording cut it.
    public var originalLength: Int
    /// What was recorded of it.
    public var bytes: UnsafeRawBufferPointer

    /// Makes a frame of bytes that were not read from a file.
    public init(frame: Int, time: Int64, linkType: LinkType, originalLength: Int, bytes: UnsafeRawBufferPointer) {
        self.frame = frame
        self.time = time
        self.linkType = linkType
        self.originalLength = originalLength
        self.bytes = bytes
    }
}

/// Reads the frames of a capture file one after the other: pcap, and pcapng as far as libpcap reads it, plain or gzip'd.
///
/// Memory use does not depend on the size of the file, and reading a frame allocates nothing.
public final class PacketReader {
    /// The longest frame that libpcap reads and writes (its MAXIMUM_SNAPLEN).
    static let frameLimit: Int32 = 262_144

    /// The file, as the caller named it.
    public let path: String
    /// The link layer of all frames of the file.
    public let linkType: LinkType

    private let handle: OpaquePointer
    /// Owned by `handle`; asked for errors that libpcap cannot know.
    private let compressed: gzFile
    private var frame = 0

    /// Opens the file `path`; `-` is the standard input.
    public init(path: String) throws(CaptureError) {
        self.path = path
        let standardInput = path == "-"
        let name = standardInput ? "standard input" : path
        let descriptor = standardInput ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CaptureError(path: name, reason: String(cString: strerror(errno))) }
        guard let compressed = gzdopen(descriptor, "r") else {
            close(descriptor)
            throw CaptureError(path: name, reason: "no memory to read it")
        }
        gzbuffer(compressed, 1 << 17)
        guard let stream = inflating_stream(compressed) else {
            gzclose(compressed)
            throw CaptureError(path: name, reason: "no memory to read it")
        }
        setvbuf(stream, nil, _IOFBF, 1 << 16)
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = pcap_fopen_offline_with_tstamp_precision(stream, UInt32(PCAP_TSTAMP_PRECISION_NANO), &message) else {
            let reason =
                Self.streamError(compressed) ?? String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            fclose(stream)
            throw CaptureError(path: name, reason: reason)
        }
        self.handle = handle
        self.compressed = compressed
        linkType = LinkType(dataLink: pcap_datalink(handle))
    }

    deinit {
        pcap_close(handle)
    }

    /// What went wrong below libpcap, if anything did.
    private static func streamError(_ file: gzFile) -> String? {
        var code: Int32 = Z_OK
        guard let text = gzerror(file, &code) else { return nil }
        switch code {
        case Z_OK, Z_STREAM_END: return nil
        case Z_ERRNO: return String(cString: strerror(errno))
        // zlib reports the end of the file inside a compressed stream so.
        case Z_BUF_ERROR: return "the compressed data end too early"
        default: return String(cString: text)
        }
    }

    /// The next frame; nil at the end of the file. After an error there are no more frames.
    public func next() throws(CaptureError) -> CapturedPacket? {
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var data: UnsafePointer<UInt8>?
        switch pcap_next_ex(handle, &header, &data) {
        case 1:
            guard let header, let data else { return nil }
            frame += 1
            return CapturedPacket(
                frame: frame,
                // With the precision asked for, the field for microseconds holds nanoseconds (pcap_open_offline_with_tstamp_precision(3)).
                time: Int64(header.pointee.ts.tv_sec) &* 1_000_000_000 &+ Int64(header.pointee.ts.tv_usec),
                linkType: linkType,
                originalLength: Int(header.pointee.len),
                bytes: UnsafeRawBufferPointer(start: data, count: Int(header.pointee.caplen))
            )
        case PCAP_ERROR_BREAK:
            if let reason = Self.streamError(compressed) { throw CaptureError(path: path, reason: "after frame \(frame): \(reason)") }
            return nil
        default:
            let reason = Self.streamError(compressed) ?? String(cString: pcap_geterr(handle))
            throw CaptureError(path: path, reason: "after frame \(frame): \(reason)")
        }
    }
}
