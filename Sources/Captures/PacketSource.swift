/// Something that packets come from: a file, several files merged, an interface.
public protocol PacketSource: AnyObject {
    /// The interfaces that packets have come through so far, where the source tells them; `CapturedPacket.interface` counts in it.
    var interfaces: [CaptureInterface] { get }

    /// The names of the inputs, as the caller gave them; `CapturedPacket.input` counts in it.
    var inputs: [String] { get }

    /// The next packet, in the order of the source. Its bytes are valid until the next call. After `.end` or an error nothing comes.
    func receive() throws(CaptureError) -> PacketArrival
}

/// What a source answers.
public enum PacketArrival {
    /// A packet.
    case packet(CapturedPacket)
    /// Nothing is there yet, and the next call waits: whoever holds back output lets it go now. Regular files never say so.
    case idle
    /// There are no more.
    case end
}

extension PacketSource {
    /// The next packet, however long it takes to come; nil at the end.
    public func next() throws(CaptureError) -> CapturedPacket? {
        while true {
            switch try receive() {
            case .packet(let packet): return packet
            case .idle: continue
            case .end: return nil
            }
        }
    }
}

/// A captured frame.
public struct CapturedPacket {
    /// Its number among all frames of its source, from 1.
    public var frame: Int
    /// When it was recorded, in nanoseconds since 1970-01-01 00:00 UTC.
    public var time: Int64
    /// What its bytes start with.
    public var linkType: LinkType
    /// How long it was on the wire; more than `bytes.count` when the recording cut it.
    public var originalLength: Int
    /// What was recorded of it.
    public var bytes: UnsafeRawBufferPointer
    /// Which of `PacketSource.inputs` it is from.
    public var input = 0
    /// Which of `PacketSource.interfaces` it came through, where the source tells.
    public var interface: Int?

    /// Makes a frame of bytes that were not read from a file.
    public init(frame: Int, time: Int64, linkType: LinkType, originalLength: Int, bytes: UnsafeRawBufferPointer) {
        self.frame = frame
        self.time = time
        self.linkType = linkType
        self.originalLength = originalLength
        self.bytes = bytes
    }
}

/// An interface that packets were captured on, as the source describes it.
public struct CaptureInterface: Hashable, Sendable {
    /// Its name, e.g. `eth0`; empty when the source does not tell.
    public var name: String
    /// What else the source says of it.
    public var description = ""
    /// What its frames start with.
    public var linkType: LinkType
    /// How many bytes of a frame were recorded at most; 0 when there was no limit.
    public var snapLength = 0
}
