import EngineKit
import TotemWire
import WireFormat

extension TotemNode {
    /// Messages that wait for the token (backlog_get totemsrp.c:3589).
    package var backlog: Int {
        switch state {
        case .operational: awaitsTransAck ? transitionalOutgoing.count : outgoing.count
        case .recovery: recoveryOutgoing.count
        case .gather: rules.passesTokensWhileGathering && !oldRingState.isSaved ? outgoing.count : 0
        case .idle, .commit, .left: 0
        }
    }

    /// Puts waiting messages on the ring; returns how many (orf_token_mcast totemsrp.c:2725).
    mutating func sendWaiting(allowed: UInt32, into effects: inout Output) -> UInt32 {
        var sent: UInt32 = 0
        guard backlog > 0 || state != .gather else { return 0 }
        while sent < allowed, makeRoom(for: token.sequence &+ 1), let packet = takeWaiting() {
            token.sequence &+= 1
            number(packet, token.sequence)
            insert(packet, at: token.sequence)
            send(packet, into: &effects)
            received.highSequence = token.sequence
            counters.messagesSent += 1
            sent += 1
        }
        received.extend(over: state == .recovery ? recoveryQueue : regularQueue)
        return sent
    }

    /// Makes sure that the place of the next message is free: nobody can have sent what stands there, because the token is here.
    /// False when the window has no such place.
    private mutating func makeRoom(for sequence: UInt32) -> Bool {
        let isRecovering = state == .recovery
        guard isRecovering ? recoveryQueue.contains(sequence) : regularQueue.contains(sequence) else { return false }
        if let forged = isRecovering ? recoveryQueue.remove(sequence) : regularQueue.remove(sequence) { packets.remove(forged) }
        return true
    }

    private mutating func takeWaiting() -> PacketStore.Handle? {
        if state == .recovery { return recoveryOutgoing.popFirst() }
        return awaitsTransAck ? transitionalOutgoing.popFirst() : outgoing.popFirst()
    }

    mutating func insert(_ packet: PacketStore.Handle, at sequence: UInt32) {
        if state == .recovery {
            recoveryQueue.insert(packet, at: sequence)
        } else {
            regularQueue.insert(packet, at: sequence)
        }
    }

    /// Completes the header of a waiting message: only now are its ring and its number known.
    private mutating func number(_ packet: PacketStore.Handle, _ sequence: UInt32) {
        let (counter, byteOrder) = (messageCounter, byteOrder)
        let ring = ringID
        messageCounter &+= 1
        packets.withMutableBytes(packet) { bytes in
            guard var message = try? Message(reading: UnsafeRawBufferPointer(bytes), byteOrder: byteOrder) else { return }
            message.sequence = sequence
            message.thisSequence = counter
            message.ring = ring
            var writer = WireWriter(bytes, byteOrder: byteOrder)
            try? message.visit(&writer)
        }
    }

    /// Queues a totempg packet as a message (totemsrp_mcast totemsrp.c:2498).
    mutating func enqueue(_ packet: inout ProcessGroupPacket, data: UnsafeRawBufferPointer) {
        var message = Message()
        // Another ring may take its place; without any the header could not be read again where rings are checked (corosync 2).
        message.ring = ringID
        message.header = header(.mcast, encapsulated: Message.notEncapsulated)
        message.systemFrom = ownAddress
        // Replaced when it is sent; a ring without an address could not be read back.
        message.ring = ringID
        let byteOrder = byteOrder
        let size = messageHeaderSize + ProcessGroupPacket.fixedSize + 2 * packet.messageLengths.count + data.count
        let stored = packets.insert(count: size) { bytes in
            var writer = WireWriter(bytes, byteOrder: byteOrder)
            try? message.visit(&writer)
            try? packet.visit(&writer)
            try? writer.append(data)
        }
        guard let stored else { return }
        if awaitsTransAck {
            transitionalOutgoing.append(stored)
        } else {
            outgoing.append(stored)
        }
    }
}
