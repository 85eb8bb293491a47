import Bridging
import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// Sees who the native members are from what goes over the group address, as long as no proxy is a member who knows better.
///
/// It believes a packet only when it comes from the address that its sender's id has in the configuration.
struct CmanObserver: Sendable {
    private let addresses: [UInt32: [Endpoint]]
    private let deadNode: Interval
    private var lastHello: [UInt32: Instant] = [:]
    /// How members went that were heard of last.
    private(set) var departures: [UInt32: Departure] = [:]

    init(addresses: [UInt32: [Endpoint]], timers: CmanTimers) {
        self.addresses = addresses
        // Members look once per HELLO period whether somebody has been silent for too long (reference/cman-wire.md 5.1).
        deadNode = timers.deadNode + timers.hello
    }

    /// Ids of the members it has heard of.
    var members: Dictionary<UInt32, Instant>.Keys { lastHello.keys }

    /// When the next member counts as dead.
    var nextDeadline: Instant? { lastHello.values.min().map { $0 + deadNode } }

    /// Takes a membership message that came over the group address; returns the sender's id when that is not configured.
    mutating func receive(_ packet: CmanPacket, from source: Endpoint, at now: Instant) -> UInt32? {
        guard let sender = UInt32(exactly: packet.header.sourceID), sender != 0 else { return nil }
        guard let expected = addresses[sender] else { return sender }
        guard expected.contains(source) else { return nil }
        switch packet.body {
        case .hello:
            lastHello[sender] = now
            departures[sender] = nil
        case .leave(let message): depart(sender, message.reason & 0xF)
        case .nodeDown(let message): depart(message.nodeID, message.reason & 0xF)
        default: break
        }
        return nil
    }

    private mutating func depart(_ node: UInt32, _ reason: UInt8) {
        guard lastHello.removeValue(forKey: node) != nil else { return }
        departures[node] = CmanLeaveReason(rawValue: reason).map(Departure.init) ?? .died
    }

    /// Forgets who has been silent for too long.
    mutating func advance(to now: Instant) {
        guard let nextDeadline, nextDeadline <= now else { return }
        for (node, heard) in lastHello where heard + deadNode <= now {
            lastHello[node] = nil
            departures[node] = .died
        }
    }
}

extension Departure {
    /// What the legacy protocol calls it.
    init(_ reason: CmanLeaveReason) {
        self =
            switch reason {
            case .down: .left
            case .removed: .removed
            case .killed: .killed
            case .panic, .rejected, .inconsistent, .dead, .noResponse: .died
            }
    }
}
