/// What a packet says of itself as a whole, by name: the keys of the ndjson contract, and the names that Wireshark has for frame, addresses
/// and ports. They need no look into the packet's fields.
public enum PacketKey: String, CaseIterable, Sendable {
    case frameNumber = "frame.number"
    case frameTime = "frame.time_epoch"
    case frameRelativeTime = "frame.time_relative"
    case frameLength = "frame.len"
    case frameRecordedLength = "frame.cap_len"
    case frameProtocols = "frame.protocols"
    case frame
    case time
    case source
    case destination
    case protocols
    case dialect
    case alternatives
    case message
    case node
    case ring
    case length
    case carriedMessage = "carries.message"
    case carriedSender = "carries.sender"
    case summary
    case problems
    case notes
    case ipSource = "ip.src"
    case ipDestination = "ip.dst"
    case ipAddress = "ip.addr"
    case ipv6Source = "ipv6.src"
    case ipv6Destination = "ipv6.dst"
    case ipv6Address = "ipv6.addr"
    case udpSourcePort = "udp.srcport"
    case udpDestinationPort = "udp.dstport"
    case udpPort = "udp.port"
    case tcpSourcePort = "tcp.srcport"
    case tcpDestinationPort = "tcp.dstport"
    case tcpPort = "tcp.port"

    /// What kind of values it has.
    public var kind: ValueKind {
        switch self {
        case .frameNumber, .frameLength, .frameRecordedLength, .frame, .node, .length, .carriedSender: .unsigned
        case .udpSourcePort, .udpDestinationPort, .udpPort, .tcpSourcePort, .tcpDestinationPort, .tcpPort: .unsigned
        case .frameTime, .frameRelativeTime, .time: .time
        case .frameProtocols, .source, .destination, .protocols, .dialect, .alternatives, .message, .ring: .text
        case .carriedMessage, .summary, .problems, .notes: .text
        case .ipSource, .ipDestination, .ipAddress, .ipv6Source, .ipv6Destination, .ipv6Address: .address
        }
    }

    /// What of packets has to be looked at to know it.
    var interest: Interest {
        switch self {
        case .frame, .frameNumber, .frameTime, .time, .frameRelativeTime, .frameLength, .frameRecordedLength, .length: []
        case .source, .destination, .ipSource, .ipDestination, .ipAddress, .ipv6Source, .ipv6Destination, .ipv6Address: []
        case .udpSourcePort, .udpDestinationPort, .udpPort, .tcpSourcePort, .tcpDestinationPort, .tcpPort: []
        case .dialect, .alternatives, .message: [.message]
        case .node, .ring, .protocols, .frameProtocols: [.message, .origin]
        case .carriedMessage, .carriedSender: [.message, .carried]
        case .summary, .problems, .notes: [.message, .origin, .carried, .text]
        }
    }

    /// What it says.
    public var description: String {
        switch self {
        case .frameNumber, .frame: "number of the frame, from 1"
        case .frameTime, .time: "when the frame was recorded, in seconds since 1970-01-01 00:00 UTC"
        case .frameRelativeTime: "seconds since the first frame"
        case .frameLength: "bytes of the frame on the wire"
        case .frameRecordedLength: "bytes of the frame that were recorded"
        case .frameProtocols: "the frame's protocols from the outside in, with colons in between"
        case .source: "address and port the packet comes from"
        case .destination: "address and port the packet goes to"
        case .protocols: "each of the frame's protocols"
        case .dialect: "the wire generation"
        case .alternatives: "other generations with the very same bytes"
        case .message: "the message's name"
        case .node: "the sender's node id, as the packet says it"
        case .ring: "the ring it names, representative and sequence number in decimal"
        case .length: "bytes of UDP payload"
        case .carriedMessage: "name of a message that the packet completes above the outer protocol"
        case .carriedSender: "node id of who sent such a message"
        case .summary: "what the packet says, for people"
        case .problems: "what is wrong with its bytes"
        case .notes: "what is remarkable about it"
        case .ipSource: "IPv4 address the packet comes from"
        case .ipDestination: "IPv4 address the packet goes to"
        case .ipAddress: "either of the two IPv4 addresses"
        case .ipv6Source: "IPv6 address the packet comes from"
        case .ipv6Destination: "IPv6 address the packet goes to"
        case .ipv6Address: "either of the two IPv6 addresses"
        case .udpSourcePort: "UDP port the packet comes from"
        case .udpDestinationPort: "UDP port the packet goes to"
        case .udpPort: "either of the two UDP ports"
        case .tcpSourcePort: "TCP port the packet comes from"
        case .tcpDestinationPort: "TCP port the packet goes to"
        case .tcpPort: "either of the two TCP ports"
        }
    }

    /// Whether it can have several values.
    public var isRepeated: Bool {
        switch self {
        case .protocols, .alternatives, .carriedMessage, .carriedSender, .problems, .notes, .ipAddress, .ipv6Address, .udpPort, .tcpPort:
            true
        default: false
        }
    }
}

/// What kind of values a name has, for comparisons.
public enum ValueKind: String, Sendable, Hashable {
    case unsigned
    case signed
    /// Seconds, kept in nanoseconds.
    case time
    case text
    /// An IPv4 or IPv6 address.
    case address
    case bytes
    /// It is there or not.
    case presence
}
