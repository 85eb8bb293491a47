import TotemSecurity
import TotemWire
import WireFormat

/// corosync 2 can authenticate packets without encrypting them. Such a packet can be read without the key, but only its end tells that
/// there is a digest behind it: nothing else says so (reference/totem-wire.md 2.3).
enum UnverifiedDigest {
    /// The hash whose digest stands behind the message in `packet`, by its size; `.none` when nothing stands there, and nil when that
    /// does not tell.
    static func hash(behind packet: UnsafeRawBufferPointer) -> SecurityHash? {
        guard let size = bytesBehindMessage(packet) else { return nil }
        return SecurityHash.allCases.first { $0.digestSize == size }
    }

    private static func bytesBehindMessage(_ packet: UnsafeRawBufferPointer) -> Int? {
        guard let totem = try? TotemPacket<Corosync2>(reading: packet) else { return nil }
        guard case .mcast(let mcast) = totem.message else { return totem.trailing.count }
        let payload = UnsafeRawBufferPointer(rebasing: packet[mcast.payload.range])
        if mcast.header.encapsulated == Mcast<Corosync2>.encapsulatedInRecovery {
            // A message of the old ring, which is no recovery itself.
            guard payload.count < packet.count, let inner = try? TotemPacket<Corosync2>(reading: payload),
                case .mcast(let old) = inner.message
            else { return nil }
            return bytesBehindPieces(UnsafeRawBufferPointer(rebasing: payload[old.payload.range]), inner.byteOrder)
        }
        return bytesBehindPieces(payload, totem.byteOrder)
    }

    private static func bytesBehindPieces(_ payload: UnsafeRawBufferPointer, _ byteOrder: ByteOrder) -> Int? {
        guard let pieces = try? ProcessGroupPacket(reading: payload, byteOrder: byteOrder) else { return nil }
        let size = pieces.data.count - pieces.messageLengths.reduce(0) { $0 + Int($1) }
        return size >= 0 ? size : nil
    }
}
