/// What the bridge wants done.
public enum BridgeAction: Sendable, Hashable {
    /// A side has to do something.
    case order(SideOrder, on: SideID)
    /// Take the address that node `node` has on `side`: probe, then announce. Answer with `Bridge.addressHeld` or `addressRefused`.
    case acquireAddress(node: UInt32, side: SideID)
    /// Give that address up, whether it is held or being acquired. No answer.
    case releaseAddress(node: UInt32, side: SideID)
    /// Something an operator must know.
    case alarm(BridgeAlarm)
    /// Something worth a line in the log.
    case note(BridgeNote)
}

/// Something an operator must know. Repeated ones are held back for `BridgeLimits.alarmInterval`; counters tell them all.
public enum BridgeAlarm: Sendable, Hashable {
    /// A node is native on both sides, or a native one has the id of a proxy.
    case doubleIdentity(node: UInt32, detail: String)
    /// Somebody else holds the address that node `node` has on `side`.
    case addressRefused(node: UInt32, side: SideID, holder: String)
    /// A native member is not in the configuration; no proxy is run for it.
    case unknownNode(UInt32, side: SideID)
    /// A proxy was lost.
    case proxyLost(node: UInt32, side: SideID, ProxyLoss)
    /// Something was refused; `count` of its kind so far.
    case refused(Refusal, side: SideID, node: UInt32, count: UInt64)
    /// A message was acknowledged before it was ordered; `count` so far (design promise 1).
    case acknowledgedEarly(side: SideID, count: UInt64)
}

/// A change worth a line in the log.
public enum BridgeNote: Sendable, Hashable {
    /// A native member is up.
    case memberUp(SideMember, side: SideID)
    /// A native member is gone.
    case memberDown(UInt32, Departure, side: SideID)
    /// A proxy's lifecycle moved on.
    case proxy(UInt32, ProxyPhase, side: SideID)
    /// A side can, or cannot, order messages.
    case operational(Bool, side: SideID)
    /// Quorum of a side changed.
    case quorum(SideQuorum, side: SideID)
    /// A node was killed on one side, and the other was told.
    case killed(UInt32, by: UInt32, side: SideID)
}

/// Where a proxy is in its life, as told to people.
public enum ProxyPhase: String, Sendable, Hashable, CaseIterable {
    /// There is none.
    case absent
    /// Its address is being acquired.
    case acquiring
    /// It asks to become a member.
    case joining
    /// It is a member.
    case member
    /// Its node has gone; it sends what is left of that node's messages.
    case draining
    /// It is leaving.
    case leaving
    /// It waits before the next attempt.
    case waiting
}
