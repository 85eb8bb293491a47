import WireFormat

/// A message of corosync, or a fragment of one (reference/totem-wire.md 6.1; onwire.h:34-43@kn).
public struct KnetData: WireStructure, Equatable {
    /// The sender's number of the message; copies over several links and all fragments of a message have the same.
    public var sequence: UInt16 = 0
    /// What the whole message was compressed with, by number; 0 for nothing.
    public var compression: UInt8 = 0
    private var pad: UInt8 = 0
    /// Whether it is for all nodes.
    public var broadcast: UInt8 = 0
    /// How many fragments the message has.
    public var fragmentCount: UInt8 = 1
    /// Which one this is, from 1; 0 in a message of one fragment.
    public var fragmentSequence: UInt8 = 0
    /// corosync uses channel 0.
    public var channel: Int8 = 0
    /// The fragment's bytes.
    public var payload = ByteRange()

    public init() {}

    /// Whether it is only a part of a message.
    public var isFragment: Bool { fragmentCount > 1 }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("seq_num", &sequence, order: .big, .decimal)
        try visitor.field("compress", &compression, .labelled { KnetCompression(rawValue: UInt8(truncatingIfNeeded: $0))?.name })
        // The header in front has a pad1 of its own.
        try visitor.field("data_pad1", &pad, .padding)
        try visitor.field("bcast", &broadcast)
        try visitor.field("frag_num", &fragmentCount)
        try visitor.field("frag_seq", &fragmentSequence)
        try visitor.field("channel", &channel)
        try visitor.payload("userdata", &payload)
    }
}

/// What a message was compressed with (compress.c:37-43@kn).
public enum KnetCompression: UInt8, Sendable, Hashable, CaseIterable {
    case none = 0
    case zlib = 1
    case lz4 = 2
    case lz4hc = 3
    case lzo2 = 4
    case lzma = 5
    case bzip2 = 6
    case zstd = 7

    /// Its name in the configuration of corosync.
    public var name: StaticString {
        switch self {
        case .none: "none"
        case .zlib: "zlib"
        case .lz4: "lz4"
        case .lz4hc: "lz4hc"
        case .lzo2: "lzo2"
        case .lzma: "lzma"
        case .bzip2: "bzip2"
        case .zstd: "zstd"
        }
    }
}
