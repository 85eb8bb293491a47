import EngineKit
import TotemWire
import WireFormat

/// The encoded group headers of the groups that were sent to; there are two or three.
struct GroupHeaderCache: Sendable {
    private var headers: [(group: StaticString, bytes: [UInt8])] = []

    /// The header of a message for `group`.
    mutating func header(for group: StaticString, byteOrder: ByteOrder) -> [UInt8] {
        for (known, bytes) in headers where known.utf8Start == group.utf8Start { return bytes }
        let name = group.withUTF8Buffer { Array($0) }
        let bytes = (try? GroupHeader(group: name).bytes(byteOrder: byteOrder)) ?? []
        headers.append((group, bytes))
        return bytes
    }
}

extension TotemNode {
    /// Longest message that can be sent (MESSAGE_SIZE_MAX), in bytes.
    public static var messageSizeLimit: Int { 1 << 20 }

    /// Queues a message for every member of the ring, this one included. It goes out with the token and comes back as
    /// `TotemEvent.message` in its place in the total order; while the ring synchronises it belongs to the synchronisation.
    public mutating func send(
        _ payload: UnsafeRawBufferPointer,
        group: StaticString,
        at now: Instant,
        into effects: inout Output
    ) throws(TotemSendError) {
        try send(payload, followedBy: UnsafeRawBufferPointer(start: nil, count: 0), group: group, at: now, into: &effects)
    }

    /// Queues a message that lies in two pieces, such as a header and its body. Where a packet ends may depend on the pieces, so
    /// whoever wants the bytes of a daemon gives the pieces that the daemon gives (reference/totem-wire.md 5.3).
    public mutating func send(
        _ payload: UnsafeRawBufferPointer,
        followedBy rest: UnsafeRawBufferPointer,
        group: StaticString,
        at now: Instant,
        into effects: inout Output
    ) throws(TotemSendError) {
        guard state != .idle, state != .left else { throw .notRunning }
        let count = payload.count + rest.count
        guard count <= Self.messageSizeLimit else { throw .tooLarge(count) }
        let header = rules.hasGroups ? groupHeaders.header(for: group, byteOrder: byteOrder) : []
        // byte_count_send_ok (totempg.c:1060).
        let packetBytes = configuration.networkMTU - ProcessGroupPacket.fixedSize - 16
        let needed = (header.count + count + packer.waitingBytes) / packetBytes + 1
        guard needed <= (awaitsTransAck ? transitionalOutgoing : outgoing).room else { throw .queueFull }
        cancelHold(into: &effects)
        header.withUnsafeBytes { bytes in
            guard !header.isEmpty else { return }
            // The daemons give the lengths and the name as two pieces.
            pack(UnsafeRawBufferPointer(rebasing: bytes[..<4]), isLast: false)
            pack(UnsafeRawBufferPointer(rebasing: bytes[4...]), isLast: count == 0)
        }
        if payload.count > 0 { pack(payload, isLast: rest.count == 0) }
        if rest.count > 0 { pack(rest, isLast: true) }
        packer.finishMessage()
        handleOwnCopies(at: now, into: &effects)
    }

    private mutating func pack(_ piece: UnsafeRawBufferPointer, isLast: Bool) {
        var packer = Packer.placeholder
        swap(&packer, &self.packer)
        packer.append(piece, isLast: isLast) { enqueue(&$0, data: $1) }
        swap(&packer, &self.packer)
    }

    /// The token is here: what was packed so far goes with it (callback_token_received_fn totempg.c:748).
    package mutating func flushPacker() {
        guard !packer.isEmpty, (awaitsTransAck ? transitionalOutgoing : outgoing).room > 0 else { return }
        var packer = Packer.placeholder
        swap(&packer, &self.packer)
        packer.flush { enqueue(&$0, data: $1) }
        swap(&packer, &self.packer)
    }

    /// The services have synchronised in the new ring (totempg_trans_ack): messages that waited from before may go.
    public mutating func completeSynchronisation() {
        guard awaitsTransAck else { return }
        awaitsTransAck = false
        assemblies.isTransitional = false
        // What was sent while synchronising and has not gone out must not wait for the next ring.
        while outgoing.room > 0, let packet = transitionalOutgoing.popFirst() { outgoing.append(packet) }
    }
}
