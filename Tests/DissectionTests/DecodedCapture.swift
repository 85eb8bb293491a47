import CaptureSupport
import Captures
import Dissection
import Glibc
import TotemSecurity
import TotemWire
import WireFormat

/// A message that a packet carries, copied out of the dissection.
struct Delivered: Hashable {
    var frame: Int
    var message: String
    var sender: UInt32
    var order: DeliveryOrder
    var bytes: [UInt8]
    /// The generation of its sender.
    var generation = TotemGeneration.corosync3

    /// The CPG message it is; nil when it is another.
    var multicast: CPGMulticast? {
        guard message == "cpg.mcast" else { return nil }
        let service = bytes.withUnsafeBytes { try? ServiceMessage(reading: $0, in: .services, of: generation, byteOrder: .little) }
        guard case .cpgMulticast(let multicast)? = service?.body else { return nil }
        return multicast
    }

    var processChange: CPGProcessChange? {
        let service = bytes.withUnsafeBytes { try? ServiceMessage(reading: $0, in: .services, of: generation, byteOrder: .little) }
        return switch service?.body {
        case .cpgProcessJoin(let join)?: join.change
        case .cpgProcessLeave(let leave)?: leave.change
        default: nil
        }
    }
}

/// One frame as a test sees it.
struct DecodedFrame {
    var frame: Int
    var dialect: Dialect?
    var alternatives: [Dialect]
    var message: String
    var node: UInt32?
    var ring: RingID?
    var summary: String
    var problems: [String]
    var notes: [String]
    var carries: [Delivered]
}

/// Frames of captures, to be dissected as they are or changed.
struct FrameSource {
    struct Frame {
        var time: Int64
        var originalLength: Int
        var bytes: [UInt8]
    }

    var linkType = LinkType.ethernet
    /// Keys that are tried on what is encrypted.
    var keys: [SecurityKey] = []
    var frames: [Frame] = []

    /// No frames yet.
    init(linkType: LinkType) {
        self.linkType = linkType
    }

    /// The frames of the repository's capture `name`.
    init(_ name: String) throws {
        try self.init(path: CaptureSupport.path(of: name))
    }

    init(path: String) throws {
        let reader = try PacketReader(path: path)
        linkType = reader.interfaces[0].linkType
        while let packet = try reader.next() {
            frames.append(Frame(time: packet.time, originalLength: packet.originalLength, bytes: Array(packet.bytes)))
        }
    }

    /// Puts the frames of `other` among these, in the order of their times.
    mutating func merge(_ other: FrameSource) {
        frames = (frames + other.frames).enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    /// Dissects the frames in their order and hands each result to `body`.
    func dissect(
        keepingFrames: Bool = false,
        interest: Interest = .everything,
        selection: FieldSelection? = nil,
        _ body: (Dissection) throws -> Void
    ) rethrows {
        var dissector = PacketDissector(keys: keys)
        dissector.keepsFrames = keepingFrames
        dissector.interest = interest
        dissector.selection = selection
        let dissection = Dissection()
        for (index, frame) in frames.enumerated() {
            frame.bytes.withUnsafeBytes { bytes in
                dissector.dissect(
                    CapturedPacket(
                        frame: index + 1,
                        time: frame.time,
                        linkType: linkType,
                        originalLength: frame.originalLength,
                        bytes: bytes
                    ),
                    into: dissection
                )
            }
            try body(dissection)
        }
    }

    func decoded() -> [DecodedFrame] {
        var result: [DecodedFrame] = []
        dissect { result.append(DecodedFrame($0)) }
        return result
    }
}

extension DecodedFrame {
    init(_ dissection: Dissection) {
        var summary = TextBuffer()
        dissection.appendSummary(to: &summary)
        self.init(
            frame: dissection.frame,
            dialect: dissection.dialect,
            alternatives: Array(dissection.alternatives),
            message: dissection.message.description,
            node: dissection.node,
            ring: dissection.ring,
            summary: String(decoding: summary.bytes, as: UTF8.self),
            problems: dissection.problems.strings,
            notes: dissection.notes.strings,
            carries: dissection.carries.compactMap { carried in
                guard let order = carried.order else { return nil }
                return Delivered(
                    frame: dissection.frame,
                    message: carried.message.description,
                    sender: carried.sender,
                    order: order,
                    bytes: dissection.tree.withBytes(ofNode: carried.contentNodes.lowerBound) { Array($0) },
                    generation: dissection.dialect?.generation ?? .corosync3
                )
            }
        )
    }
}

/// The captures whose dialects are decoded.
enum Supported {
    static let cman = CaptureSupport.captureNames(prefix: "cman/")
    static let corosync = CaptureSupport.captureNames(prefix: "corosync/3.1.7-udp")
    static let all = cman + corosync
}

/// FNV-1a with 32 bits, as the clients of the recordings computed it.
func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
}

/// A seeded source of numbers (SplitMix64).
struct SplitMix {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ z >> 31) % UInt64(bound))
    }
}

/// A file that is removed at the end.
final class TemporaryFile {
    let path: String

    init() {
        var template = Array("/tmp/ringbridge-dissection-XXXXXX".utf8CString)
        close(mkstemp(&template))
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        unlink(path)
    }
}
