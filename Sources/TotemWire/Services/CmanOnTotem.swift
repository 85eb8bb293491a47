import WireFormat

/// The header of cman on Totem, 16 bytes (reference/totem-services.md 7.7.1; ais.c:80@cman2).
///
/// Mapping `cman` puts it, little-endian, in front of the payload of a CPG message, so that source, target and ports of a legacy
/// message survive.
public struct CmanOnTotemHeader: WireMessage, Hashable {
    public static var protocolName: StaticString { "cman" }
    public static var messageName: StaticString { "data" }

    /// Number of bytes on the wire.
    public static let byteCount = 16

    /// Port that it is for; 0 is cman's own.
    public var tgtport: UInt8 = 0
    /// Port that it comes from.
    public var srcport: UInt8 = 0
    /// Bytes after the ports.
    public var pad: UInt16 = 0
    /// 0x02000000 asks for safe delivery, which no Totem has.
    public var flags: UInt32 = 0
    /// Node that sends.
    public var srcid: Int32 = 0
    /// Node that it is for; 0 is every one.
    public var tgtid: Int32 = 0
    /// What the sender's program sent.
    public var message = ByteRange()

    public init() {}

    /// The header of a message from `sourcePort` of node `source` to `targetPort` of node `target`, 0 for all.
    public init(source: Int32, sourcePort: UInt8, target: Int32, targetPort: UInt8) {
        srcid = source
        srcport = sourcePort
        tgtid = target
        tgtport = targetPort
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("tgtport", &tgtport)
        try visitor.field("srcport", &srcport)
        try visitor.field("pad", &pad, .padding)
        try visitor.field("flags", &flags, .hexadecimal)
        try visitor.field("srcid", &srcid)
        try visitor.field("tgtid", &tgtid)
        try visitor.payload("message", &message)
    }
}

/// BARRIER of cman on Totem: port 0, behind the header (reference/totem-services.md 7.7.2; cnxman-private.h:63@cman2).
public struct CmanOnTotemBarrier: WireMessage {
    public static var protocolName: StaticString { "cman" }
    public static var messageName: StaticString { "barrier" }

    /// Command number of BARRIER.
    public static let command: UInt8 = 4

    /// What is done (`subcmd` on the wire).
    public enum Operation: UInt8, Sendable, Hashable {
        case register = 1
        case change = 2
        case wait = 4
        case complete = 5
    }

    /// The command, 4.
    public var cmd = Self.command
    /// 1 register, 2 change, 4 wait, 5 complete.
    public var subcmd: UInt8 = 0
    /// Bytes after `subcmd`.
    public var pad: UInt16 = 0
    /// Name of the barrier, up to the first NUL.
    public var name = InlineArray<33, UInt8>(repeating: 0)

    public init() {}

    /// `operation` on barrier `name`; nil when the name has more than 32 bytes.
    public init?(_ operation: Operation, name: some Collection<UInt8>) {
        guard name.count < 33 else { return nil }
        subcmd = operation.rawValue
        for (index, byte) in name.enumerated() { self.name[index] = byte }
    }

    @usableFromInline
    static let operations = FieldFormat.labelled { value in
        switch value {
        case 1: "register"
        case 2: "change"
        case 4: "wait"
        case 5: "complete"
        default: nil
        }
    }

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("cmd", &cmd)
        try visitor.field("subcmd", &subcmd, Self.operations)
        try visitor.field("pad", &pad, .padding)
        try visitor.field("name", &name, .text)
    }
}
