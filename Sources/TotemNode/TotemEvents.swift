import EngineKit
import TotemWire
import WireFormat

/// Where a Totem processor sends a datagram.
public enum TotemDestination: Sendable, Hashable {
    /// To everyone: the multicast address, or with udpu one copy to every configured node but this one.
    case everyone
    /// To the members of the last regular configuration: the multicast address, or with udpu one copy to each of them but this one.
    case members
    /// To one node (token, commit token).
    case node(UInt32)
}

/// Identity of a ring.
public struct TotemRingID: Sendable, Hashable, CustomStringConvertible {
    /// Node id of its representative.
    public var representative: UInt32
    /// Its sequence number.
    public var sequence: UInt64
    /// From openais 0.80 to corosync 2 the representative's address as the ring's messages have it: whoever names the ring repeats it byte
    /// for byte. Nil in the other dialects.
    public var representativeAddress: TotemIPAddress?

    /// The ring `representative`.`sequence`.
    public init(representative: UInt32, sequence: UInt64, representativeAddress: TotemIPAddress? = nil) {
        self.representative = representative
        self.sequence = sequence
        self.representativeAddress = representativeAddress
    }

    /// The ring that `ring` names on the wire.
    public init(_ ring: some TotemRing) {
        self.init(
            representative: ring.representativeNodeID,
            sequence: ring.sequence,
            representativeAddress: ring.representativeAddress
        )
    }

    /// The ring as messages of corosync 3 name it.
    public var wire: RingID { RingID(representative: representative, sequence: sequence) }

    /// The ring as messages from openais 0.80 to corosync 2 name it.
    public var addressedWire: AddressedRingID {
        AddressedRingID(representative: representativeAddress ?? TotemIPAddress(), sequence: sequence)
    }

    /// `<representative>.<sequence>` in decimal; corosync's own tools print the sequence in hexadecimal.
    public var description: String { "\(representative).\(sequence)" }
}

/// A membership as extended virtual synchrony delivers it.
public struct TotemMembership: Sendable, Hashable {
    /// Whether it is the transitional or the regular configuration.
    public var isTransitional: Bool
    /// The new ring.
    public var ring: TotemRingID
    /// Its members, in the order of the ring: by node id, before corosync 3 by address.
    public var members: [UInt32]
    /// Members that are new since the last regular configuration.
    public var joined: [UInt32]
    /// Members that are gone since the last regular configuration.
    public var left: [UInt32]

    /// A configuration with all its values.
    public init(isTransitional: Bool, ring: TotemRingID, members: [UInt32], joined: [UInt32], left: [UInt32]) {
        self.isTransitional = isTransitional
        self.ring = ring
        self.members = members
        self.joined = joined
        self.left = left
    }
}

/// State of the membership machine (reference/totem-engine.md).
public enum TotemState: String, Sendable, Hashable, CaseIterable {
    case idle, gather, commit, recovery, operational, left
}

/// What a Totem processor reports.
public enum TotemEvent: Sendable {
    /// The processor's state changed.
    case state(TotemState)
    /// A configuration, in its place in the order of messages.
    case membership(TotemMembership)
    /// A message of the total order, reassembled. `group` and `payload` lie in the store of the effects.
    case message(from: UInt32, group: ByteRange, payload: ByteRange, byteOrder: ByteOrder)
    /// The token was passed on: queued services may send.
    case tokenSent
    /// Store this ring sequence number before carrying out any later effect (reference/totem-engine.md 2).
    case storeRingSequence(UInt64)
    /// Another processor uses this one's node id.
    case duplicateIdentity(from: Endpoint)
    /// A packet was refused; counted, and worth a log line.
    case refused(TotemRefusal)
}

/// What a Totem processor's methods write their effects into.
public typealias TotemEffects = Effects<TotemDestination, TotemEvent>

/// Why a packet was refused.
public enum TotemRefusal: Sendable, Hashable {
    /// It could not be read.
    case malformed(WireError, from: Endpoint)
    /// It is of another dialect, or no Totem packet at all.
    case foreignDialect(from: Endpoint)
    /// It names a node that is not configured.
    case unknownNode(UInt32, from: Endpoint)
    /// It names a configured node at an address that is not the configured one (dialects before corosync 3).
    case unknownAddress(of: UInt32, from: Endpoint)
    /// A totempg packet whose pieces do not fit together.
    case brokenFragment(from: UInt32)
}

/// Why a message was not queued.
public enum TotemSendError: Error, Sendable, Hashable {
    /// The queue has no room; try again when the token has come round.
    case queueFull
    /// Larger than a message may be (1 MiB).
    case tooLarge(Int)
    /// The processor has left.
    case notRunning
}
