/// What a bridge has done so far; counts only go up.
public struct BridgeCounters: Sendable, Hashable {
    /// Messages of this side's native members that were ordered on the other side.
    public var carried = PerSide<UInt64>(both: 0)
    /// Messages of this side that were acknowledged before they were ordered on the other side (design promise 1).
    public var acknowledgedEarly = PerSide<UInt64>(both: 0)
    /// Messages of this side that no native member of the other side was meant to get.
    public var withoutRecipient = PerSide<UInt64>(both: 0)
    /// What was refused of this side's native members, by reason.
    public var refused = PerSide<[Refusal: UInt64]>(both: [:])
    /// Proxies of this side that were lost without being withdrawn.
    public var proxiesLost = PerSide<UInt64>(both: 0)

    /// Nothing yet.
    public init() {}
}
