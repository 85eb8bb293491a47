import WireFormat

/// ACK: says that `acknowledgement` of its header arrived, or in cman-2a, whose header has none, its own `sequence`
/// (reference/cman-wire.md 3.1, 12.1).
public struct CmanAck: Sendable {
    /// Target port of the message that is acknowledged.
    public var remotePort: UInt8 = 0
    /// Bit 0: nobody listens on that port. Daemons say the opposite.
    public var status: UInt8 = 0
    private var pad: UInt8 = 0
    /// In cman-2a: number of the message that arrived.
    public var sequence: UInt16 = 0
    private var tailPad: UInt16 = 0

    public init() {}

    mutating func visit<V: WireVisitor>(_ visitor: inout V, of generation: CmanGeneration) throws(WireError) {
        try visitor.field("remote_port", &remotePort)
        try visitor.field("status", &status)
        try visitor.field("pad", &pad, .padding)
        guard generation == .cman2a else { return }
        try visitor.field("acked_seq", &sequence, order: .little, .decimal)
        try visitor.field("tail_pad", &tailPad, order: .little, .padding)
    }
}

/// LISTENREQ and LISTENRESP: whether a program listens on a port (reference/cman-wire.md 3.2).
public struct CmanListenQuery: WireStructure {
    /// The port in question.
    public var port: UInt8 = 0
    /// In LISTENRESP: 1 when a program listens.
    public var listening: UInt8 = 0
    private var pad: UInt8 = 0
    /// Chosen by who asks, returned untouched.
    public var tag: UInt16 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("port", &port)
        try visitor.field("listening", &listening)
        try visitor.field("pad", &pad, .padding)
        try visitor.field("tag", &tag, order: .little, .hexadecimal)
    }
}

/// PORTCLOSED: a program closed its port (reference/cman-wire.md 3.3).
public struct CmanPortClosed: WireStructure {
    /// The port.
    public var port: UInt8 = 0

    public init() {}

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("port", &port)
    }
}

/// BARRIER: a node waits at a barrier, or has seen all others wait (reference/cman-wire.md 3.4).
public struct CmanBarrierMessage: WireStructure {
    /// Longest name.
    public static let maximumNameLength = 32

    /// `CmanBarrierPhase`.
    public var phase: UInt8 = 0
    private var pad: UInt16 = 0
    private var flags: UInt32 = 0
    private var nodes: UInt32 = 0
    private var nameField = InlineArray<33, UInt8>(repeating: 0)
    private var tailPad = InlineArray<3, UInt8>(repeating: 0)

    public init() {}

    /// The barrier's name; setting a longer one cuts it.
    public var name: [UInt8] {
        get {
            var text: [UInt8] = []
            for index in nameField.indices {
                guard nameField[index] != 0 else { break }
                text.append(nameField[index])
            }
            return text
        }
        set {
            for index in nameField.indices {
                nameField[index] = index < newValue.count && index < Self.maximumNameLength ? newValue[index] : 0
            }
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("subcmd", &phase, .labelled(CmanBarrierPhase.label))
        try visitor.field("pad", &pad, order: .little, .padding)
        try visitor.field("barrier.flags", &flags, order: .little, .padding)
        try visitor.field("nodes", &nodes, order: .little, .padding)
        try visitor.field("name", &nameField, .text)
        try visitor.field("tail_pad", &tailPad, .padding)
    }
}
