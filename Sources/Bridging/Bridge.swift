import EngineKit

/// The bridge's core: which proxies there have to be, and what is carried across. It knows two sides, and no wire.
///
/// A value without I/O: `take` gets what sides report, the address calls get the runtime's answers, `advance` gets the time; each
/// appends what is to be done to `actions`, to be carried out in order. The caller never hands in a time that goes backwards.
///
/// The rules (design section 4):
/// - A node that is a native member of one side, and not of the other, has a proxy on the other. Its address is held first.
/// - Native on both sides: the node has no proxy, and an alarm says so.
/// - When the native member goes, its proxy sends what is left of the node's messages, leaves, and gives the address back.
/// - A message waits in the queue of its sender until that sender's proxy can send it. Each sender's messages are ordered on the
///   other side in the order of their arrival, each at most once. One whose fate is unknown because its proxy was lost is not
///   repeated; it is counted.
/// - A sender that waits for an acknowledgement gets it when its message is ordered, refused, or `BridgeLimits.acknowledgeAfter` old.
public struct Bridge: Sendable {
    let configuration: BridgeConfiguration
    let nodes: [UInt32: BridgeNode]
    var natives = PerSide<[UInt32: SideMember]>(both: [:])
    var listeners = PerSide<[UInt32: Set<UInt8>]>(both: [:])
    var proxies = PerSide<[UInt32: Proxy]>(both: [:])
    /// Messages on their way to a side, by sender.
    var queues = PerSide<[UInt32: SendQueue]>(both: [:])
    var queuedBytes = PerSide<Int>(both: 0)
    var isOperational = PerSide<Bool>(both: false)
    var quorum = PerSide<SideQuorum?>(both: nil)
    /// Expected votes as an administrator of either side set them last.
    var expectedVotes: UInt32?
    /// Receipts that are not given yet, by the side whose sender waits.
    var unacknowledged = PerSide<Set<Receipt>>(both: [])
    var acknowledgements = Fifo<PendingAcknowledgement>()
    var counters = BridgeCounters()
    var alarmTimes: [AlarmKey: Instant] = [:]
    var proxyDeadline: Instant?
    var lastTag: UInt64 = 0
    var isStopping = false

    struct PendingAcknowledgement: Sendable {
        var deadline: Instant
        var side: SideID
        var receipt: Receipt
    }

    /// A bridge that has seen nothing yet.
    public init(configuration: BridgeConfiguration) {
        self.configuration = configuration
        nodes = Dictionary(configuration.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes what `side` reports.
    public mutating func take(_ report: SideReport, from side: SideID, at now: Instant, into actions: inout [BridgeAction]) {
        switch report {
        case .memberUp(let member): memberUp(member, on: side, at: now, into: &actions)
        case .memberChanged(let member): memberChanged(member, on: side, into: &actions)
        case .memberDown(let node, let departure): memberDown(node, departure, on: side, at: now, into: &actions)
        case .proxy(let node, let report): proxyReported(node, report, on: side, at: now, into: &actions)
        case .quorum(let value):
            guard quorum[side] != value else { return }
            quorum[side] = value
            actions.append(.note(.quorum(value, side: side)))
        case .operational(let value):
            guard isOperational[side] != value else { return }
            isOperational[side] = value
            actions.append(.note(.operational(value, side: side)))
            if value { dispatchAll(to: side, at: now, into: &actions) }
        case .listening(let node, let port, let isListening): listening(node, port, isListening, on: side, into: &actions)
        case .message(let message): accept(message, from: side, at: now, into: &actions)
        case .ordered(let sender, let tag): settled(sender, tag, refusal: nil, on: side, at: now, into: &actions)
        case .sendFailed(let sender, let tag, let refusal): settled(sender, tag, refusal: refusal, on: side, at: now, into: &actions)
        case .killed(let node, let killer):
            actions.append(.note(.killed(node, by: killer, side: side)))
            guard natives[side.other][node] != nil else { return }
            actions.append(.order(.kill(node, by: killer), on: side.other))
        case .expectedVotes(let votes, let node):
            // The order's own echo from the other side goes no further.
            guard expectedVotes != votes, proxies[side.other][node]?.isMember == true else { return }
            expectedVotes = votes
            actions.append(.order(.setExpectedVotes(votes, proxy: node), on: side.other))
        case .unheard: counters.withoutListener[side] += 1
        case .refused(let refusal, let node):
            // What a side does not take of a proxy was meant by the node behind it.
            let origin = natives[side][node] == nil && natives[side.other][node] != nil ? side.other : side
            refuse(refusal, of: node, from: origin, at: now, into: &actions)
        case .doubleIdentity(let node, let holder): yield(node, on: side, to: holder, at: now, into: &actions)
        }
    }

    /// Lets everything expire that is due.
    public mutating func advance(to now: Instant, into actions: inout [BridgeAction]) {
        acknowledgeOverdue(at: now, into: &actions)
        guard let proxyDeadline, proxyDeadline <= now else { return }
        for side in SideID.allCases {
            for node in proxies[side].keys.sorted() { proxyOverdue(node, on: side, at: now, into: &actions) }
        }
        noteProxyDeadline()
    }

    /// When `advance` must be called next; nil while nothing can expire.
    public var nextDeadline: Instant? {
        guard let acknowledgement = acknowledgements.first?.deadline else { return proxyDeadline }
        return proxyDeadline.map { min($0, acknowledgement) } ?? acknowledgement
    }

    /// Withdraws every proxy, in order; none is admitted any more.
    public mutating func stop(at now: Instant, into actions: inout [BridgeAction]) {
        isStopping = true
        reconcileAll(at: now, into: &actions)
    }

    /// Whether `stop` has been called and no proxy is left.
    public var isStopped: Bool { isStopping && proxies.first.isEmpty && proxies.second.isEmpty }
}
