/// What daemons and their clients themselves reported while a capture was made.
public struct DaemonReport: Sendable, Hashable {
    /// Views of the members at certain times.
    public var views: [MembershipView] = []
    /// Rings that were taken into use, for each node in order.
    public var formations: [RingFormation] = []
    /// Nodes of whose logs the end is missing.
    public var incompleteLogs: [UInt32] = []
    /// Nodes that went, from what was done to them.
    public var departures: [Departure] = []
    /// What programs received.
    public var receptions: [Reception] = []

    /// A report that tells nothing.
    public init() {}

    /// Adds what another report of the same capture tells.
    public mutating func add(_ other: DaemonReport) {
        views += other.views
        formations += other.formations
        incompleteLogs += other.incompleteLogs
        departures += other.departures
        receptions += other.receptions
    }
}
