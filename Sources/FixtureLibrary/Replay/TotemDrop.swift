import EngineKit

/// A rule by which the switch dropped packets behind the point where they were recorded.
public struct TotemDrop: Sendable, Hashable {
    /// Which packets it drops.
    public enum Rule: Sendable, Hashable {
        /// Those between the nodes of the set and all others.
        case partition(Set<UInt32>)
        /// Those to a node whose UDP length is more than so many bytes.
        case longerThan(Int, to: UInt32)
    }

    /// Which packets it drops.
    public var rule: Rule
    /// When it came into force.
    public var begin: Instant
    /// When it was taken back.
    public var end: Instant

    func applies<Dialect>(to packet: TotemRecording<Dialect>.Packet, from sender: UInt32, to receiver: UInt32) -> Bool {
        guard packet.time >= begin, packet.time < end else { return false }
        return switch rule {
        case .partition(let side): side.contains(sender) != side.contains(receiver)
        case .longerThan(let length, let target): receiver == target && packet.bytes.count + 8 > length
        }
    }
}
