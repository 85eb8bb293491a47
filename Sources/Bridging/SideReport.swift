/// What a side tells the bridge, in the order in which it happened there.
///
/// Members are native members: a side never reports the bridge's own proxies as members, and each thing once, however many
/// proxies saw it.
public enum SideReport: Sendable, Hashable {
    /// A native member is up.
    case memberUp(SideMember)
    /// What is known of a native member that is up has changed (votes, name).
    case memberChanged(SideMember)
    /// A native member is gone.
    case memberDown(UInt32, Departure)
    /// State of a proxy changed.
    case proxy(UInt32, ProxyReport)
    /// Quorum as this side's members see it.
    case quorum(SideQuorum)
    /// Whether messages can be ordered now: members agree on their membership and no transition blocks them.
    case operational(Bool)
    /// Whether a program of a native member listens on a port.
    case listening(node: UInt32, port: UInt8, Bool)
    /// A message of a native member.
    case message(SideMessage)
    /// The message that was given to proxy `from` with this tag is ordered: it will reach every member that stays.
    case ordered(from: UInt32, SendTag)
    /// The message that was given to proxy `from` with this tag will not be delivered; final.
    case sendFailed(from: UInt32, SendTag, Refusal)
    /// A native member asked for the end of a proxy, in words meant for a node (administrator's kill, not a protocol's clean-up).
    case killed(proxy: UInt32, by: UInt32)
    /// A native member changed the expected votes of the cluster.
    case expectedVotes(UInt32, by: UInt32)
    /// A message of a native member is not carried across, because no program of the other side is known to listen on its port.
    case unheard(node: UInt32)
    /// Something of a native member cannot be carried across; it was answered as the protocol demands.
    case refused(Refusal, node: UInt32)
    /// A native member uses the id of a proxy.
    case doubleIdentity(UInt32, holder: String)
}

/// A native member.
public struct SideMember: Sendable, Hashable {
    /// Its node id.
    public var id: UInt32
    /// Its name, where the side knows it.
    public var name: String?
    /// Its votes, where the side knows them.
    public var votes: UInt32?

    /// Member `id`.
    public init(id: UInt32, name: String? = nil, votes: UInt32? = nil) {
        self.id = id
        self.name = name
        self.votes = votes
    }
}

/// How a member went, in terms that both sides have.
public enum Departure: String, Sendable, Hashable, CaseIterable {
    /// It left in order.
    case left
    /// It left in order and for good: expected votes go down with it.
    case removed
    /// It fell silent, or broke.
    case died
    /// It was killed by another member.
    case killed
    /// Nothing is known of it any more, because the side has lost its last way to see its members.
    case unobserved
}

/// State of a proxy as its side reports it.
public enum ProxyReport: Sendable, Hashable {
    /// It asks to become a member.
    case joining
    /// It is a member.
    case member
    /// It is no member any more, and the side has forgotten it.
    case gone(ProxyLoss)
}

/// Why a proxy is gone.
public enum ProxyLoss: Sendable, Hashable {
    /// The bridge withdrew it.
    case withdrawn
    /// The side's members would not have it, or did not answer.
    case joinFailed(String)
    /// The side's members declared it dead, or its protocol failed.
    case expelled(String)
    /// A member killed it.
    case killed
    /// A native member has its id.
    case doubleIdentity
}

/// Quorum of a side.
public struct SideQuorum: Sendable, Hashable {
    /// Votes needed.
    public var quorum: UInt32
    /// Votes present.
    public var totalVotes: UInt32
    /// Votes expected.
    public var expectedVotes: UInt32
    /// Whether the cluster may work.
    public var isQuorate: Bool

    /// Quorum with all its numbers.
    public init(quorum: UInt32, totalVotes: UInt32, expectedVotes: UInt32, isQuorate: Bool) {
        self.quorum = quorum
        self.totalVotes = totalVotes
        self.expectedVotes = expectedVotes
        self.isQuorate = isQuorate
    }
}

/// A message, in terms that both sides have.
public struct SideMessage: Sendable, Hashable {
    /// Sender's node id.
    public var source: UInt32
    /// Node id it is for; 0 for all.
    public var target: UInt32
    /// Port of the sender; 0 when it has none.
    public var sourcePort: UInt8
    /// Port it is for.
    public var targetPort: UInt8
    /// What it says.
    public var payload: [UInt8]
    /// Set when the sender waits until the bridge orders `acknowledge`.
    public var receipt: Receipt?

    /// A message with all its values.
    public init(source: UInt32, target: UInt32, sourcePort: UInt8, targetPort: UInt8, payload: [UInt8], receipt: Receipt? = nil) {
        self.source = source
        self.target = target
        self.sourcePort = sourcePort
        self.targetPort = targetPort
        self.payload = payload
        self.receipt = receipt
    }
}

/// Names a message whose sender waits for an acknowledgement; unique within one side.
public struct Receipt: Sendable, Hashable {
    /// Counts up.
    public var number: UInt64

    /// The receipt `number`.
    public init(_ number: UInt64) { self.number = number }
}

/// Names a message that the bridge gave to a proxy; unique within one bridge.
public struct SendTag: Sendable, Hashable {
    /// Counts up.
    public var number: UInt64

    /// The tag `number`.
    public init(_ number: UInt64) { self.number = number }
}

/// Why something was not carried across. Every one is counted (design promise 7).
public enum Refusal: String, Sendable, Hashable, CaseIterable {
    /// Its port is not mapped.
    case unmappedPort
    /// It is for one node, and its port is mapped without a header that could say so.
    case unicastOnRawPort
    /// Larger than the other side's messages can be.
    case tooLarge
    /// The bridge's queue is full.
    case queueFull
    /// Its target is no member of the other side.
    case noSuchTarget
    /// Its sender is not a native member.
    case sourceNotMember
    /// Its header names another sender than the one who sent it.
    case sourceMismatch
    /// Its header names another port than the one its group stands for.
    case portMismatch
    /// It could not be read.
    case malformed
    /// The sender's proxy was lost while the message was under way: whether it was delivered is unknown, and it is not repeated.
    case proxyLost
    /// The sender left, and its queue could not be emptied in time.
    case senderGone
    /// A barrier: not carried across.
    case barrier
    /// A message of a service group: not carried across.
    case serviceGroup
    /// Its node is not configured.
    case unknownNode
    /// Votes or expected votes that the other side's protocol does not take.
    case reconfiguration
}
