import WireFormat

/// Datagrams under way. A broadcast is stored once for all its receivers, and storage is used again.
package struct PacketPool {
    /// Where a datagram lies.
    package typealias Slot = Int

    /// A datagram and who still waits for it.
    package struct Packet {
        package var bytes: [UInt8]
        package var source: Endpoint
        package var destination: Endpoint
        package var viaGroup: Bool
        package var references: Int
    }

    private var packets: [Packet] = []

    private var free: [Slot] = []

    /// Nothing is under way.
    package init() {}

    package subscript(slot: Slot) -> Packet {
        _read { yield packets[slot] }
    }

    /// Stores a copy of a datagram, which nobody waits for yet.
    package mutating func store(_ bytes: UnsafeRawBufferPointer, from source: Endpoint, to destination: Endpoint, viaGroup: Bool) -> Slot {
        guard let slot = free.popLast() else {
            packets.append(Packet(bytes: Array(bytes), source: source, destination: destination, viaGroup: viaGroup, references: 0))
            return packets.count - 1
        }
        packets[slot].bytes.removeAll(keepingCapacity: true)
        packets[slot].bytes.append(contentsOf: bytes)
        packets[slot].source = source
        packets[slot].destination = destination
        packets[slot].viaGroup = viaGroup
        return slot
    }

    package mutating func retain(_ slot: Slot) {
        packets[slot].references += 1
    }

    /// One receiver less; the storage is free again after the last one.
    package mutating func release(_ slot: Slot) {
        packets[slot].references -= 1
        recycle(slot)
    }

    /// Frees the storage when nobody waits for it.
    package mutating func recycle(_ slot: Slot) {
        if packets[slot].references == 0 { free.append(slot) }
    }
}
