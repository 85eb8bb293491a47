import CmanNode
import CmanWire
import EngineKit

/// In what a profile does not do as a recorded daemon, one case for each rule (`CmanProfileRules`) that differs, and why.
///
/// A difference between a replay and a recording has this reason when it is there with the rule and is gone when the rule is the daemon's.
public enum CmanDeviation: String, Sendable, Hashable, CaseIterable {
    // What messages look like, and when they are acknowledged
    case startTransExpectsReply, startAckExpectsReply, acknowledgesBeforeReply, invertsAckStatus, acknowledgesWithoutListener
    case acknowledgesFirst, acknowledgesUnknownCommands, repeatsAcknowledgements, marksImmediateMessages, marksImmediateBarriers
    case listsNewestFirst, fitsViews, leaveSourcePort, answerToIDZero
    // What is sent more, or less
    case copiesPerInterval, copiesInTime, asksSilentNodes, isSilentWhileJoining, greetsWithoutID, announcesWhenForming
    case saysLeaveToAnybody, saysLeaveWhenKilled, servesServiceManager
    // What is taken from whom
    case checksAcknowledgements, verifiesAddressFirst, refusesLateCopies, refusesStrangers, checksConfirmation, refusesNewAddress
    case givesWayToDouble
    // How membership goes on
    case forgetsDeadNodes, sendsQueuedBeforeDeaths, actsOnNodeDown, resolvesStuckTransitions, checkLosesElection, abandonsBarrier
    case keepsHellos, excusesStaleHellos, excusesOwnPauses, joinsPersistently, leaveUnderWay, countsWholeSeconds
    case endTransSettlesJoiners, remembersOtherJoiners, guardsDecrease

    /// The reason, in a few words.
    public var reason: String {
        switch self {
        case .startTransExpectsReply: "STARTTRANS with REPLYEXP: STARTACK acknowledges it"
        case .startAckExpectsReply: "STARTACK without REPLYEXP, or the next message waits for a second"
        case .acknowledgesBeforeReply: "immediate ACK of a message with REPLYEXP"
        case .invertsAckStatus: "status 1 of an ACK means that nobody listens"
        case .acknowledgesWithoutListener: "ACK of a message with REPLYEXP to a port on which nobody listens"
        case .acknowledgesFirst: "ACK before a message is handled"
        case .acknowledgesUnknownCommands: "ACK of a command that nobody knows"
        case .repeatsAcknowledgements: "no piggy-backed acknowledgement of what an ACK has acknowledged"
        case .marksImmediateMessages: "no MSG_DONTWAIT"
        case .marksImmediateBarriers: "no MSG_DONTWAIT in BARRIER"
        case .listsNewestFirst: "newest node first in views and for LEAVE"
        case .fitsViews: "views cut at what a receiver reads"
        case .leaveSourcePort: "LEAVE from port 1"
        case .answerToIDZero: "no answer to node id 0, which is everybody (bugs B1, B8)"
        case .copiesPerInterval: "two copies per retransmission interval"
        case .copiesInTime: "copies when their time has come (bug B2: the daemon waits for something to wake it)"
        case .asksSilentNodes: "asks a silent node whether it lives"
        case .isSilentWhileJoining: "no HELLO while a node joins"
        case .greetsWithoutID: "no HELLO without an id (bug B1)"
        case .announcesWhenForming: "no NEWCLUSTER after the cluster is formed"
        case .saysLeaveToAnybody: "no LEAVE to a dead node"
        case .saysLeaveWhenKilled: "LEAVE also when told to go"
        case .servesServiceManager: "answers on port 2"
        case .checksAcknowledgements: "an acknowledgement counts for the message that it names (bug B7)"
        case .verifiesAddressFirst: "nothing is taken from another address"
        case .refusesLateCopies: "late copies are recognised"
        case .refusesStrangers: "commands of strangers are refused (captures 13c, 13d)"
        case .checksConfirmation: "CONFACK counts from the joiner only"
        case .refusesNewAddress: "a known node with a new address is refused (capture 13e)"
        case .givesWayToDouble: "gives way to a node with the same id"
        case .forgetsDeadNodes: "waits for no acknowledgement of a dead node"
        case .sendsQueuedBeforeDeaths: "silent nodes are declared dead before the next message goes out"
        case .actsOnNodeDown: "the lowest member takes over as soon as the master is reported dead"
        case .resolvesStuckTransitions: "the lowest member takes over a transition without master"
        case .checkLosesElection: "who only checks loses an election"
        case .abandonsBarrier: "a barrier that a dead node would have to pass is left (bugs B5, B6)"
        case .keepsHellos: "HELLOs that came during the barrier are not held against their senders"
        case .excusesStaleHellos: "no CHECK because of a HELLO that is stale by its generation (bug B13)"
        case .excusesOwnPauses: "the node's own pause is no silence of the others"
        case .joinsPersistently: "one JOINREQ at a time, and joins go on where they can"
        case .leaveUnderWay: "leaves when the transition is over"
        case .countsWholeSeconds: "times are not rounded to seconds"
        case .endTransSettlesJoiners: "the joiner that ENDTRANS names is a member and stays one, any other is none"
        case .remembersOtherJoiners: "the joiner of a master that came too late is remembered"
        case .guardsDecrease: "quorum decreases for a removed node only where the rest was quorate"
        }
    }

    /// Makes the rule that of `daemon`.
    package func withhold(from rules: inout CmanProfileRules, as daemon: CmanProfileRules) {
        switch self {
        case .startTransExpectsReply: rules.startTransExpectsReply = daemon.startTransExpectsReply
        case .startAckExpectsReply: rules.startAckExpectsReply = daemon.startAckExpectsReply
        case .acknowledgesBeforeReply: rules.acknowledgesBeforeReply = daemon.acknowledgesBeforeReply
        case .invertsAckStatus: rules.invertsAckStatus = daemon.invertsAckStatus
        case .acknowledgesWithoutListener: rules.acknowledgesWithoutListener = daemon.acknowledgesWithoutListener
        case .acknowledgesFirst: rules.acknowledgesFirst = daemon.acknowledgesFirst
        case .acknowledgesUnknownCommands: rules.acknowledgesUnknownCommands = daemon.acknowledgesUnknownCommands
        case .repeatsAcknowledgements: rules.repeatsAcknowledgements = daemon.repeatsAcknowledgements
        case .marksImmediateMessages: rules.marksImmediateMessages = daemon.marksImmediateMessages
        case .marksImmediateBarriers: rules.marksImmediateBarriers = daemon.marksImmediateBarriers
        case .listsNewestFirst: rules.listsNewestFirst = daemon.listsNewestFirst
        case .fitsViews: rules.fitsViews = daemon.fitsViews
        case .leaveSourcePort: rules.leaveSourcePort = daemon.leaveSourcePort
        case .answerToIDZero: rules.answerToIDZero = daemon.answerToIDZero
        case .copiesPerInterval: rules.copiesPerInterval = daemon.copiesPerInterval
        case .copiesInTime: break
        case .asksSilentNodes: rules.asksSilentNodes = daemon.asksSilentNodes
        case .isSilentWhileJoining: rules.isSilentWhileJoining = daemon.isSilentWhileJoining
        case .greetsWithoutID: rules.greetsWithoutID = daemon.greetsWithoutID
        case .announcesWhenForming: rules.announcesWhenForming = daemon.announcesWhenForming
        case .saysLeaveToAnybody: rules.saysLeaveToAnybody = daemon.saysLeaveToAnybody
        case .saysLeaveWhenKilled: rules.saysLeaveWhenKilled = daemon.saysLeaveWhenKilled
        case .servesServiceManager: rules.servesServiceManager = daemon.servesServiceManager
        case .checksAcknowledgements: rules.checksAcknowledgements = daemon.checksAcknowledgements
        case .verifiesAddressFirst: rules.verifiesAddressFirst = daemon.verifiesAddressFirst
        case .refusesLateCopies: rules.refusesLateCopies = daemon.refusesLateCopies
        case .refusesStrangers: rules.refusesStrangers = daemon.refusesStrangers
        case .checksConfirmation: rules.checksConfirmation = daemon.checksConfirmation
        case .refusesNewAddress: rules.refusesNewAddress = daemon.refusesNewAddress
        case .givesWayToDouble: rules.givesWayToDouble = daemon.givesWayToDouble
        case .forgetsDeadNodes: rules.forgetsDeadNodes = daemon.forgetsDeadNodes
        case .sendsQueuedBeforeDeaths: rules.sendsQueuedBeforeDeaths = daemon.sendsQueuedBeforeDeaths
        case .actsOnNodeDown: rules.actsOnNodeDown = daemon.actsOnNodeDown
        case .resolvesStuckTransitions: rules.resolvesStuckTransitions = daemon.resolvesStuckTransitions
        case .checkLosesElection: rules.checkLosesElection = daemon.checkLosesElection
        case .abandonsBarrier: rules.abandonsBarrier = daemon.abandonsBarrier
        case .keepsHellos: rules.keepsHellos = daemon.keepsHellos
        case .excusesStaleHellos: rules.excusesStaleHellos = daemon.excusesStaleHellos
        case .excusesOwnPauses: rules.excusesOwnPauses = daemon.excusesOwnPauses
        case .joinsPersistently: rules.joinsPersistently = daemon.joinsPersistently
        case .leaveUnderWay: rules.leaveUnderWay = daemon.leaveUnderWay
        case .countsWholeSeconds: rules.countsWholeSeconds = daemon.countsWholeSeconds
        case .endTransSettlesJoiners: rules.endTransSettlesJoiners = daemon.endTransSettlesJoiners
        case .remembersOtherJoiners: rules.remembersOtherJoiners = daemon.remembersOtherJoiners
        case .guardsDecrease: rules.guardsDecrease = daemon.guardsDecrease
        }
    }

    /// Whether the rule changes what the node does later, so that the recording, in which its peers answer the daemon, cannot be
    /// followed any further. Otherwise it shows in single messages, and only in the way that `isShown(by:)` describes.
    var leavesRecording: Bool {
        switch self {
        case .startTransExpectsReply, .startAckExpectsReply, .acknowledgesBeforeReply, .invertsAckStatus, .acknowledgesWithoutListener,
            .acknowledgesFirst, .acknowledgesUnknownCommands, .repeatsAcknowledgements, .marksImmediateMessages, .marksImmediateBarriers,
            .listsNewestFirst, .fitsViews, .leaveSourcePort, .isSilentWhileJoining, .greetsWithoutID, .announcesWhenForming,
            .saysLeaveToAnybody, .saysLeaveWhenKilled:
            false
        default: true
        }
    }

    /// Whether this difference can follow from what the rule shows in: what an ACK has acknowledged at once no header acknowledges again.
    func isFollowed(by discrepancy: CmanReplay.Discrepancy) -> Bool {
        guard self == .acknowledgesBeforeReply, case .field(let field) = discrepancy.kind else { return false }
        return field.field == "cman.ack" && field.replayed == "0"
    }

    /// Whether the rule can be what makes this difference.
    func isShown(by discrepancy: CmanReplay.Discrepancy) -> Bool {
        guard let packet = discrepancy.packet else { return false }
        switch (self, discrepancy.kind, packet.body) {
        case (.startTransExpectsReply, .field(let field), .startTrans):
            return field.field == "cman.flags" && field.adds(.replyExpected)
        case (.startAckExpectsReply, .field(let field), .startAck):
            return field.field == "cman.flags" && field.removes(.replyExpected)
        case (.acknowledgesBeforeReply, .additional, .ack(let ack)): return ack.remotePort == CmanPort.membership
        case (.invertsAckStatus, .field(let field), .ack(let ack)):
            return field.field == "cman.status" && ack.remotePort != CmanPort.protocol
        case (.acknowledgesWithoutListener, .additional, .ack(let ack)): return ack.remotePort > CmanPort.membership
        case (.repeatsAcknowledgements, .field(let field), _): return field.field == "cman.ack" && field.replayed == "0"
        case (.listsNewestFirst, .field(let field), .masterView), (.listsNewestFirst, .field(let field), .joinConf):
            return field.field.hasPrefix("cman.entries.")
        case (.listsNewestFirst, .field(let field), .leave): return field.field == "cman.target_id" || field.field == "cman.ack"
        // Nodes that fell silent together are reported in the order of the list.
        case (.listsNewestFirst, .missing, .nodeDown), (.listsNewestFirst, .additional, .nodeDown), (.listsNewestFirst, .time, .nodeDown):
            return true
        case (.fitsViews, _, .masterView), (.fitsViews, _, .joinConf): return true
        case (.leaveSourcePort, .field(let field), .leave): return field.field == "cman.source_port"
        case (.answerToIDZero, _, .joinAck), (.answerToIDZero, _, .kill): return true
        case (.copiesPerInterval, .copies, _): return true
        case (.copiesInTime, _, .ack): return false
        case (.copiesInTime, _, _): return true
        case (.asksSilentNodes, .additional, .hello(let hello)):
            return hello.flags & CmanHello.masterFlag == 0 && !packet.header.flags.contains(.noAck)
        case (.isSilentWhileJoining, .missing, .hello): return true
        case (.greetsWithoutID, .missing, .hello): return packet.header.sourceID == 0
        case (.announcesWhenForming, .missing, .newCluster): return true
        case (.saysLeaveToAnybody, .missing, .leave): return true
        case (.saysLeaveWhenKilled, .additional, .leave): return true
        case (.countsWholeSeconds, .time, _), (.countsWholeSeconds, .missing, _), (.countsWholeSeconds, .additional, _): return true
        case (_, .field, .hello): return leavesRecording
        case (.guardsDecrease, .field(let field), .endTrans): return field.field == "cman.quorum"
        // What was received before is something else after the recording was left.
        case (_, .field(let field), _) where field.field == "cman.ack": return leavesRecording
        case (_, .field, _): return false
        default: return leavesRecording && self != .copiesPerInterval && self != .asksSilentNodes
        }
    }
}

extension CmanPacketDifference {
    private func flags(_ text: String) -> CmanFlags { CmanFlags(rawValue: UInt32(text) ?? 0) }

    /// The engine sets `flag`, and nothing else is different.
    fileprivate func adds(_ flag: CmanFlags) -> Bool { flags(replayed) == flags(recorded).union(flag) && recorded != replayed }

    /// The engine does not set `flag`, and nothing else is different.
    fileprivate func removes(_ flag: CmanFlags) -> Bool { flags(replayed) == flags(recorded).subtracting(flag) && recorded != replayed }
}
