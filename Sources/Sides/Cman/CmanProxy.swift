import Bridging
import CmanNode
import EngineKit
import WireFormat

/// One legacy proxy.
struct CmanProxy: Sendable {
    var identity: ProxyIdentity
    var addresses: [Endpoint]
    var node: CmanNode
    /// Whether its membership was reported.
    var isMember = false
    /// Whether the bridge has ordered it to leave.
    var isLeaving = false
    /// Set when the engine says that it is no member any more.
    var end: CmanLeaveReason?
    /// The native member whose administrator asked for its end.
    var killer: UInt32?
    /// What it was given to send.
    var sent = SettledInOrder<CmanTag>()

    var id: UInt32 { identity.id }
}

/// What a proxy was given to send and has not settled, in order: the engine's names against the bridge's.
struct SettledInOrder<EngineTag: Hashable & Sendable>: Sendable {
    private var entries: [(engine: EngineTag, bridge: SendTag)] = []

    mutating func append(_ engine: EngineTag, _ bridge: SendTag) { entries.append((engine, bridge)) }

    /// The bridge's name of what the engine calls `engine`; it is settled now.
    mutating func take(_ engine: EngineTag) -> SendTag? {
        // The window is a few messages, and the first is nearly always the one.
        guard let index = entries.firstIndex(where: { $0.engine == engine }) else { return nil }
        return entries.remove(at: index).bridge
    }
}
