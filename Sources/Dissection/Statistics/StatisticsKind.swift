/// The statistics that there are, by their names on the command line.
public enum StatisticsKind: String, CaseIterable, Sendable {
    case types
    case nodes
    case conversations
    case carried

    /// Counters at zero.
    public func makeStatistics() -> any PacketStatistics {
        switch self {
        case .types: TypeStatistics()
        case .nodes: NodeStatistics()
        case .conversations: ConversationStatistics()
        case .carried: CarriedStatistics()
        }
    }
}
