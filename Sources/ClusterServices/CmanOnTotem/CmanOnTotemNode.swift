import TotemWire

/// What cman on Totem knows of a node.
struct CmanOnTotemNode: Sendable {
    /// State of a node (cnxman-socket.h:103@cman2).
    enum State: Sendable {
        case dead
        case member
        /// It has said that it leaves, or was killed from here; its votes no longer count.
        case leaving
        /// It is in the ring, but came back with state of its own.
        case disallowed
    }

    var state = State.dead
    var votes: UInt32 = 0
    var expectedVotes: UInt32 = 0
    var flags: CmanOnTotemNodeFlags = []
    /// When it joined, in seconds since 1970; nil until it has said so.
    var joinTime: UInt64?
    /// The reason of its LEAVE.
    var leaveReason: UInt16 = 0
    /// The ports that its programs listen to; bit 0 says that they are known.
    var ports = CmanOnTotemPortStatus()
    /// When and by whom it was last fenced.
    var fenceTime: UInt64 = 0
    var fenceAgent: [UInt8] = []

    /// Whether its ports are known (commands.c:746@cman2).
    var knowsPorts: Bool { ports.contains(0) }
}

extension CmanOnTotemPortStatus {
    /// Whether a program listens to `port`.
    func contains(_ port: UInt8) -> Bool { portBits.bytes[Int(port / 8)] & (1 << (port % 8)) != 0 }

    /// A program listens to `port`.
    mutating func insert(_ port: UInt8) { portBits.bytes[Int(port / 8)] |= 1 << (port % 8) }

    /// No program listens to `port`.
    mutating func remove(_ port: UInt8) { portBits.bytes[Int(port / 8)] &= ~(1 << (port % 8)) }
}
