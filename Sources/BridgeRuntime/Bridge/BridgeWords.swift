import Bridging
import Sides

/// What the bridge reports, in words for its log.
enum BridgeWords {
    /// The name by which people know a side.
    static func name(of side: SideID) -> String { side == .cman ? "legacy" : "corosync" }

    private static func name(of node: UInt32, _ nodes: [BridgeSettings.Node]) -> String {
        nodes.first { $0.id == node }.map { "\($0.name) (\(node))" } ?? "node \(node)"
    }

    static func describe(_ alarm: BridgeAlarm, nodes: [BridgeSettings.Node]) -> String {
        switch alarm {
        case .doubleIdentity(let node, let detail):
            "\(name(of: node, nodes)) is on both sides: stop cman or corosync there (\(detail))"
        case .addressRefused(let node, let side, let holder):
            "the \(name(of: side)) address of \(name(of: node, nodes)) cannot be taken: \(holder)"
        case .unknownNode(let node, let side): "node \(node) of the \(name(of: side)) side is not in the configuration: it is not bridged"
        case .proxyLost(let node, let side, let loss):
            "the \(name(of: side)) proxy of \(name(of: node, nodes)) was lost: \(describe(loss))"
        case .refused(let refusal, let side, let node, let count):
            "refused something of \(name(of: node, nodes)) from the \(name(of: side)) side: \(refusal.rawValue), \(count) so far"
        case .acknowledgedEarly(let side, let count):
            "messages of the \(name(of: side)) side are acknowledged before the ring has ordered them, \(count) so far"
        }
    }

    static func describe(_ note: BridgeNote, nodes: [BridgeSettings.Node]) -> String {
        switch note {
        case .memberUp(let member, let side): "\(name(of: member.id, nodes)) is up on the \(name(of: side)) side"
        case .memberDown(let node, let departure, let side):
            "\(name(of: node, nodes)) is gone from the \(name(of: side)) side: \(departure.rawValue)"
        case .proxy(let node, let phase, let side): "\(name(of: side)) proxy of \(name(of: node, nodes)): \(phase.rawValue)"
        case .operational(let isOperational, let side):
            "the \(name(of: side)) side \(isOperational ? "orders messages" : "cannot order messages now")"
        case .quorum(let quorum, let side):
            "\(name(of: side)) side \(quorum.isQuorate ? "quorate" : "not quorate"): \(quorum.totalVotes) votes of \(quorum.expectedVotes), \(quorum.quorum) needed"
        case .killed(let node, let by, let side):
            "\(name(of: node, nodes)) was killed by \(name(of: by, nodes)) of the \(name(of: side)) side"
        }
    }

    static func describe(_ loss: ProxyLoss) -> String {
        switch loss {
        case .withdrawn: "withdrawn"
        case .joinFailed(let reason): "could not join: \(reason)"
        case .expelled(let reason): "expelled: \(reason)"
        case .killed: "killed"
        case .doubleIdentity: "the node itself is there"
        }
    }
}
