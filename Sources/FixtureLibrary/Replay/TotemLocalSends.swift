import TotemWire
import WireFormat

/// What a recorded daemon's services and clients gave to their ring, taken from the packets that it sent, and when it must have been
/// given at the latest: the token says how many packets waited at each of its visits (`backlog`).
struct TotemLocalSends<Dialect: TotemDialect>: Sendable {
    /// A message that was given to process groups.
    struct Message: Sendable {
        /// Its group.
        var group: [UInt8]
        /// Its bytes, without the group header.
        var payload: [UInt8]
        /// Index of the packet in which it begins.
        var packet: Int
        /// Index of the packet in which it ends.
        var lastPacket: Int

        /// What it is; nil for what is not known.
        var kind: ServiceMessageKind? {
            payload.withUnsafeBytes { bytes in
                guard let header = try? ServiceHeader(reading: bytes, of: Dialect.generation, byteOrder: .little),
                    let group = group.withUnsafeBytes({ ServiceGroup(name: $0) })
                else { return nil }
                return ServiceMessageKind(header, in: group)
            }
        }

        /// Length of the first of the two pieces in which corosync gives a CPG message to totempg: the header, then what the client
        /// sent (cpg.c:1760@v3.1.7); 0 when there is one piece.
        var firstPiece: Int {
            switch kind {
            case .cpgMulticast: min(CPGMulticast.prefixCount, payload.count)
            case .cpgPartialMulticast: min(CPGPartialMulticast.prefixCount, payload.count)
            default: 0
            }
        }
    }

    /// A numbered packet of a ring: a message, or a hop of the token.
    private struct Place: Hashable {
        var ring: Dialect.Ring
        var number: UInt32
    }

    /// The messages, in order.
    private(set) var messages: [Message] = []
    /// The number of the first message on the daemon's counter.
    private(set) var firstCounter: Int32?
    private var packetIndex: [Place: Int] = [:]
    private var backlogAfter: [Place: UInt32] = [:]
    /// 2005, whose tokens tell no backlog: how many packets had been sent when the token was passed on.
    private var packetsAfter: [Place: Int] = [:]

    /// Collects what daemon `node` sent in `events`.
    init(of node: UInt32, in events: [TotemRecording<Dialect>.Event]) throws(WireError) {
        var open: [UInt8] = []
        var openPacket = 0
        for case .sent(let packet) in events {
            switch packet.message {
            case .mcast(let mcast):
                if mcast.systemFrom.nodeID == node, firstCounter == nil { firstCounter = mcast.thisSequence }
                let place = Place(ring: mcast.ring, number: mcast.sequence)
                guard mcast.systemFrom.nodeID == node, mcast.header.encapsulated != Mcast<Dialect>.encapsulatedInRecovery,
                    packetIndex[place] == nil
                else { continue }
                let index = packetIndex.count
                packetIndex[place] = index
                let payload = Array(packet.bytes[mcast.payload.range])
                let pieces = try Self.read(ProcessGroupPacket.self, payload)
                var offset = pieces.data.start
                for (number, length) in pieces.messageLengths.enumerated() {
                    if open.isEmpty { openPacket = index }
                    open += payload[offset..<offset + Int(length)]
                    offset += Int(length)
                    if number == pieces.messageLengths.count - 1, pieces.fragmented != 0 { continue }
                    var message = Message(group: [], payload: open, packet: openPacket, lastPacket: index)
                    if !Dialect.hasLayoutOf2005 {
                        let header = try Self.read(GroupHeader.self, open)
                        message.group = header.names.first ?? []
                        message.payload = Array(open[header.message.range])
                    }
                    messages.append(message)
                    open = []
                }
            case .token(let token):
                let visit = Place(ring: token.ring, number: token.tokenSequence)
                if backlogAfter[visit] == nil { backlogAfter[visit] = token.backlog }
                if packetsAfter[visit] == nil { packetsAfter[visit] = packetIndex.count }
            default:
                break
            }
        }
    }

    private static func read<S: WireStructure>(_ type: S.Type, _ bytes: [UInt8]) throws(WireError) -> S {
        var result: Result<S, WireError> = .success(S())
        bytes.withUnsafeBytes { buffer in result = Result { () throws(WireError) in try S(reading: buffer) } }
        return try result.get()
    }

    /// How many packets the daemon had put on the ring or queued when it handled `token`, which left its previous visit with
    /// `previousBacklog` packets queued; nil when its answer was not recorded.
    func packetsKnown(at token: OrfToken<Dialect>, previousBacklog: UInt32, sentSoFar: Int) -> (packets: Int, backlog: UInt32)? {
        let visit = Place(ring: token.ring, number: token.tokenSequence &+ 1)
        if Dialect.hasLayoutOf2005 { return packetsAfter[visit].map { ($0, 0) } }
        guard let after = backlogAfter[visit] else { return nil }
        let backlog = previousBacklog &+ after &- token.backlog
        return (sentSoFar + Int(backlog), backlog)
    }

    /// Index of the packet that `mcast` is, among those with messages of the daemon.
    func packet(of mcast: Mcast<Dialect>) -> Int? {
        packetIndex[Place(ring: mcast.ring, number: mcast.sequence)]
    }
}
