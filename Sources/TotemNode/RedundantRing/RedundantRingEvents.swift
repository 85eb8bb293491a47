import EngineKit
import WireFormat

/// Some of a processor's networks.
public struct RingInterfaces: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Network `number`, counted from 0.
    public init(_ number: Int) {
        self.init(rawValue: 1 << UInt8(truncatingIfNeeded: number))
    }

    /// Whether network `number` is one of them.
    public func contains(number: Int) -> Bool { contains(RingInterfaces(number)) }
}

/// Where the redundant ring protocol itself sends a datagram: over one network to one processor.
public struct RingDestination: Sendable, Hashable {
    /// The network, from 0.
    public var interface: Int
    /// Node id of the processor.
    public var node: UInt32

    /// `node`, over `interface`.
    public init(interface: Int, node: UInt32) {
        self.interface = interface
        self.node = node
    }
}

/// What the redundant ring protocol reports. Networks are counted from 0.
public enum RedundantRingEvent: Sendable, Hashable {
    /// Hand this token, which did not come over all networks in time, to the processor as if it came now. It lies in the store of the
    /// effects.
    case token(ByteRange, from: Endpoint, interface: Int)
    /// A network missed the token with this sequence number: its problem counter, and the threshold.
    case problem(interface: Int, tokenSequence: UInt32, count: Int, threshold: Int)
    /// A problem of a network was forgotten; how many are left.
    case problemForgotten(interface: Int, count: Int)
    /// A network is faulty from now on.
    case faulty(interface: Int)
    /// A faulty network is used again.
    case recovered(interface: Int)
    /// A ring test that could not be read.
    case refused(WireError, from: Endpoint)
}

/// What became of a datagram that was handed to the redundant ring protocol.
public struct RingReception: Sendable, Hashable {
    /// Whether the processor takes the datagram now. Otherwise it was a ring test, or a token that waits for its copies.
    public let passesUp: Bool
    /// What the passive monitor counts: over which network, and whether it is a token; nil for nothing.
    let counted: Counted?

    struct Counted: Sendable, Hashable {
        var interface: Int
        var isToken: Bool
    }
}
