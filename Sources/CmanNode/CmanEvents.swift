import EngineKit
import WireFormat

/// Where a legacy node sends a datagram.
public enum CmanDestination: Sendable, Hashable {
    /// The group address (subnet broadcast or multicast) of one interface.
    case group(interface: Int)
    /// One address, from this node's address on `interface`.
    case endpoint(Endpoint, interface: Int)
}

/// Why a node is no longer a member (reference/cman-wire.md 4.3).
public enum CmanLeaveReason: UInt8, Sendable, Hashable, CaseIterable {
    case down = 0
    case killed = 1
    case panic = 2
    case removed = 3
    case rejected = 4
    case inconsistent = 5
    case dead = 6
    case noResponse = 7
}

/// A member as this node knows it.
public struct CmanMember: Sendable, Hashable {
    /// State of a node record; the numbers travel in views (reference/cman-wire.md 5.1).
    public enum State: UInt8, Sendable, Hashable {
        case joining = 1
        case member = 2
        case dead = 3
    }

    /// Node id, 1...4096.
    public var id: UInt32
    /// Node name.
    public var name: String
    /// Its votes.
    public var votes: UInt8
    /// The expected votes it announced.
    public var expectedVotes: UInt32
    /// Joining, member or dead.
    public var state: State
    /// Its addresses, one per interface.
    public var addresses: [Endpoint]

    /// A record with all its values.
    public init(id: UInt32, name: String, votes: UInt8, expectedVotes: UInt32, state: State, addresses: [Endpoint]) {
        self.id = id
        self.name = name
        self.votes = votes
        self.expectedVotes = expectedVotes
        self.state = state
        self.addresses = addresses
    }
}

/// Quorum as a legacy node sees it.
public struct CmanQuorum: Sendable, Hashable {
    /// Votes needed.
    public var quorum: UInt32
    /// Votes present.
    public var totalVotes: UInt32
    /// Votes expected.
    public var expectedVotes: UInt32
    /// Whether the cluster may work.
    public var isQuorate: Bool { quorum <= totalVotes }

    /// Quorum with all its numbers.
    public init(quorum: UInt32, totalVotes: UInt32, expectedVotes: UInt32) {
        self.quorum = quorum
        self.totalVotes = totalVotes
        self.expectedVotes = expectedVotes
    }
}

/// Names a received message whose acknowledgement is held, or a message that was given to `send`.
public struct CmanTag: Sendable, Hashable {
    /// Counts up; unique within one node.
    public var number: UInt64

    /// The tag `number`.
    public init(_ number: UInt64) { self.number = number }
}

/// A user message that arrived.
public struct CmanUserMessage: Sendable, Hashable {
    /// Sender's node id; 0 for a sender that is no member.
    public var source: UInt32
    /// 0 when it was sent to all, otherwise this node's id.
    public var target: UInt32
    /// Port of the sender, 0 when unbound.
    public var sourcePort: UInt8
    /// Port it is for.
    public var targetPort: UInt8
    /// Sequence number of the packet; with `source` it identifies the message while the sender runs.
    public var sequence: UInt16
    /// The payload, in the store of the effects it was reported in.
    public var payload: ByteRange
    /// Set when the sender waits until `CmanNode.acknowledge` is called with it.
    public var heldAcknowledgement: CmanTag?

    /// A message with all its values.
    public init(
        source: UInt32,
        target: UInt32,
        sourcePort: UInt8,
        targetPort: UInt8,
        sequence: UInt16,
        payload: ByteRange,
        heldAcknowledgement: CmanTag?
    ) {
        self.source = source
        self.target = target
        self.sourcePort = sourcePort
        self.targetPort = targetPort
        self.sequence = sequence
        self.payload = payload
        self.heldAcknowledgement = heldAcknowledgement
    }
}

/// What a legacy node reports.
public enum CmanEvent: Sendable {
    /// The node's own state changed.
    case state(CmanState)
    /// This node is a member now, under `id`.
    case joined(id: UInt32)
    /// This node is no member any more, or could not become one.
    case left(CmanLeaveReason)
    /// Another node became a member.
    case memberUp(CmanMember)
    /// Another member is gone.
    case memberDown(CmanMember, CmanLeaveReason)
    /// A HELLO of another node was heard while this one is no member (`members` and `generation` as the HELLO says).
    case heard(id: UInt32, from: Endpoint, members: UInt16, generation: UInt32, isQuorate: Bool)
    /// A transition began: ports above 9 are blocked until it ends.
    case transitionBegan
    /// A transition ended; membership is agreed.
    case transitionEnded(generation: UInt32)
    /// Quorum changed.
    case quorum(CmanQuorum)
    /// A user message arrived.
    case message(CmanUserMessage)
    /// A user message of `source` came for a port on which no program listens here: acknowledged as such, and dropped. `target` is 0
    /// when it was sent to all.
    case unheard(source: UInt32, target: UInt32, port: UInt8)
    /// A message given to `send` is acknowledged by every node it was for that is still a member.
    case sent(CmanTag)
    /// A message given to `send` will not be delivered.
    case sendFailed(CmanTag, CmanSendError)
    /// A program on `node` closed `port`.
    case portClosed(node: UInt32, port: UInt8)
    /// The answer to `probeListener`; nil when the node was gone before it answered.
    case listener(node: UInt32, port: UInt8, isListening: Bool?)
    /// A user barrier ended.
    case barrier(name: String, CmanBarrierResult)
    /// Another node changed expected votes, its votes or the config version.
    case reconfigured(node: UInt32, parameter: UInt8, value: UInt32)
    /// A packet was refused; counted, and worth a log line.
    case refused(CmanRefusal)
}

/// State of the membership machine (reference/cman-wire.md 5.1).
public enum CmanState: String, Sendable, Hashable, CaseIterable {
    case idle, starting, newCluster, joining, joinWait, joinAck, transition, transitionComplete, member, rejected, left, master
}

/// Why a message was not sent.
public enum CmanSendError: Error, Sendable, Hashable {
    /// This node is no member.
    case notMember
    /// The target is no member.
    case noSuchNode(UInt32)
    /// Larger than a receiver takes (1480 bytes, reference/cman-wire.md 1.8).
    case tooLarge(Int)
    /// The node's queue is full.
    case queueFull
    /// Ports 0 to 2 are the protocol's own.
    case reservedPort(UInt8)
}

/// How a barrier ended.
public enum CmanBarrierResult: Sendable, Hashable {
    case completed
    case timedOut
    case aborted
}

/// Why a packet was refused.
public enum CmanRefusal: Sendable, Hashable {
    /// It could not be read.
    case malformed(WireError, from: Endpoint)
    /// It belongs to another cluster.
    case foreignCluster(number: UInt16, from: Endpoint)
    /// It claims the id of a member but comes from another address.
    case wrongAddress(id: UInt32, from: Endpoint)
    /// A stranger sent what only a member may send.
    case stranger(message: String, from: Endpoint)
    /// A message that this node cannot take in its state or that breaks the protocol.
    case unexpected(message: String, detail: String, from: Endpoint)
}
