import WireFormat

// The blocks of pcapng, without options and data (draft-ietf-opsawg-pcapng).

/// Numbers of pcapng blocks (section 10.1).
enum PcapngBlockType {
    /// It reads the same in both byte orders.
    static let sectionHeader: UInt32 = 0x0A0D_0D0A
    static let interface: UInt32 = 1
    /// The obsolete packet block (appendix A).
    static let packet: UInt32 = 2
    static let simplePacket: UInt32 = 3
    static let enhancedPacket: UInt32 = 6
}

/// What every block begins with (section 3.1). Its length counts the whole block and stands once more at its end.
struct PcapngBlockHeader: WireStructure {
    static let size = 8
    /// Bytes of a block around its body.
    static let overhead = 12

    var type: UInt32 = 0
    var totalLength: UInt32 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("type", &type, .hexadecimal)
        try visitor.field("total_length", &totalLength, .decimal)
    }
}

/// The body of a section header block (section 4.1).
struct PcapngSectionHeader: WireStructure {
    static let size = 16
    /// What `magic` is in the section's byte order.
    static let magic: UInt32 = 0x1A2B_3C4D

    var magic: UInt32 = 0
    var majorVersion: UInt16 = 0
    var minorVersion: UInt16 = 0
    /// Bytes of the section, or -1; nobody needs it to read on.
    var sectionLength: Int64 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("magic", &magic, .hexadecimal)
        try visitor.field("version_major", &majorVersion, .decimal)
        try visitor.field("version_minor", &minorVersion, .decimal)
        try visitor.field("section_length", &sectionLength, .decimal)
    }
}

/// The body of an interface description block (section 4.2).
struct PcapngInterfaceDescription: WireStructure {
    static let size = 8

    var linkType: UInt16 = 0
    var reserved: UInt16 = 0
    var snapLength: UInt32 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("linktype", &linkType, .decimal)
        try visitor.field("reserved", &reserved, .padding)
        try visitor.field("snaplen", &snapLength, .decimal)
    }
}

/// What stands before every option (section 3.5).
struct PcapngOptionHeader: WireStructure {
    static let size = 4

    var code: UInt16 = 0
    var length: UInt16 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("code", &code, .decimal)
        try visitor.field("length", &length, .decimal)
    }
}

/// Numbers of an interface's options (section 4.2).
enum PcapngInterfaceOption {
    static let end: UInt16 = 0
    static let name: UInt16 = 2
    static let description: UInt16 = 3
    static let timeResolution: UInt16 = 9
    static let timeOffset: UInt16 = 14
}

/// What stands before the data of an enhanced packet block (section 4.3).
struct PcapngEnhancedPacket: WireStructure {
    static let size = 20

    var interface: UInt32 = 0
    var timeHigh: UInt32 = 0
    var timeLow: UInt32 = 0
    var capturedLength: UInt32 = 0
    var originalLength: UInt32 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("interface", &interface, .decimal)
        try visitor.field("ts_high", &timeHigh, .decimal)
        try visitor.field("ts_low", &timeLow, .decimal)
        try visitor.field("caplen", &capturedLength, .decimal)
        try visitor.field("len", &originalLength, .decimal)
    }
}

/// What stands before the data of an obsolete packet block (appendix A).
struct PcapngPacket: WireStructure {
    static let size = 20

    var interface: UInt16 = 0
    var drops: UInt16 = 0
    var timeHigh: UInt32 = 0
    var timeLow: UInt32 = 0
    var capturedLength: UInt32 = 0
    var originalLength: UInt32 = 0

    mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("interface", &interface, .decimal)
        try visitor.field("drops", &drops, .decimal)
        try visitor.field("ts_high", &timeHigh, .decimal)
        try visitor.field("ts_low", &timeLow, .decimal)
        try visitor.field("caplen", &capturedLength, .decimal)
        try visitor.field("len", &originalLength, .decimal)
    }
}
