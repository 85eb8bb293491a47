import Captures
import TotemWire
import WireFormat

/// A wire generation, by the names of the design.
public enum Dialect: UInt8, Sendable, Hashable, CaseIterable {
    /// Legacy cman, oldest first.
    case cman2a, cman2b, cman3, cman4, cman5
    /// Totem, oldest first.
    case totem2005, openais080, corosync1, corosync2, corosync3

    /// The Totem dialect of `generation`.
    public init(_ generation: TotemGeneration) {
        switch generation {
        case .totem2005: self = .totem2005
        case .openais080: self = .openais080
        case .corosync1: self = .corosync1
        case .corosync2: self = .corosync2
        case .corosync3: self = .corosync3
        }
    }

    /// The generation of Totem; nil for legacy cman.
    public var generation: TotemGeneration? {
        switch self {
        case .cman2a, .cman2b, .cman3, .cman4, .cman5: nil
        case .totem2005: .totem2005
        case .openais080: .openais080
        case .corosync1: .corosync1
        case .corosync2: .corosync2
        case .corosync3: .corosync3
        }
    }

    /// Its name.
    public var name: StaticString {
        switch self {
        case .cman2a: "cman-2a"
        case .cman2b: "cman-2b"
        case .cman3: "cman-3"
        case .cman4: "cman-4"
        case .cman5: "cman-5"
        case .totem2005: TotemGeneration.totem2005.name
        case .openais080: TotemGeneration.openais080.name
        case .corosync1: TotemGeneration.corosync1.name
        case .corosync2: TotemGeneration.corosync2.name
        case .corosync3: TotemGeneration.corosync3.name
        }
    }
}

/// The place of a message in the total order of all rings: the ring, the mcast that holds its last byte, and its number in that mcast.
public struct DeliveryOrder: Sendable, Hashable, Comparable {
    /// The ring.
    public var ring: RingID
    /// Sequence number of the mcast.
    public var sequence: UInt32
    /// Number among the messages of the mcast, from 0.
    public var index: Int

    public static func < (left: DeliveryOrder, right: DeliveryOrder) -> Bool {
        (left.ring.sequence, left.ring.representative, left.sequence, left.index)
            < (right.ring.sequence, right.ring.representative, right.sequence, right.index)
    }
}

/// A message that a packet completes above the outer protocol.
public struct CarriedMessage: Sendable {
    /// Its name, e.g. `cpg.mcast`.
    public var message: StaticString
    /// Which message above totempg it is; nil for one of another protocol or of a group of programs, and for one that its generation
    /// does not have.
    public var kind: ServiceMessageKind?
    /// Node id of who sent it; 0 where the protocol does not say. In Totem of 2005 that is cman's id, or the IPv4 address as a number of
    /// a node that has none yet.
    public var sender: UInt32
    /// Its place in the total order; nil for protocols without one.
    public var order: DeliveryOrder?
    /// Its fields in the tree, with those of the group header.
    public var nodes: Range<Int>
    /// Its fields without the group header, where the group is one of the daemons' own.
    public var contentNodes: Range<Int>
}

/// What one packet means. It is filled again and again by `PacketDissector`; who wants to keep something copies it.
public final class Dissection {
    /// Number of the frame in the file, from 1.
    public internal(set) var frame = 0
    /// When it was recorded, in nanoseconds since 1970-01-01 00:00 UTC.
    public internal(set) var time: Int64 = 0
    /// Time since the first frame, in nanoseconds.
    public internal(set) var relativeTime: Int64 = 0
    /// Which of `inputNames` it is from.
    public internal(set) var input = 0
    /// Which of `interfaceNames` it came through, where the source tells.
    public internal(set) var interface: Int?
    /// The files that were merged, or the one input.
    public internal(set) var inputNames: [String] = [] {
        didSet { inputCount = inputNames.count }
    }
    /// How many files there are; every packet asks.
    private(set) var inputCount = 0
    /// The interfaces that the source has named so far.
    public internal(set) var interfaceNames: [String] = []
    /// How many bytes of the frame were on the wire, and how many of them were recorded.
    public internal(set) var frameLength = (original: 0, recorded: 0)
    /// What the frame is below UDP.
    public internal(set) var content = Decapsulation()
    /// The headers around the datagram with the bytes of the frame; empty unless `PacketDissector.keepsFrames`.
    public let headers = FieldTree()
    /// Names of the protocols above UDP.
    public internal(set) var upperProtocols = ProtocolNames()
    /// The wire generation; nil when the packet belongs to none.
    public internal(set) var dialect: Dialect?
    /// Generations that have the very same bytes; of a packet without a dialect those that it could be of.
    public internal(set) var alternatives = DialectSequence()
    /// Why a packet of Totem counts as one of its dialect.
    public internal(set) var recognition: Recognition?
    /// The security envelope that it was in.
    public internal(set) var envelope: TotemEnvelope?
    /// What of the packet was looked at.
    public internal(set) var interest = Interest.everything
    /// Whether fields of the outer protocols are wanted, all or some. Without, the tree may have those only that the line of text needs.
    public internal(set) var wantsFields = true
    /// The message's name.
    public internal(set) var message: StaticString = "other"
    /// The sender's node id, as the packet says it.
    public internal(set) var node: UInt32?
    /// The ring it names.
    public internal(set) var ring: RingID?
    /// The fields, those of carried messages behind those of the packet itself.
    public let tree = FieldTree()
    /// Whether its envelope is of a kind whose fields are not known, so that its bytes are shown as they are.
    var isOpaque = false
    /// How many nodes of the tree belong to the packet itself.
    public internal(set) var ownNodes = 0
    /// What it completes above the outer protocol.
    public internal(set) var carries: [CarriedMessage] = []
    /// The group header that was read last, for its memory.
    var groupHeader = GroupHeader()
    /// Endpoints as text; they stay from packet to packet.
    let endpointNames = EndpointNames()
    /// What the packet means, on one line, without the message's name.
    public internal(set) var detail = TextBuffer()
    /// What is wrong with its bytes.
    public internal(set) var problems = TextList()
    /// What is remarkable about it.
    public internal(set) var notes = TextList()

    /// An empty result.
    public init() {}

    /// Appends what the packet means on one line: the message's name, in capitals where the protocol writes it so, and the detail.
    public func appendSummary(to text: inout TextBuffer) {
        appendSummary(to: &text, escaped: false)
    }

    /// The same, with everything that JSON wants escaped.
    func appendSummary(to text: inout TextBuffer, escaped isEscaped: Bool) {
        if dialect?.generation != nil || dialect == nil {
            text.append(message)
        } else {
            for index in 0..<message.utf8CodeUnitCount {
                let byte = message.utf8Start[index]
                text.append(byte: (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 32 : byte)
            }
        }
        guard detail.count > 0 else { return }
        text.append(" ")
        if isEscaped { text.append(escaped: detail) } else { text.append(contentsOf: detail) }
    }

    /// Whether there are problems or notes.
    @inline(__always)
    var hasRemarks: Bool { !problems.isEmpty || !notes.isEmpty }

    /// The file that it is from, where there are several.
    var fileName: String? {
        inputCount > 1 && inputNames.indices.contains(input) ? inputNames[input] : nil
    }

    /// The interface that it came through, where the source names it.
    var interfaceName: String? {
        guard let interface, interfaceNames.indices.contains(interface), !interfaceNames[interface].isEmpty else { return nil }
        return interfaceNames[interface]
    }

    /// Whether a protocol above UDP or TCP has taken its bytes apart.
    var isTakenApart: Bool {
        content.kind == .segment ? !carries.isEmpty : !upperProtocols.isEmpty && !isOpaque
    }

    /// Whether more is wanted of an outer message than which one it is.
    var looksInside: Bool { wantsFields || !interest.isDisjoint(with: [.origin, .carried, .text]) }

    /// Whether messages that are carried are looked at; only they tell what is remarkable about a packet.
    var looksForCarried: Bool { !interest.isDisjoint(with: [.carried, .text, .fields]) }

    /// Forgets the packet before. `content` is that of `packet` already.
    func begin(_ packet: CapturedPacket, firstTime: Int64) {
        frame = packet.frame
        time = packet.time
        relativeTime = packet.time &- firstTime
        input = packet.input
        interface = packet.interface
        frameLength = (packet.originalLength, packet.bytes.count)
        headers.removeAll()
        upperProtocols.removeAll()
        dialect = nil
        alternatives = DialectSequence()
        recognition = nil
        if envelope != nil { envelope = nil }
        message = "other"
        node = nil
        ring = nil
        tree.removeAll()
        ownNodes = 0
        isOpaque = false
        if !carries.isEmpty { carries.removeAll(keepingCapacity: true) }
        detail.removeAll()
        problems.removeAll()
        notes.removeAll()
    }
}
