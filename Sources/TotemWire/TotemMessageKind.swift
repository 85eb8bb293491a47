/// The six messages of the single ring protocol, by the `type` of the common header (reference/totem-wire.md 3).
public enum TotemMessageKind: Int8, Sendable, Hashable, CaseIterable {
    case token = 0
    case mcast = 1
    case mergeDetect = 2
    case join = 3
    case commitToken = 4
    case holdCancel = 5

    /// The message's name in listings.
    public var name: StaticString {
        switch self {
        case .token: "token"
        case .mcast: "mcast"
        case .mergeDetect: "merge-detect"
        case .join: "join"
        case .commitToken: "commit-token"
        case .holdCancel: "hold-cancel"
        }
    }

    /// The name of the message with this `type`, for listings of fields.
    public static let label: @Sendable (UInt64) -> StaticString? = { TotemMessageKind(rawValue: Int8(truncatingIfNeeded: $0))?.name }
}
