/// What a bridge has done so far; counts only go up.
public struct BridgeCounters: Sendable, Hashable {
    /// Messages of this side's native members that were ordered on the other side.
    public var carried = PerSide<UInt64>(both: 0)
    /// Messages of this side that were acknowledged before they were ordered on the other side (design promise 1).
    public var acknowledgedEarly = PerSide<UInt64>(both: 0)
    /// Messages of this side that no native member of the other side was meant to get.
    public var withoutRecipient = PerSide<UInt64>(both: 0)
    /// Messages of this side to a port on which no program of the other side was known to listen. A side that has to know before it
    /// can take a message over does not carry these across; others do, because a program may just have begun to listen.
    public var withoutListener = PerSide<UInt64>(both: 0)
    /// What was refused of this side's native members, by reason.
    public var refused = PerSide<[Refusal: UInt64]>(both: [:])
    /// Proxies of this side that were lost without being withdrawn.
    public var proxiesLost = PerSide<UInt64>(both: 0)

    /// Nothing yet.
    public init() {}
}
