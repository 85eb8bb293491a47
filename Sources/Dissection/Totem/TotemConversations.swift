import TotemSecurity
import TotemWire
import WireFormat

/// What is known of the senders of Totem in a recording: that they are some, which of two generations with the same bytes they are, and
/// what was said of them already. A table of fixed size, in which a sender's place depends on its address: who needs the place of another
/// pushes it out.
struct TotemConversations {
    /// A sender, and the port that it sends to.
    struct Conversation {
        var source = IPAddress(ipv4: 0)
        var port: UInt16 = 0
        /// The generation it was found to be last; nil in an empty place.
        var generation: TotemGeneration?
        /// Why it is that one and not another with the same bytes; nil when nothing has told.
        var evidence: GenerationEvidence?
        /// What stands behind packets that are not encrypted and that no key fits; nil when nothing has told.
        var unverifiedHash: SecurityHash?
    }

    private var entries = [Conversation](repeating: Conversation(), count: size)
    /// The envelope of each that was noted last; apart from the rest, which is copied for every packet.
    private var notedEnvelopes = [TotemEnvelope?](repeating: nil, count: size)
    private static let size = 1024

    /// The place of a sender, which is emptied of others.
    subscript(source: Endpoint, destination: Endpoint) -> Conversation {
        get {
            let entry = entries[Self.index(source.address, destination.port)]
            if entry.port == destination.port, entry.source == source.address { return entry }
            return Conversation(source: source.address, port: destination.port)
        }
        set {
            let index = Self.index(source.address, destination.port)
            if entries[index].port != destination.port || entries[index].source != source.address { notedEnvelopes[index] = nil }
            entries[index] = newValue
        }
    }

    /// The envelope that was noted last of a sender that has a place.
    subscript(envelopeOf source: Endpoint, destination: Endpoint) -> TotemEnvelope? {
        get { notedEnvelopes[Self.index(source.address, destination.port)] }
        set { notedEnvelopes[Self.index(source.address, destination.port)] = newValue }
    }

    private static func index(_ source: IPAddress, _ port: UInt16) -> Int {
        // The upper bits of the product depend on all bits.
        let mixed = (source.bits ^ UInt64(port) << 40) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 48) % size
    }
}
