import WireFormat

/// A message of LVM's cluster daemon, on port 11 (reference/cman-wire.md 8.7; daemons/clvmd/clvm.h:29-47 of LVM2 at 2d9e596fe).
///
/// Unlike cman's own messages it is big-endian: daemons/clvmd/clvmd.c:1812-1826 swaps `xid`, `status` and `arglen`, and :826 makes the
/// client id.
public struct ClvmdMessage: WireStructure {
    /// Prefix of the names of its fields.
    public static let protocolName: StaticString = "clvmd"
    /// Bytes before the name of the node.
    static let fixedSize = 16

    /// What a message is.
    public enum Command: UInt8, CaseIterable, Hashable, Sendable {
        case reply = 1
        case version = 2
        case goAway = 3
        case test = 4
        case lock = 30
        case unlock = 31
        case lockLV = 50
        case lockVG = 51

        /// Its name in listings.
        public var name: StaticString {
            switch self {
            case .reply: "REPLY"
            case .version: "VERSION"
            case .goAway: "GOAWAY"
            case .test: "TEST"
            case .lock: "LOCK"
            case .unlock: "UNLOCK"
            case .lockLV: "LOCK_LV"
            case .lockVG: "LOCK_VG"
            }
        }

        static func label(_ value: UInt64) -> StaticString? { Command(rawValue: UInt8(truncatingIfNeeded: value))?.name }
    }

    private static let flagLabels = [FlagLabel(1, "LOCAL"), FlagLabel(2, "SYSTEMLV"), FlagLabel(4, "NODEERRS")]
    /// The arguments are not in the message but on a logical volume that all nodes read.
    static let systemVolumeFlag: UInt8 = 2

    /// `Command`.
    public var command: UInt8 = 0
    /// LOCAL, SYSTEMLV, NODEERRS.
    public var flags: UInt8 = 0
    /// Number of the request, which its reply repeats.
    public var transactionID: UInt16 = 0
    /// A token of the daemon that asks, which the reply repeats.
    public var clientID: UInt32 = 0
    /// Of a reply: an errno, 0 for success.
    public var status: Int32 = 0
    /// Bytes of arguments.
    public var argumentLength: UInt32 = 0
    /// The node it is for; empty for all.
    public var nodeName: [UInt8] = []
    /// LOCK_LV and LOCK_VG: the kind of lock.
    public var lockCommand: UInt8 = 0
    /// LOCK_LV and LOCK_VG: flags of the lock.
    public var lockFlags: UInt8 = 0
    /// LOCK_LV and LOCK_VG: what is locked.
    public var lockName: [UInt8] = []
    /// VERSION: major, minor and patch number of the sender.
    public var version = InlineArray<3, UInt32>(repeating: 0)
    /// The arguments of other commands, and what follows those that are taken apart: the header counts one byte of them, which is
    /// sent although it belongs to none.
    public var arguments = ByteRange()

    public init() {}

    /// Which message it is; nil for a command that is not known.
    public var kind: Command? { Command(rawValue: command) }

    /// Whether `payload`, a message of port 11 behind cman's header, is clvmd's: a known command, and the length of its arguments.
    public static func matches(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard payload.count > fixedSize, Command(rawValue: payload[0]) != nil else { return false }
        let argumentLength = Int(UInt32(bigEndian: payload.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
        guard let nameEnd = payload[fixedSize...].firstIndex(of: 0) else { return false }
        let present = payload.count - nameEnd - 1
        return payload[1] & systemVolumeFlag != 0 || present == argumentLength || present == argumentLength + 1
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("cmd", &command, .labelled(Command.label))
        try visitor.field("flags", &flags, .flags(Self.flagLabels))
        try visitor.field("xid", &transactionID, order: .big, .decimal)
        try visitor.field("clientid", &clientID, order: .big, .decimal)
        try visitor.field("status", &status, order: .big, .decimal)
        try visitor.field("arglen", &argumentLength, order: .big, .decimal)
        try visitor.terminated("node", &nodeName, limit: CmanJoinRequest.maximumNameLength)
        let hasArguments = flags & Self.systemVolumeFlag == 0
        if visitor.includes(hasArguments && (kind == .lockLV || kind == .lockVG)) {
            try visitor.field("lock_cmd", &lockCommand, .hexadecimal)
            try visitor.field("lock_flags", &lockFlags, .hexadecimal)
            try visitor.terminated("lockname", &lockName, limit: Int(UInt16.max))
        }
        if visitor.includes(hasArguments && kind == .version) {
            try visitor.field("major", &version[0], order: .big, .decimal)
            try visitor.field("minor", &version[1], order: .big, .decimal)
            try visitor.field("patch", &version[2], order: .big, .decimal)
        }
        if visitor.includes(V.purpose != .read || visitor.remaining > 0) {
            try visitor.payload("args", &arguments)
        }
    }
}
