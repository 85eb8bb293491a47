import WireFormat

/// PORTOPENED and PORTCLOSED: a program of the sender listens to a port, or no longer does (cnxman-private.h:51@cman2).
public struct CmanOnTotemPort: WireStructure, Hashable {
    /// The port.
    public var port: UInt8 = 0

    public init() {}

    /// The port `port`.
    public init(_ port: UInt8) {
        self.port = port
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("port", &port)
    }
}

/// PORTSTATUS: all ports that the sender's programs listen to (commands.c:1831@cman2).
public struct CmanOnTotemPortStatus: WireStructure, Hashable {
    /// One bit for each port, the lowest bit of the first byte for port 0, which is always set.
    public var portBits = InlineBytes<32>()

    public init() {}

    /// The ports, ascending.
    public var ports: [UInt8] {
        (0...UInt8.max).filter { portBits.bytes[Int($0) / 8] & (1 << ($0 % 8)) != 0 }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("port_bits", &portBits.bytes, .decimal)
    }
}

/// BARRIER (reference/totem-services.md 7.7.2; cnxman-private.h:63@cman2). The first cman kept two fields of its predecessor.
public struct CmanOnTotemBarrier: WireStructure, Hashable {
    /// What is done (`subcmd` on the wire).
    public enum Operation: UInt8, Sendable, Hashable, CaseIterable {
        case register = 1
        case change = 2
        case wait = 4
        case complete = 5
    }

    /// Whether flags and number of nodes stand in front of the name, as in the first cman.
    public let hasFlags: Bool
    /// What is done: see `Operation`.
    public var subcmd: UInt8 = 0
    /// Bytes after `subcmd`.
    public var pad: UInt16 = 0
    /// Flags; the first cman only.
    public var flags: UInt32 = 0
    /// Nodes that the barrier waits for; the first cman only.
    public var nodes: UInt32 = 0
    /// Name of the barrier, up to the first NUL.
    public var name = InlineBytes<33>()
    /// Bytes behind the name, for the structure's alignment.
    public var filler: [UInt8] = []

    public init() {
        self.init(of: .corosync1)
    }

    init(of generation: TotemGeneration) {
        hasFlags = generation == .totem2005
    }

    /// `operation` on barrier `name`, as cman on Totem of `generation` sends it; nil when the name has more than 32 bytes.
    public init?(_ operation: Operation, name: some Collection<UInt8>, of generation: TotemGeneration = .corosync1) {
        guard name.count < 33 else { return nil }
        self.init(of: generation)
        subcmd = operation.rawValue
        for (index, byte) in name.enumerated() { self.name.bytes[index] = byte }
        filler = Array(repeating: 0, count: hasFlags ? 3 : 1)
    }

    static let operations = FieldFormat.labelled { value in
        switch value {
        case 1: "REGISTER"
        case 2: "CHANGE"
        case 4: "WAIT"
        case 5: "COMPLETE"
        default: nil
        }
    }

    public mutating func visit<V: WireVisitor>(_ visitor: inout V) throws(WireError) {
        try visitor.field("subcmd", &subcmd, Self.operations)
        try visitor.field("subcmd.pad", &pad, .padding)
        if hasFlags {
            try visitor.field("barrier.flags", &flags, .hexadecimal)
            try visitor.field("barrier.nodes", &nodes)
        }
        try visitor.field("name", &name.bytes, .text)
        // 37 bytes in a structure that is aligned to 2, or 45 in one that is aligned to 4.
        try visitor.filler("name.pad", &filler, count: hasFlags ? 3 : 1)
    }
}

extension WireVisitor {
    /// At most `count` bytes at the end of a structure that are there for its alignment only.
    mutating func filler(_ name: StaticString, _ value: inout [UInt8], count: Int) throws(WireError) {
        try field(name, &value, count: Self.purpose == .read ? min(count, remaining) : count, .padding)
    }
}
