import WireFormat

/// Reads the packets of a capture file one after the other: pcap and pcapng, plain or gzip'd, from a file or a pipe.
///
/// Memory use does not depend on the size of the file, and reading a packet allocates nothing.
public final class PacketReader: PacketSource {
    /// The longest frame that is read and written (libpcap's MAXIMUM_SNAPLEN).
    static let frameLimit = 262_144

    /// The file, as the caller named it.
    public let path: String

    private let stream: CaptureStream
    private let format: any CaptureFormat
    private var frame = 0
    private var hasEnded = false
    private var hasSaidIdle = false

    /// Opens the file `path`; `-` is the standard input.
    public init(path: String) throws(CaptureError) {
        self.path = path
        stream = try CaptureStream(path: path)
        guard try stream.hold(CaptureNumber.size) else {
            throw CaptureError(path: stream.name, reason: stream.held == 0 ? "it is empty" : "it is neither pcap nor pcapng")
        }
        let magic = stream.bytes(CaptureNumber.size)
        if let byteOrder = PcapFormat.byteOrder(of: magic) {
            format = try PcapFormat(stream, byteOrder: byteOrder)
        } else if CaptureNumber(magic, .little).value == PcapngBlockType.sectionHeader {
            format = try PcapngFormat(stream)
        } else {
            throw CaptureError(path: stream.name, reason: "it is neither pcap nor pcapng")
        }
    }

    public var interfaces: [CaptureInterface] { format.interfaces }

    public var inputs: [String] { [path] }

    /// How far the file has been read, in bytes of the file itself, and how long it is; nil for a pipe.
    public var progress: (read: Int, size: Int)? {
        stream.fileSize.map { (stream.fileOffset, $0) }
    }

    public func receive() throws(CaptureError) -> PacketArrival {
        if hasEnded { return .end }
        if stream.mayWait, !hasSaidIdle, !format.hasNext {
            hasSaidIdle = true
            return .idle
        }
        hasSaidIdle = false
        do throws(CaptureError) {
            guard let packet = try format.next(frame + 1) else {
                hasEnded = true
                return .end
            }
            frame += 1
            return .packet(packet)
        } catch {
            hasEnded = true
            throw CaptureError(
                path: error.path,
                place: CaptureError.Place(framesBefore: frame, offset: stream.offset),
                reason: error.reason
            )
        }
    }
}
