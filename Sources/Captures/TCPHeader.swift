import WireFormat

/// The control bits of a TCP segment (RFC 9293 section 3.1).
public struct TCPFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The sender has no more bytes.
    public static let finish = TCPFlags(rawValue: 0x01)
    /// The sender's bytes begin behind this sequence number.
    public static let synchronise = TCPFlags(rawValue: 0x02)
    /// The connection ends at once.
    public static let reset = TCPFlags(rawValue: 0x04)
    /// To be given to the program without delay.
    public static let push = TCPFlags(rawValue: 0x08)
    /// The acknowledgement number counts.
    public static let acknowledge = TCPFlags(rawValue: 0x10)
}

/// A TCP header without its options (RFC 9293 section 3.1).
struct TCPHeader: WireStructure {
    static let size = 20

    var sourcePort: UInt16 = 0
    var destinationPort: UInt16 = 0
    var sequence: UInt32 = 0
    var acknowledgement: UInt32 = 0
    var lengthAndReserved: UInt8 = 0x50
    var flags = TCPFlags()
    var window: UInt16 = 0
    var checksum: UInt16 = 0
    var urgent: UInt16 = 0

    /// Bytes of the header with its options.
    var length: Int { Int(lengthAndReserved >> 4) * 4 }

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("srcport", &sourcePort, order: .big, .decimal)
        try visitor.field("dstport", &destinationPort, order: .big, .decimal)
        try visitor.field("seq_raw", &sequence, order: .big, .decimal)
        try visitor.field("ack_raw", &acknowledgement, order: .big, .decimal)
        try visitor.field("hdr_len_flags", &lengthAndReserved, .hexadecimal)
        try visitor.field("flags", &flags.rawValue, .hexadecimal)
        try visitor.field("window_size_value", &window, order: .big, .decimal)
        try visitor.field("checksum", &checksum, order: .big, .hexadecimal)
        try visitor.field("urgent_pointer", &urgent, order: .big, .decimal)
    }
}
