import EngineKit
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

    /// Stores a copy of a datagram of which up to four bytes are changed, often to small numbers, which mean something in most fields;
    /// or whose end is missing.
    package mutating func damage(_ slot: Slot, random: inout RandomSource) -> Slot {
        let original = packets[slot]
        let copy = original.bytes.withUnsafeBytes {
            store($0, from: original.source, to: original.destination, viaGroup: original.viaGroup)
        }
        guard !original.bytes.isEmpty else { return copy }
        for _ in 0..<(1 + random.below(4)) {
            let byte = UInt8(truncatingIfNeeded: random.next())
            packets[copy].bytes[random.below(original.bytes.count)] = random.chance(0.5) ? byte & 7 : byte
        }
        if random.chance(0.125) { packets[copy].bytes.removeLast(1 + random.below(original.bytes.count)) }
        return copy
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
