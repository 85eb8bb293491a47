import Captures
import WireFormat

/// Packets and bytes between two endpoints, each way, and when they came (`-z conversations`). Frames without IP are not counted.
public struct ConversationStatistics: PacketStatistics {
    private struct Key: CountingKey {
        var low: Endpoint
        var high: Endpoint
        var transport: FrameProtocol?

        var mixedBits: UInt64 {
            let ports = UInt64(low.port) << 16 | UInt64(high.port)
            return low.address.lowBits ^ high.address.lowBits.mixed ^ ports << 32
        }
    }

    private struct Conversation {
        var forward = PacketCount()
        var backward = PacketCount()
        var first: Int64
        var last: Int64
    }

    private var table = BoundedTable<Key, Conversation>(limit: 16_384)
    private var start: Int64?

    /// Counters at zero.
    public init() {}

    public var interest: Interest { [] }

    public mutating func count(_ packet: Dissection) {
        if start == nil { start = packet.time &- packet.relativeTime }
        let content = packet.content
        guard let source = content.source, let destination = content.destination else { return }
        let transport: FrameProtocol? =
            switch content.kind {
            case .datagram: .udp
            case .segment: .tcp
            default: nil
            }
        let sender = Endpoint(source, content.sourcePort)
        let receiver = Endpoint(destination, content.destinationPort)
        let isForward = sender <= receiver
        table.update(
            Key(low: isForward ? sender : receiver, high: isForward ? receiver : sender, transport: transport),
            empty: Conversation(first: packet.time, last: packet.time),
            for: packet
        ) { conversation in
            if isForward { conversation.forward.add(packet) } else { conversation.backward.add(packet) }
            conversation.first = min(conversation.first, packet.time)
            conversation.last = max(conversation.last, packet.time)
        }
    }

    public func append(to text: inout TextBuffer) {
        var lines = TextTable(
            ["", "a", "b", "a→b packets", "bytes", "b→a packets", "bytes", "first", "last"],
            numbers: [3, 4, 5, 6, 7, 8]
        )
        let order = table.keys.indices.sorted { left, right in
            let (first, second) = (table.values[left], table.values[right])
            return (second.forward.packets + second.backward.packets, first.first, left)
                < (first.forward.packets + first.backward.packets, second.first, right)
        }
        for place in order {
            let (key, conversation) = (table.keys[place], table.values[place])
            lines.add([
                key.transport?.name.description ?? "ip", name(key.low, key.transport), name(key.high, key.transport),
                "\(conversation.forward.packets)", "\(conversation.forward.bytes)", "\(conversation.backward.packets)",
                "\(conversation.backward.bytes)", seconds(conversation.first), seconds(conversation.last),
            ])
        }
        text.append("Conversations, in seconds since the first frame\n")
        lines.append(to: &text)
        text.append(refused: table.refused)
    }

    private func name(_ endpoint: Endpoint, _ transport: FrameProtocol?) -> String {
        transport == nil ? endpoint.address.description : endpoint.description
    }

    private func seconds(_ time: Int64) -> String {
        var text = TextBuffer()
        text.append(seconds: time &- (start ?? time))
        return String(decoding: text.bytes, as: UTF8.self)
    }
}

extension IPAddress {
    /// The number of an IPv4 address, the last eight bytes of another.
    fileprivate var lowBits: UInt64 { ipv4Number.map { UInt64($0) } ?? ipv6Numbers?.low ?? 0 }
}
