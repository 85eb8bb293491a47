import CmanWire
import EngineKit
import WireFormat

/// Membership messages that came in while the node stood at the completion barrier (reference/cman-wire.md 5.14, note 1).
struct DeferredMessages: Sendable {
    private var messages = BoundedQueue<Message>(bound: 512)

    struct Message: Sendable {
        var body: CmanBody
        var sender: Sender
    }

    var isFull: Bool { messages.isFull }

    mutating func append(_ body: CmanBody, from sender: Sender) {
        _ = messages.append(Message(body: body, sender: sender))
    }

    mutating func removeFirst() -> Message? { messages.removeFirst() }
}

/// Which message goes where, by state (reference/cman-wire.md 5.14).
extension CmanNode {
    /// False when the message would have to wait and too many do already.
    func canTakeMembershipMessage(_ body: CmanBody) -> Bool {
        guard case .completing = role else { return true }
        return !deferred.isFull
    }

    mutating func receiveMembershipMessage(_ body: CmanBody, from sender: Sender, into effects: inout CmanEffects) {
        guard case .completing(let outcome) = role else {
            handle(body, from: sender, into: &effects)
            return
        }
        if case .hello = body, !rules.keepsHellos { return }
        deferred.append(body, from: sender)
        if rules.abandonsBarrier == .always, case .startTrans = body, !outcome.isMaster, sender.id != 0 {
            abandonBarrier(outcome, into: &effects)
        }
    }

    /// Handles what waited for the end of the barrier, as far as no new one begins.
    mutating func processDeferred(into effects: inout CmanEffects) {
        while true {
            if case .completing = role { return }
            if role.takesPart, !pendingDeaths.isEmpty {
                nodeDied(pendingDeaths.removeFirst(), into: &effects)
            } else if let message = deferred.removeFirst() {
                var sender = message.sender
                // Its sender may have died or become known since.
                sender.node = sender.node.flatMap { node in table.index(ofID: node).flatMap { table[$0].state == .dead ? nil : node } }
                if sender.node == nil { sender.id = 0 }
                handle(message.body, from: sender, into: &effects)
            } else {
                return
            }
        }
    }

    private mutating func handle(_ body: CmanBody, from sender: Sender, into effects: inout CmanEffects) {
        switch body {
        case .hello(let message): receiveHello(message, from: sender, into: &effects)
        case .joinReq(let message): receiveJoinRequest(message, from: sender, into: &effects)
        case .joinAck(let message): receiveJoinAck(message, from: sender, into: &effects)
        case .joinConf(let message): receiveJoinConf(message, from: sender, into: &effects)
        case .confAck: receiveConfAck(from: sender, into: &effects)
        case .startTrans(let message): receiveStartTrans(message, from: sender, into: &effects)
        case .startAck(let message): receiveStartAck(message, from: sender, into: &effects)
        case .masterView(let message): receiveMasterView(message, from: sender, into: &effects)
        case .viewAck(let message): receiveViewAck(message, from: sender, into: &effects)
        case .endTrans(let message): receiveEndTrans(message, from: sender, into: &effects)
        case .nominate(let message): receiveNominate(message, from: sender, into: &effects)
        case .newCluster(let message): receiveNewCluster(message, from: sender, into: &effects)
        case .nodeDown(let message): receiveNodeDown(message, from: sender, into: &effects)
        case .leave(let message): receiveLeave(message, from: sender, into: &effects)
        case .kill: receiveKill(from: sender, into: &effects)
        case .reconfig(let message): receiveReconfig(message, from: sender, into: &effects)
        default:
            effects.report(.refused(.unexpected(message: body.name.description, detail: "unknown command", from: sender.endpoint)))
        }
    }

    /// Whether a message that only members may send is taken from `sender`; reports it when not.
    /// `isOpen` marks the messages that a configuration may open to strangers.
    mutating func accepts(
        _ message: StaticString,
        from sender: Sender,
        isOpen: Bool = false,
        into effects: inout CmanEffects
    ) -> Bool {
        if !rules.refusesStrangers || isOpen && configuration.obeysStrangers { return true }
        if let node = sender.node, let index = table.index(ofID: node), table[index].state == .member { return true }
        effects.report(.refused(.stranger(message: message.description, from: sender.endpoint)))
        return false
    }

    /// Where an answer to `sender` goes; nil when there is none for it.
    func answerTarget(_ sender: Sender) -> MessageTarget? {
        if sender.id != 0 { return .node(sender.id) }
        if sender.isStranger { return .address(sender.endpoint) }
        switch rules.answerToIDZero {
        case .address: return .address(sender.endpoint)
        case .broadcast: return .everyone
        case .none: return nil
        }
    }
}
