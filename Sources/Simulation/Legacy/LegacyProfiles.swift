import CmanNode
import EngineKit

/// Whose behaviour the members of a legacy cluster show.
public enum LegacyProfiles: Sendable, Hashable {
    /// All the same.
    case all(CmanConfiguration.Profile)
    /// Each seed draws one for every host; each of these is there at least once.
    case drawn([CmanConfiguration.Profile])

    /// The profile of each of `count` hosts.
    func profiles(_ count: Int, random: inout RandomSource) -> [CmanConfiguration.Profile] {
        switch self {
        case .all(let profile): return Array(repeating: profile, count: count)
        case .drawn(let profiles):
            var drawn = (0..<count).map { $0 < profiles.count ? profiles[$0] : random.choice(profiles) }
            for index in drawn.indices.dropLast() { drawn.swapAt(index, index + random.below(count - index)) }
            return drawn
        }
    }
}
