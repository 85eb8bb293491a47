/// What a capture must mean: the content of `expected.yaml`.
public struct Expectations: Sendable, Hashable {
    /// Whose words these are: the files below `captures/` that were read, or `decoder`.
    public var source = ""
    /// True until someone has confirmed values that only the decoder gave.
    public var isDraft = false
    /// Packets of the capture.
    public var packets = 0
    /// Packets that are wrong on purpose.
    public var malformed = 0
    /// How often each message occurs, where an independent program counted.
    public var messages: [String: Int] = [:]
    /// Views of the members, in the order of time.
    public var views: [MembershipView] = []
    /// Rings that were taken into use, for each node in order.
    public var formations: [RingFormation] = []
    /// Nodes of whose logs the end is missing: they may have used more rings.
    public var incompleteLogs: [UInt32] = []
    /// Nodes that went.
    public var departures: [Departure] = []
    /// What programs received.
    public var receptions: [Reception] = []

    /// Nothing expected.
    public init() {}
}
