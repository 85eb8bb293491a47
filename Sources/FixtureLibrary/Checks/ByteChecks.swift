import Dissection

/// Checks of the bytes of every packet: that each belongs to a field, and that what was read gives the same bytes when it is written.
struct ByteChecks {
    private var packets = 0
    private var messages = 0
    /// The first byte of no field.
    private var unaccounted: String?
    /// The first packet that is written otherwise than it was read.
    private var different: String?

    /// Looks at one packet.
    mutating func take(_ packet: Dissection) {
        guard packet.dialect != nil && packet.ownNodes > 0 || !packet.carries.isEmpty else { return }
        packets += 1
        if unaccounted == nil, packet.problems.isEmpty, let byte = packet.tree.firstUnaccountedByte() {
            unaccounted =
                "frame \(packet.frame), \(packet.message), \(byte.protocolName): byte \(byte.offset) of \(byte.count) belongs to no field"
        }
        if different == nil { compare(packet) }
    }

    private mutating func compare(_ packet: Dissection) {
        do {
            if let (field, offset) = try RoundTrip.difference(packet) {
                different = "frame \(packet.frame), \(field): written otherwise than read from byte \(offset) on"
            }
            for carried in packet.carries {
                messages += 1
                guard let offset = try RoundTrip.difference(carried, in: packet) else { continue }
                different = "frame \(packet.frame), \(carried.message): written otherwise than read from byte \(offset) on"
                break
            }
        } catch {
            // What cannot be read is told by the packet's problems.
            guard packet.problems.isEmpty else { return }
            different = "frame \(packet.frame), \(packet.message): \(error)"
        }
    }

    /// Every byte belongs to a field.
    var accounting: CheckOutcome {
        if let unaccounted { return .failed(unaccounted) }
        return packets == 0 ? .skipped("no packet of a known dialect") : .passed("every byte of \(packets) packets")
    }

    /// Parse then write is the identity.
    var roundTrip: CheckOutcome {
        if let different { return .failed(different) }
        return packets == 0 ? .skipped("no packet of a known dialect") : .passed("\(packets) packets, \(messages) carried messages")
    }
}
