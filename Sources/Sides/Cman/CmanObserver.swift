import Bridging
import CmanNode
import CmanWire
import EngineKit
import WireFormat

/// Sees who the native members are from what goes over the group address, as long as no proxy is a member who knows better.
///
/// Its caller hands in what comes from the address that its sender's id has in the configuration, and nothing else.
package struct CmanObserver: Sendable {
    /// Addresses of every configured node.
    package let addresses: [UInt32: [Endpoint]]
    private let deadNode: Interval
    private var lastHello: [UInt32: Instant] = [:]
    /// How members went that were heard of last.
    package private(set) var departures: [UInt32: Departure] = [:]

    package init(addresses: [UInt32: [Endpoint]], timers: CmanTimers) {
        self.addresses = addresses
        // Members look once per HELLO period whether somebody has been silent for too long (reference/cman-wire.md 5.1).
        deadNode = timers.deadNode + timers.hello
    }

    /// Ids of the members it has heard of.
    package var members: Dictionary<UInt32, Instant>.Keys { lastHello.keys }

    /// When the next member counts as dead.
    package var nextDeadline: Instant? { lastHello.values.min().map { $0 + deadNode } }

    /// Takes a membership message of a configured node; whether `members` changed.
    package mutating func receive(_ message: CmanBody, from sender: UInt32, at now: Instant) -> Bool {
        switch message {
        case .hello:
            departures[sender] = nil
            return lastHello.updateValue(now, forKey: sender) == nil
        case .leave(let message): return depart(sender, message.reason)
        case .nodeDown(let message): return depart(message.nodeID, message.reason)
        default: return false
        }
    }

    private mutating func depart(_ node: UInt32, _ reason: UInt8) -> Bool {
        guard lastHello.removeValue(forKey: node) != nil else { return false }
        // 0x10 says that it was forced (reference/cman-wire.md 4.3).
        departures[node] = CmanLeaveReason(rawValue: reason & 0xF).map(Departure.init) ?? .died
        return true
    }

    /// Forgets who has been silent for too long; whether there was anybody.
    package mutating func advance(to now: Instant) -> Bool {
        guard let nextDeadline, nextDeadline <= now else { return false }
        for (node, heard) in lastHello where heard + deadNode <= now {
            lastHello[node] = nil
            departures[node] = .died
        }
        return true
    }
}

extension Departure {
    /// What the legacy protocol calls it.
    package init(_ reason: CmanLeaveReason) {
        self =
            switch reason {
            case .down: .left
            case .removed: .removed
            case .killed: .killed
            case .panic, .rejected, .inconsistent, .dead, .noResponse: .died
            }
    }
}
