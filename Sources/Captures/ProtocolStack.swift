/// A protocol that a frame consists of, outermost first.
public enum FrameProtocol: UInt8, Sendable, Hashable, CaseIterable {
    case ethernet = 1
    case vlan, linuxCooked, loopback, raw, arp, ipv4, ipv6, icmp, icmpv6, udp, tcp

    /// Its name, as tshark has it.
    public var name: StaticString {
        switch self {
        case .ethernet: "eth"
        case .vlan: "vlan"
        case .linuxCooked: "sll"
        case .loopback: "null"
        case .raw: "raw"
        case .arp: "arp"
        case .ipv4: "ip"
        case .ipv6: "ipv6"
        case .icmp: "icmp"
        case .icmpv6: "icmpv6"
        case .udp: "udp"
        case .tcp: "tcp"
        }
    }
}

/// The protocols of a frame, outermost first, stored in line. It has room for 16; more VLAN tags than that are not taken apart.
public struct ProtocolStack: Sendable, Hashable, Sequence {
    private var packed: UInt64 = 0
    /// How many there are.
    public private(set) var count = 0

    /// An empty stack.
    public init() {}

    /// Whether there is room for one more.
    var isFull: Bool { count == 16 }

    /// Ethernet, IPv4 and UDP, which most packets are.
    static var ethernetDatagram: ProtocolStack {
        @inline(__always) get {
            var stack = ProtocolStack()
            stack.append(.ethernet)
            stack.append(.ipv4)
            stack.append(.udp)
            return stack
        }
    }

    @inline(__always)
    mutating func append(_ layer: FrameProtocol) {
        guard !isFull else { return }
        packed |= UInt64(layer.rawValue) << UInt64(4 * count)
        count += 1
    }

    public struct Iterator: IteratorProtocol {
        var packed: UInt64

        public mutating func next() -> FrameProtocol? {
            defer { packed >>= 4 }
            return FrameProtocol(rawValue: UInt8(packed & 0xF))
        }
    }

    public func makeIterator() -> Iterator { Iterator(packed: packed) }
}
