/// A generation of Totem on the wire, oldest first (reference/totem-wire.md 0). knet carries the messages of corosync 3.
public enum TotemGeneration: Sendable, Hashable, CaseIterable, Comparable {
    /// openAIS of August 2005, below the first cman on Totem (D1).
    case totem2005
    /// openais 0.80, RHEL 5 (D2).
    case openais080
    /// corosync 1.4, RHEL 6 (D3).
    case corosync1
    /// corosync 2, RHEL 7 (D4).
    case corosync2
    /// corosync 3 (D5, and D6 inside knet).
    case corosync3

    /// Its name in listings.
    public var name: StaticString {
        switch self {
        case .totem2005: "totem-2005"
        case .openais080: "openais-0.80"
        case .corosync1: "corosync-1"
        case .corosync2: "corosync-2"
        case .corosync3: "corosync-3"
        }
    }
}
