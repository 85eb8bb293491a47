import CmanWire
import EngineKit
import WireFormat

/// Acknowledgements, given and taken (reference/cman-wire.md 2.4, 3.1).
extension CmanNode {
    /// Counts an acknowledgement that came in a header.
    mutating func takeAcknowledgement(_ acknowledgement: UInt16, from index: Int, into effects: inout CmanEffects) {
        // Acknowledgements are compared with the last one only; see `checksAcknowledgements` for what that lets through.
        guard table[index].lastAcknowledged != acknowledgement else { return }
        if rules.checksAcknowledgements {
            guard acknowledgement == outstanding?.sequence, table[index].lastSent == acknowledgement else { return }
        }
        table[index].lastAcknowledged = acknowledgement
        countAcknowledgement(into: &effects)
    }

    /// One node less to wait for.
    private mutating func countAcknowledgement(into effects: inout CmanEffects) {
        guard var current = outstanding else { return }
        current.counted += 1
        guard current.counted >= current.expected else {
            outstanding = current
            return
        }
        outstanding = nil
        timers[.retransmit] = nil
        if current.message.isQuestion { questionEnded(current.message.target, isAnswered: true) }
        complete(current.message, into: &effects)
    }

    /// A node that is dead need not acknowledge any more.
    mutating func forgiveAcknowledgement(of index: Int, into effects: inout CmanEffects) {
        guard rules.forgetsDeadNodes, let current = outstanding, table[index].lastSent == current.sequence,
            table[index].lastAcknowledged != current.sequence
        else { return }
        table[index].lastAcknowledged = current.sequence
        countAcknowledgement(into: &effects)
    }

    /// Sends an ACK from the interface a message came in on to where it came from.
    mutating func acknowledge(
        _ sequence: UInt16,
        port: UInt8,
        status: UInt8,
        to source: Endpoint,
        interface: Int,
        into effects: inout CmanEffects
    ) {
        var packet = CmanPacket()
        packet.header.acknowledgement = sequence
        packet.header.cluster = clusterNumber
        packet.header.flags = .noAck
        packet.header.sourceID = Int32(bitPattern: id)
        var ack = CmanAck()
        ack.remotePort = port
        ack.status = status
        packet.body = .ack(ack)
        let bytes = slots.withMutableBytes(scratchSlot) { buffer -> ByteRange? in
            do throws(WireError) {
                let length = try packet.write(into: buffer)
                return effects.keep(UnsafeRawBufferPointer(rebasing: buffer[..<length]))
            } catch {
                return nil
            }
        }
        if let bytes { effects.transmit(bytes, to: .endpoint(source, interface: interface)) }
    }

    /// Status of an ACK: whether somebody listens on the port.
    func ackStatus(isDelivered: Bool) -> UInt8 {
        isDelivered == rules.invertsAckStatus ? 1 : 0
    }

    /// Acknowledges a message whose acknowledgement was held. Unknown tags and those of senders that are gone are ignored.
    public mutating func acknowledge(_ tag: CmanTag, at now: Instant, into effects: inout CmanEffects) {
        self.now = now
        for index in table.records.indices {
            guard let held = table[index].held, held.tag == tag else { continue }
            table[index].held = nil
            table[index].lastAcknowledgeable = held.sequence
            table[index].lastAnswered = held.sequence
            acknowledge(
                held.sequence,
                port: held.port,
                status: ackStatus(isDelivered: true),
                to: held.source,
                interface: held.interface,
                into: &effects
            )
        }
    }
}
