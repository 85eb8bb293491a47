import WireFormat

/// The header of cman on Totem, 16 bytes (reference/totem-services.md 7.7.1; ais.c:80@cman2).
///
/// Mapping `cman` puts it, little-endian, in front of the payload of a CPG message, so that source, target and ports of a legacy
/// message survive.
public struct CmanOnTotemHeader: WireStructure, Hashable {
    /// Number of bytes on the wire.
    public static let byteCount = 16

    /// Port that it is for; 0 is cman's own.
    public var tgtport: UInt8 = 0
    /// Port that it comes from.
    public var srcport: UInt8 = 0
    /// Bytes after the ports.
    public var pad: UInt16 = 0
    /// What a program asked for; no Totem acts on it.
    public var flags: UInt32 = 0
    /// Node that sends.
    public var srcid: Int32 = 0
    /// Node that it is for; 0 is every one, -1 in the first cman a node that is joining.
    public var tgtid: Int32 = 0

    public init() {}

    /// The header of a message from `sourcePort` of node `source` to `targetPort` of node `target`, 0 for all.
    public init(source: Int32, sourcePort: UInt8, target: Int32, targetPort: UInt8) {
        srcid = source
        srcport = sourcePort
        tgtid = target
        tgtport = targetPort
    }

    /// How the flags are shown (cnxman-socket.h:113@cman2).
    @usableFromInline
    static let flagLabels = FieldFormat.flags([
        FlagLabel(0x0100_0000, "TOTEM_AGREED"), FlagLabel(0x0200_0000, "TOTEM_SAFE"), FlagLabel(0x0400_0000, "BCASTSELF"),
    ])

    @inlinable
    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("tgtport", &tgtport)
        try visitor.field("srcport", &srcport)
        try visitor.field("pad", &pad, .padding)
        try visitor.field("flags", &flags, Self.flagLabels)
        try visitor.field("srcid", &srcid)
        try visitor.field("tgtid", &tgtid)
    }
}
