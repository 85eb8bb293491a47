import CmanWire
import EngineKit
import WireFormat

/// What a node knows of one node, itself included.
struct NodeRecord: Sendable {
    var id: UInt32
    var name: [UInt8]
    var votes: UInt8
    var expectedVotes: UInt32
    var state: CmanMember.State
    var addresses: [CmanSocketAddress]
    /// The same addresses as datagrams have them.
    var endpoints: [Endpoint]
    var isSelf = false
    var leaveReason: UInt8 = 0
    /// How often the node came back; a joiner with 0 is forgotten when its join fails.
    var incarnation = 0
    var lastHello: Instant
    /// It was asked whether it lives, and has not acknowledged yet.
    var isAsked = false
    /// Sequence number of the last reliable message from it; 0 before the first.
    var lastReceived: UInt16 = 0
    /// When that message came.
    var lastReceivedAt = Instant.zero
    /// The same without a message whose acknowledgement is still held: what messages to it acknowledge.
    var lastAcknowledgeable: UInt16 = 0
    /// The last message of it that an ACK was sent for.
    var lastAnswered: UInt16 = 0
    /// The last acknowledgement of it that counted.
    var lastAcknowledged: UInt16 = 0
    /// The last reliable message that it had to acknowledge.
    var lastSent: UInt16 = 0
    var held: HeldAcknowledgement?
    /// It has answered the STARTTRANS or MASTERVIEW that is out.
    var hasAnswered = false
    var agrees = true
    /// It was reported as a member.
    var isReported = false

    /// Whether its last message was acknowledged by an ACK of its own, so that no other message has to.
    var isAnswered: Bool { lastAnswered == lastAcknowledgeable }

    var member: CmanMember {
        CmanMember(
            id: id,
            name: String(decoding: name, as: UTF8.self),
            votes: votes,
            expectedVotes: expectedVotes,
            state: state,
            addresses: endpoints
        )
    }
}

/// An acknowledgement that waits for `CmanNode.acknowledge`.
struct HeldAcknowledgement: Sendable {
    var tag: CmanTag
    var sequence: UInt16
    var port: UInt8
    var source: Endpoint
    var interface: Int
}

/// All nodes that were ever heard of, oldest first. Dead ones stay: views are compared with them (reference/cman-wire.md 10.1, 7).
struct NodeTable: Sendable {
    /// More node ids than this do not exist (reference/cman-wire.md 1.7).
    static let highestID: UInt32 = 4096

    private(set) var records: [NodeRecord] = []
    private var indexByID: [UInt32: Int] = [:]

    /// This node's record is the first one.
    init(own: NodeRecord) {
        records = [own]
    }

    subscript(index: Int) -> NodeRecord {
        get { records[index] }
        _modify { yield &records[index] }
    }

    /// Members including this node, which counts itself before it is one.
    var memberCount: Int {
        records.reduce(0) { $0 + ($1.isSelf || $1.state == .member ? 1 : 0) }
    }

    var highestKnownID: UInt32 { records.reduce(0) { max($0, $1.id) } }

    /// The lowest id among the members, but `excluded`.
    func lowestMember(excluding excluded: UInt32 = 0) -> UInt32? {
        records.lazy.filter { $0.state == .member && $0.id != 0 && $0.id != excluded }.map(\.id).min()
    }

    func index(ofID id: UInt32) -> Int? { indexByID[id] }

    func index(ofName name: [UInt8]) -> Int? { records.firstIndex { $0.name == name } }

    func index(of endpoint: Endpoint) -> Int? { records.firstIndex { $0.endpoints.contains(endpoint) } }

    mutating func setOwnID(_ id: UInt32) {
        records[0].id = id
        indexByID[id] = 0
    }

    /// Adds a node. A joiner that failed and has the same id makes room for it.
    mutating func add(_ record: NodeRecord) {
        if let index = indexByID[record.id], records[index].state == .joining { remove(at: index) }
        if record.id != 0 { indexByID[record.id] = records.count }
        records.append(record)
    }

    mutating func remove(at index: Int) {
        records.remove(at: index)
        indexByID.removeAll(keepingCapacity: true)
        for (index, record) in records.enumerated() where record.id != 0 { indexByID[record.id] = index }
    }

    /// Positions of the records in the order in which an implementation keeps its list.
    func positions(newestFirst: Bool) -> [Int] {
        newestFirst ? Array(records.indices.reversed()) : Array(records.indices)
    }

    mutating func forEach(_ body: (inout NodeRecord) -> Void) {
        for index in records.indices { body(&records[index]) }
    }
}
