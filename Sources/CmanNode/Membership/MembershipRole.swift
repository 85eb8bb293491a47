import CmanWire
import EngineKit
import WireFormat

/// State of the membership machine with what only that state has (reference/cman-wire.md 5.1).
enum MembershipRole: Sendable {
    case idle
    /// Listens for HELLO.
    case starting
    /// Announces that it will form a cluster.
    case newCluster(until: Instant)
    /// Has sent JOINREQ.
    case joining(askedAt: Instant)
    /// Was told to wait for another HELLO.
    case joinWait
    /// Was let in; waits for the list of nodes.
    case joinAck(from: Endpoint)
    /// Follows the transition of `master`, which is unknown between JOINCONF and ENDTRANS.
    case client(master: UInt32?, view: ViewComparison)
    /// Stands at the completion barrier with what was agreed.
    case completing(TransitionOutcome)
    case member
    case master(MasterPhase)
    case rejected
    case left

    var state: CmanState {
        switch self {
        case .idle: .idle
        case .starting: .starting
        case .newCluster: .newCluster
        case .joining: .joining
        case .joinWait: .joinWait
        case .joinAck: .joinAck
        case .client: .transition
        case .completing(let outcome): outcome.isMaster ? .master : .transitionComplete
        case .member: .member
        case .master: .master
        case .rejected: .rejected
        case .left: .left
        }
    }

    /// Ports above 9 are blocked (reference/cman-wire.md 5.1).
    var isInTransition: Bool {
        switch self {
        case .client, .completing, .master: true
        default: false
        }
    }

    /// Takes part in the cluster: acknowledges broadcasts, sends HELLO.
    var takesPart: Bool { isInTransition || isMember }

    var isMember: Bool {
        if case .member = self { true } else { false }
    }
}

/// How far a master is.
enum MasterPhase: Sendable {
    /// STARTTRANS is out.
    case start
    /// MASTERVIEW is out.
    case collect
    /// JOINCONF is out, `attempts` times after the first.
    case confirm(attempts: Int)
}

/// How a master's view compares so far; a view may come in several packets.
struct ViewComparison: Sendable {
    var members = 0
    var differs = false
}

/// What ENDTRANS said; in force once all have passed the barrier.
struct TransitionOutcome: Sendable {
    var isMaster: Bool
    var master: UInt32?
    var quorum: UInt32
    var totalVotes: UInt32
    var barrier: [UInt8]
}

/// What a transition is about. It outlives the roles: masters change while a transition goes on.
struct TransitionRecord: Sendable {
    /// The original reason, kept over restarts.
    var reason: CmanTransitionReason?
    /// Id of the node that joins.
    var joiner: UInt32?
    /// Where it is reached before it is a member.
    var joinerEndpoint: Endpoint?
    /// A STARTTRANS that told of another joiner, and came too late to be followed.
    var overheard: CmanTransitionStart?
    /// The node that leaves said "removed": quorum may decrease.
    var allowsDecrease = false
    /// Restarts in a row.
    var restarts = 0
    /// How often the watchdog of a client ran out though the master is alive.
    var patience = 0
    /// When it began, for the silence of `isSilentWhileJoining`.
    var began = Instant.zero
}
